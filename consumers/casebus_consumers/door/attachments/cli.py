"""`casebus door attachments`: documents that events name, which are missing, and adding one's own."""

from pathlib import Path
from typing import Annotated

import typer

from casebus_producers.cli import AgencyOption, ConnectionOption
from casebus_producers.config import AgencySettings, read_connection
from casebus_producers.screen import say, say_json
from casebus_schemas.errors import UsageError

from ..settings import DoorSettings
from .store import AttachmentStore, attachments_folder, chunks_of

app = typer.Typer(help="Documents that events name: they stay with their sender.", no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="JSON on standard output")]
_STATES = {"stored": "已存 stored", "missing": "缺失 missing", "infected": "有病毒 infected"}


@app.command()
def add(
    file: Annotated[Path, typer.Argument(help="the document")],
    agency: AgencyOption,
    media_type: Annotated[str, typer.Option(help="what it is")] = "application/octet-stream",
    connection: ConnectionOption = None,
) -> None:
    """Store a document of the agency's own; prints what an event's annex says of it."""
    if not file.is_file():
        raise UsageError(f"cannot read {file}", expected="a file")
    digest, size = _store(agency, connection).add(chunks_of(file))
    say_json({"sha256": digest, "size": size, "media_type": media_type})


@app.command("list")
def listed(
    agency: AgencyOption,
    connection: ConnectionOption = None,
    chain: Annotated[str | None, typer.Option(help="of one case")] = None,
    missing: Annotated[bool, typer.Option(help="only what is not here")] = False,
    as_json: Json = False,
) -> None:
    """The documents that own and heard events name, each with its state."""
    found = _store(agency, connection).listed(chain)
    found = [one for one in found if not missing or one["state"] != "stored"]
    if as_json:
        say_json(found)
        return
    for one in found:
        problem = f"  {one['problem']}" if one["problem"] else ""
        place = f"{one['sha256'][:16]}  {one['size']:>13,}  {one['from']:<6} {one['chain']}"
        say(f"{_STATES[one['state']]:<16} {place}{problem}")


@app.command()
def fetch(
    agency: AgencyOption,
    connection: ConnectionOption = None,
    sha256: Annotated[str | None, typer.Option(help="only this document")] = None,
) -> None:
    """Have the door fetch what is missing or was infected again, now."""
    count = _store(agency, connection).fetch_again(sha256)
    say(f"重新获取 fetched again: {count}")


def _store(agency: str, connection: Path | None) -> AttachmentStore:
    data_dir = AgencySettings.read(agency, read_connection(connection)).data_dir
    return AttachmentStore(DoorSettings.read(data_dir).attachments or attachments_folder(data_dir))
