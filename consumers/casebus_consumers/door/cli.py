"""`casebus door`: the systems of an agency that use its door or are told by it."""

from pathlib import Path
from typing import Annotated

import typer

from casebus_producers.cli import AgencyOption, ConnectionOption
from casebus_producers.config import AgencySettings, read_connection
from casebus_producers.screen import say, say_json

from .clients import client_names, make_key_file, remove_client
from .webhooks import cli as webhooks_cli

app = typer.Typer(help="Systems of the agency that use its door or are told by it.", no_args_is_help=True)
app.add_typer(webhooks_cli.app, name="webhooks")
Name = Annotated[str, typer.Argument(help="how the system is called: small letters, digits, hyphens")]


@app.command("add-client")
def add(
    name: Name,
    key_file: Annotated[Path, typer.Option(help="where its key is written, mode 0600")],
    agency: AgencyOption,
    connection: ConnectionOption = None,
) -> None:
    """Make the key of a system: the door keeps its hash only, so this file is the one copy.

    A file whose key is in force stays as it is; any other key of that name ends.
    """
    make_key_file(_folder(agency, connection), name, key_file)
    say(f"{name} 的密钥 the key of {name}: {key_file}")


@app.command("remove-client")
def remove(name: Name, agency: AgencyOption, connection: ConnectionOption = None) -> None:
    """End the key of a system; a door that runs knows it within a second."""
    remove_client(_folder(agency, connection), name)
    say(f"{name} 的密钥已停用 the key of {name} has ended")


@app.command("clients")
def listed(
    agency: AgencyOption,
    connection: ConnectionOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON on standard output")] = False,
) -> None:
    """Who has a key."""
    names = client_names(_folder(agency, connection))
    if as_json:
        say_json(names)
        return
    for name in names:
        say(name)


def _folder(agency: str, connection: Path | None) -> Path:
    return AgencySettings.read(agency, read_connection(connection)).data_dir
