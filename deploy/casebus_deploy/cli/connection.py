"""`casebus connection`: what one agency needs of a bus, given out by its operator, taken in by the agency."""

from pathlib import Path
from typing import Annotated

import typer

from casebus_producers.screen import say, say_json
from casebus_schemas.errors import UsageError

app = typer.Typer(
    help="一个机关的连接 The connection of one agency, without anything of others.", no_args_is_help=True
)

Json = Annotated[bool, typer.Option("--json", help="JSON on standard output")]


@app.command("export")
def export(
    agency: Annotated[str, typer.Option("--agency", "-a", help="an agency that has joined")],
    connection: Annotated[
        Path | None, typer.Option("--connection", "-c", envvar="CASEBUS_CONNECTION", help="connection.json")
    ] = None,
    to: Annotated[Path | None, typer.Option("--to", help="file; else AGENCY.connection.json here")] = None,
    as_json: Json = False,
) -> None:
    """At the operator: write addresses, certificates and login of one agency, and nothing of others.

    The password in it is sealed for the agency's own encryption key, so that the file may go by mail. It is
    signed with the operator's key, whose number the agency compares.
    """
    from casebus_deploy.stack.enrolment import exported
    from casebus_producers.config import read_connection
    from casebus_producers.enrolment.own_folder import write_whole

    known = read_connection(connection)
    if known is None:
        raise UsageError("which bus?", expected="--connection FILE or CASEBUS_CONNECTION")
    excerpt = exported(known, agency)
    file = to or Path(f"{agency}.connection.json")
    write_whole(file, excerpt.file.to_bytes().decode())
    if as_json:
        say_json({"file": str(file), "agency": agency, "operator": excerpt.operator_number})
        return
    say(f"连接文件 connection: {file}")
    say(f"运营方核对号 the operator's number, to be read out to the agency: {excerpt.operator_number}")


@app.command("import")
def take_in(
    file: Annotated[Path, typer.Argument(help="what the operator sent")],
    folder: Annotated[Path, typer.Option("--dir", help="the folder in which the request was made")],
    operator: Annotated[
        str | None, typer.Option("--operator", help="the operator's number, as read out over the telephone")
    ] = None,
    as_json: Json = False,
) -> None:
    """At the agency: open the login with its own key, write connection.json and password into its folder."""
    from casebus_producers.enrolment.joining import joined
    from casebus_producers.enrolment.own_folder import OwnFolder
    from casebus_schemas.enrolment.excerpt import Excerpt

    try:
        excerpt = Excerpt.read(file.read_bytes())
    except OSError as error:
        raise UsageError(
            f"cannot read {file}", found=error.strerror, expected="what the operator sent"
        ) from error
    if operator is None:
        raise UsageError(
            "whose connection is it?",
            found=f"the operator's number {excerpt.operator_number} in the file",
            expected="--operator with the number that the operator read out",
        )
    own = OwnFolder(folder.absolute())
    joined(own, excerpt, operator)
    if as_json:
        say_json({"connection": str(own.connection), "agency": excerpt.agency})
    else:
        say(f"连接 connection: {own.connection}")
        say("export CASEBUS_CONNECTION=" + str(own.connection))
