"""An agency's own events are found by id, digest or message number, with their versions."""

from pathlib import Path
from typing import Any

from casebus_producers.connector import Connector
from casebus_producers.own_events import own_events, versions
from casebus_schemas.catalogue.catalog import Catalog
from support.cases.members import door_event, open_outbox

CATALOG = Catalog.load()


def test_c7_an_event_is_found_with_all_its_corrections(tmp_path: Path) -> None:
    """Message number, id, digest and their beginnings name the event; its versions stand in their order."""
    outbox = open_outbox(tmp_path)
    connector = Connector(outbox, CATALOG, lambda: b"x" * 32)
    first = connector.submit({**door_event(envelope={"message_no": "沪7"}), "id": None})
    corrected = correcting(first.digest.hex(), "fix-1")
    second = connector.submit(corrected)
    third = connector.submit(correcting(second.digest.hex(), "fix-2"))
    for named in ("沪7", str(first.id), str(first.id)[:8], first.digest.hex()[:12].upper()):
        assert [one.digest for one in own_events(outbox, named)] == [first.digest]
    assert own_events(outbox, "abc") == []
    [middle] = own_events(outbox, str(second.id))
    assert [one.digest for one in versions(outbox, middle, CATALOG)] == [
        first.digest,
        second.digest,
        third.digest,
    ]


def correcting(digest: str, number: str) -> dict[str, Any]:
    """A correction of an earlier event."""
    event = door_event(envelope={"corrects": digest, "message_no": number})
    event["data"]["reasons"] = "why"
    return {**event, "type": "referral.corrected", "id": None}
