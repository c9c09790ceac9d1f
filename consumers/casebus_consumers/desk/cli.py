"""`casebus desk`: the local officers of an agency's desk, their roles and passwords."""

import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from casebus_producers.cli import AgencyOption, ConnectionOption
from casebus_producers.config import AgencySettings, read_connection
from casebus_producers.screen import say, say_json
from casebus_schemas.catalogue.topology import OPERATOR

from .rights import ROLES
from .store import DeskStore, desk_file, operators_folder

if TYPE_CHECKING:
    from .officers import Officers

app = typer.Typer(help="Officers who sign in at the agency's desk.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="the name to sign in with: small letters, digits, dots, hyphens")]


@app.command("add-officer")
def add(
    name: Name,
    agency: AgencyOption,
    role: Annotated[str, typer.Option(help=", ".join(ROLES))],
    shown: Annotated[str, typer.Option(help="the name on receipts and answers")] = "",
    unit: Annotated[str, typer.Option(help="the officer's unit")] = "",
    password_file: Annotated[
        Path | None, typer.Option(help="holds the password; without it one is made and shown once")
    ] = None,
    connection: ConnectionOption = None,
) -> None:
    """Add an officer, or give one a new password, name and role; whoever is signed in is signed out."""
    password = secrets.token_urlsafe(12) if password_file is None else password_file.read_text().strip()
    officer = _officers(agency, connection).add(name, password, role, shown=shown, unit=unit)
    say(f"{officer.name}  {officer.shown}  {officer.role}")
    if password_file is None:
        say(f"密码 password: {password}")


@app.command("remove-officer")
def remove(name: Name, agency: AgencyOption, connection: ConnectionOption = None) -> None:
    """Remove an officer and end every session at once."""
    _officers(agency, connection).remove(name)
    say(f"{name} 已移除 is removed")


@app.command("officers")
def listed(
    agency: AgencyOption,
    connection: ConnectionOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON on standard output")] = False,
) -> None:
    """Who may sign in, with which role."""
    found = _officers(agency, connection).all()
    if as_json:
        say_json([{"name": o.name, "shown": o.shown, "unit": o.unit, "role": o.role} for o in found])
        return
    for officer in found:
        say(f"{officer.name}  {officer.shown}  {officer.role}  {officer.unit}".rstrip())


def _officers(agency: str, connection: Path | None) -> "Officers":
    from .officers import Officers  # argon2 comes with the extra `desk`, this command with every one

    if agency == OPERATOR and connection is not None:
        folder = operators_folder(connection.parent)
    else:
        folder = AgencySettings.read(agency, read_connection(connection)).data_dir
    return Officers(DeskStore(desk_file(folder)))
