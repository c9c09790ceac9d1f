"""At the agency's own door: its key ends soon."""

from base64 import b64encode
from datetime import UTC, datetime
from pathlib import Path

from casebus_producers.connector import Connector
from casebus_producers.keys.own_key import term_problem
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.times import to_moment
from support.cases.members import door_event, open_outbox, signing_key

ENDS = datetime(2026, 12, 20, tzinfo=UTC)
DAY_MS = 86_400_000


def test_e3_the_door_says_that_the_key_ends(tmp_path: Path) -> None:
    """Who announced a key with a term hears of its end at each publication, from six weeks before on."""
    catalog, key = Catalog.load(), signing_key()
    with_term = {
        "holder": "csrc",
        "key_id": key.key_id.hex(),
        "algorithm": "ed25519",
        "role": "event",
        "public_key": b64encode(key.public).decode(),
        "not_after": ENDS.isoformat(),
    }
    outbox = open_outbox(tmp_path)
    assert term_problem(outbox, catalog, key.key_id) is None
    said = door_event(type="key.announced", data=with_term, envelope={"to": [], "cc": []})
    Connector(outbox, catalog, lambda: b"s" * 32).submit(said)
    ends = to_moment(ENDS)
    assert term_problem(outbox, catalog, key.key_id, ends - 50 * DAY_MS) is None
    assert "ends at 2026-12-20" in (term_problem(outbox, catalog, key.key_id, ends - 30 * DAY_MS) or "")
    assert "has ended" in (term_problem(outbox, catalog, key.key_id, ends) or "")
    assert term_problem(outbox, catalog, signing_key(2).key_id, ends) is None
    outbox.close()
