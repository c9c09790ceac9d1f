"""The documents that events of a case name, on the machine of the agency that looks."""

from pathlib import Path
from typing import Any

from casebus_consumers.case_documents import Document, documents_of
from casebus_consumers.case_reader import CaseReader
from casebus_consumers.door.attachments.store import AttachmentStore, attachments_folder
from casebus_consumers.door.settings import DoorSettings
from casebus_producers.config import AgencySettings, read_connection


def documents_here(
    reader: CaseReader, chain: str, case: dict[str, Any], connection: Path | None, agency: str | None
) -> list[Document]:
    """Of the events that a case shows, put into it as `attachments` where there are any.

    Whether a file is here is known where the agency's door keeps its documents.
    """
    try:
        events = reader.events(chain)
    except Exception:  # noqa: BLE001 - of a case that cannot be computed what was computed last is shown
        return []
    shown = {line["event"] for line in case["events"]}
    named = [one for one in events if one.digest.hex() in shown and one.data.get("annexes")]
    if not named:
        return []
    store = _store(connection, agency)
    found = documents_of(named, None if store is None else store.listed(chain))
    case["attachments"] = [one.to_json() for one in found]
    return found


def _store(connection: Path | None, agency: str | None) -> AttachmentStore | None:
    known = None if agency is None else read_connection(connection)
    if agency is None or known is None or agency not in known.principals:
        return None
    if known.principals[agency].data_dir is None:
        return None
    data_dir = AgencySettings.read(agency, known).data_dir
    folder = DoorSettings.read(data_dir).attachments or attachments_folder(data_dir)
    return AttachmentStore(folder) if folder.is_dir() else None
