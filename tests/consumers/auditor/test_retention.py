"""Absent content is allowed by the entry in which its agency says that it purged it; else it is damage."""

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from casebus_consumers.auditor.verify import verify_ledger
from casebus_schemas.wire.records import Record
from casebus_schemas.wire.signing import SigningKey
from casebus_services.ledger.drop import drop_payload
from casebus_services.ledger.store import LedgerStore
from support.events.signed_events import Speaker, chain, envelope, seed_of, stored
from support.ledger.ledgers import batch, empty_sqlite


class Kept:
    """A ledger in which csrc has said two events of one matter, and one of another."""

    def __init__(self, folder: Path) -> None:
        self.store = LedgerStore(empty_sqlite(folder))
        self.csrc = Speaker("csrc")
        self.mps = Speaker("mps")
        self.add(self.csrc.announce())
        self.add(self.mps.announce())
        reference = {"issuer": "csrc", "scheme": "case"}
        events = [
            self.csrc.refer(number, local_refs=[{**reference, "value": f"demo-{at}"}])
            for at, number in enumerate((1, 1, 2))
        ]
        self.events = [self.add(event) for event in events]
        self.digests = [event.digest for event in events]

    def add(self, event: Any) -> Record:
        """Appends an event to its log."""
        record = stored(event)
        offsets = self.store.next_offsets_of_all()
        place = next(
            (at for at in offsets if (at.topic, at.partition) == (record.topic, record.partition)), None
        )
        placed = record._replace(offset=0 if place is None else offsets[place])
        self.store.append([batch([placed])])
        return placed

    def drop(self, number: int) -> None:
        """The content of one event is gone."""
        assert drop_payload(self.store.database, sha256(self.events[number].value or b"").digest())

    def says(self, type: str, by: Speaker, key: SigningKey | None = None, **data: Any) -> Record:
        """A retention event in the first matter."""
        return self.add(by.say(type, {"envelope": envelope(to=[]), **data}, chain(1), key=key))


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    """The ledger."""
    made = Kept(tmp_path)
    yield made
    made.store.close()


def test_purged_by_its_agency(kept: Kept) -> None:
    """The entry that names the event allows that its content is absent, and is named with its reason."""
    purge = kept.says("retention.purged", kept.csrc, events=[kept.digests[0]], reasons="term is over")
    kept.drop(0)
    report = verify_ledger(kept.store.database)
    assert report.damages == []
    (absent,) = report.dropped
    place = f"{purge.topic}/{purge.partition}/{purge.offset}"
    assert str(absent).endswith(f"allowed by entry {place}: term is over")
    kept.drop(1)
    assert verify_ledger(kept.store.database).damage_count == 1


def test_a_whole_matter_is_purged(kept: Kept) -> None:
    """Without digests all that the agency said in the matter may be absent, and nothing of another matter."""
    kept.says("retention.purged", kept.csrc, events=[])
    kept.drop(0)
    kept.drop(1)
    assert verify_ledger(kept.store.database).damages == []
    kept.drop(2)
    assert verify_ledger(kept.store.database).damage_count == 1


def test_nobody_purges_what_another_said(kept: Kept) -> None:
    """Neither another agency nor a key of nobody allows that content is absent."""
    kept.says("retention.purged", kept.mps, events=[kept.digests[0]])
    kept.says("retention.purged", kept.csrc, SigningKey(seed_of("nobody")), events=[kept.digests[0]])
    kept.drop(0)
    report = verify_ledger(kept.store.database)
    assert (report.damage_count, report.dropped) == (1, [])


def test_what_is_purged_and_there_is_no_fault(kept: Kept) -> None:
    """An agency purges its own copies; the ledger need not."""
    kept.says("retention.purged", kept.csrc, events=kept.digests[:1])
    report = verify_ledger(kept.store.database)
    assert (report.ok, report.dropped, report.kept) == (True, [], [])


def test_destroyed_data_keys_are_told(kept: Kept) -> None:
    """Each data key that an agency says it destroyed, with the entry, and how much was sealed under it."""
    name = "ab" * 16
    said = kept.says("retention.shredded", kept.csrc, keys=[name], reasons="case closed")
    (told,) = verify_ledger(kept.store.database).to_json()["shredded"]
    place = f"{said.topic}/{said.partition}/{said.offset}"
    assert told == {
        "entry": place,
        "agency": "csrc",
        "chain": chain(1),
        "data_key": name,
        "events": 0,
        "why": "case closed",
    }
