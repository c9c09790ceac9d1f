"""`casebus door`: the systems of an agency that use its door or are told by it."""

from pathlib import Path
from typing import Annotated

import typer

from casebus_producers.cli import AgencyOption, ConnectionOption
from casebus_producers.config import AgencySettings, read_connection
from casebus_producers.screen import say, say_json
from casebus_schemas.errors import UsageError

from .attachments import cli as attachments_cli
from .clients import add_certified, client_names, make_key_file, remove_client
from .webhooks import cli as webhooks_cli

app = typer.Typer(help="Systems of the agency that use its door or are told by it.", no_args_is_help=True)
app.add_typer(webhooks_cli.app, name="webhooks")
app.add_typer(attachments_cli.app, name="attachments")
Name = Annotated[str, typer.Argument(help="how the system is called: small letters, digits, hyphens")]


@app.command("add-client")
def add(
    name: Name,
    agency: AgencyOption,
    key_file: Annotated[Path | None, typer.Option(help="where its bearer key is written, mode 0600")] = None,
    certificate: Annotated[
        str | None, typer.Option(help="the name in its certificate: DNS:…, URI:… or CN:…")
    ] = None,
    connection: ConnectionOption = None,
) -> None:
    """Let a system in, by a key that is made here or by its certificate of the agency's own authority.

    Of a key the door keeps the hash only, so the file is the one copy. A file whose key is in force stays as
    it is; any other key of that name ends.
    """
    if (key_file is None) == (certificate is None):
        raise UsageError("how is the system known?", expected="--key-file FILE or --certificate NAME")
    folder = _folder(agency, connection)
    if certificate is not None:
        add_certified(folder, name, certificate)
        say(f"{name} 以证书为凭 {name} is known by the certificate of {certificate}")
    elif key_file is not None:
        make_key_file(folder, name, key_file)
        say(f"{name} 的密钥 the key of {name}: {key_file}")


@app.command("remove-client")
def remove(name: Name, agency: AgencyOption, connection: ConnectionOption = None) -> None:
    """End the key or certificate of a system; a door that runs knows it within a second."""
    remove_client(_folder(agency, connection), name)
    say(f"{name} 已停用 {name} comes in no more")


@app.command("clients")
def listed(
    agency: AgencyOption,
    connection: ConnectionOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON on standard output")] = False,
) -> None:
    """Who may come in."""
    names = client_names(_folder(agency, connection))
    if as_json:
        say_json(names)
        return
    for name in names:
        say(name)


@app.command("outbox-table")
def outbox_table() -> None:
    """The SQL of an outbox table in the agency's own PostgreSQL, and of the answers beside it."""
    from importlib.resources import files

    say((files(__package__) / "table" / "outbox_table.sql").read_text(encoding="utf-8"))


@app.command("template")
def template(
    type: Annotated[str | None, typer.Argument(help="event type; else the common ones are listed")] = None,
    to: Annotated[
        Path | None, typer.Option(help="file to write, .csv or .xlsx; its name begins with the type")
    ] = None,
    lang: Annotated[str, typer.Option(help="of the heads: zh or en")] = "zh",
    repeat: Annotated[int, typer.Option(help="groups of each list, such as suspects", min=1, max=50)] = 1,
) -> None:
    """A file with the heads of an event type, to be filled in and dropped into the door's folder."""
    from .files.folder import type_of
    from .files.template import COMMON, LANGUAGES, csv_template, xlsx_template

    if type is None:
        for name in COMMON:
            say(name)
        return
    if lang not in LANGUAGES:
        raise typer.BadParameter("zh or en", param_hint="--lang")
    file = to or Path(f"{type}.xlsx")
    if file.suffix not in (".csv", ".xlsx") or type_of(file.name) != type:
        raise typer.BadParameter(f"{type}….csv or .xlsx", param_hint="--to")
    made = (csv_template if file.suffix == ".csv" else xlsx_template)(type, lang, repeat)
    file.write_bytes(made)
    say(f"模板 template: {file}")


def _folder(agency: str, connection: Path | None) -> Path:
    return AgencySettings.read(agency, read_connection(connection)).data_dir
