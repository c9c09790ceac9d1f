"""`casebus passwords rotate`: another password for a login, in the cluster and in its file."""

from pathlib import Path
from typing import Annotated

import typer

from casebus_producers.screen import say, say_json

app = typer.Typer(help="口令 Passwords of the logins.", no_args_is_help=True)


@app.callback()
def passwords() -> None:
    """Passwords of the logins."""


@app.command("rotate")
def rotate(
    login: Annotated[str, typer.Argument(help="an agency, a service, auditor or operator")],
    connection: Annotated[
        Path | None, typer.Option("--connection", "-c", envvar="CASEBUS_CONNECTION", help="connection.json")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON on standard output")] = False,
) -> None:
    """Give a login a new password, try it, and write it to the password file that connection.json names.

    Connections that are open stay so. Who keeps a copy of the file elsewhere gets the new one; a service
    reads it at its next start.
    """
    from casebus_deploy.stack.password_change import change_password
    from casebus_producers.config import read_connection
    from casebus_schemas.errors import UsageError

    known = read_connection(connection)
    if known is None or connection is None:
        raise UsageError("which bus?", expected="--connection FILE or CASEBUS_CONNECTION")
    file = change_password(known, connection, login)
    if as_json:
        say_json({"login": login, "password_file": str(file)})
    else:
        say(f"{login}: 新口令 new password in {file}, tried and taken")
