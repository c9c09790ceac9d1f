"""An agency's statement of account is made from its own outbox, receipts and inbox."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from uuid import UUID

import pytest

from casebus_consumers.liaison.statement import (
    MOST_CHAINS,
    Span,
    counted,
    statement_events,
)
from casebus_producers.outbox.outbox import Outbox
from casebus_producers.received.kept_receipts import keep
from casebus_schemas.admission.notice_records import NoticeRecord
from casebus_schemas.admission.verdict import Origin
from casebus_schemas.case.statements import NOTHING, Held
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.errors import UsageError
from casebus_schemas.times import BEIJING
from casebus_schemas.wire.codec import decode
from casebus_schemas.wire.door import parse_event
from casebus_schemas.wire.headers import EventHeaders
from casebus_schemas.wire.records import Record
from support.cases.members import open_outbox, ready
from support.events import receipts
from support.events.signed_events import Speaker, chain, stored

CATALOG = Catalog.load()
NOW = datetime(2022, 9, 30, 12, tzinfo=UTC)
FUTURE_MS = 1 << 50


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    """An outbox with three events of one chain."""
    outbox = open_outbox(tmp_path)
    outbox.enqueue([ready(number, chain=1) for number in (1, 2, 3)])
    yield outbox
    outbox.close()


def _records(outbox: Outbox) -> list[Record]:
    return [stored(record, number) for number, (_, record, _) in enumerate(outbox.pending(0, 9, 1 << 20), 41)]


def _answered(outbox: Outbox, record: Record, at: datetime, seq: int, *, admitted: bool = True) -> None:
    receipt = (
        receipts.admitted(record, at, "mps")
        if admitted
        else receipts.refused(record, at, "not-authorised", "")
    )
    _, data = decode(CATALOG, receipt.value)
    with outbox.transaction() as connection:
        keep(connection, stored(receipt, seq), data)


def _notice(agency: str, number: int, at: datetime, digest: bytes | None = None) -> NoticeRecord:
    record = stored(Speaker(agency, producer=f"{agency}-1.{number}").refer(number).record)
    headers = EventHeaders.parse(record.headers)
    said = digest or sha256(f"{agency} {number}".encode()).digest()
    origin = Origin(record.topic, record.partition, record.offset)
    return NoticeRecord(number, UUID(int=number), "to", origin, at, record, headers, said)


def test_own_events_count_as_the_bus_answered_them(outbox: Outbox) -> None:
    """Admitted in time; admitted too late and refused not; unanswered once nothing is on its way any more."""
    one, two, three = _records(outbox)
    own = [queued.digest for queued in reversed(outbox.recent())]
    subject = outbox.recent()[0].chain
    _answered(outbox, one, NOW - timedelta(hours=2), 1)
    _answered(outbox, two, NOW + timedelta(minutes=1), 2)
    _answered(outbox, three, NOW - timedelta(hours=2), 3, admitted=False)
    found = counted(outbox, CATALOG, [], Span(NOW, FUTURE_MS))
    assert found == {subject: Held(1, 0, sha256(own[0]).digest())}


def test_what_the_bus_never_answered_is_stated_once_it_is_old(outbox: Outbox) -> None:
    """It is what nobody else can show: sent, and never seen."""
    ((_, held),) = counted(outbox, CATALOG, [], Span(NOW, FUTURE_MS)).items()
    assert (held.sent, held.received) == (3, 0)
    assert counted(outbox, CATALOG, [], Span(NOW, 0)) == {}


def test_the_inbox_counts_each_event_of_others_once(tmp_path: Path) -> None:
    """Admitted in time and not said by itself; delivered twice it counts once, a period counts its days."""
    outbox = open_outbox(tmp_path)
    early, late = NOW - timedelta(days=3), NOW + timedelta(seconds=1)
    notices = [
        _notice("mps", 1, early),
        _notice("mps", 1, early),
        _notice("mps", 2, late),
        _notice("csrc", 3, early),
        _notice("spp", 4, NOW - timedelta(hours=2)),
    ]
    found = counted(outbox, CATALOG, notices, Span(NOW, 0))
    assert {name: (held.sent, held.received) for name, held in found.items()} == {
        chain(1): (0, 1),
        chain(4): (0, 1),
    }
    assert list(counted(outbox, CATALOG, notices, Span(NOW, 0, date(2022, 9, 30)))) == [chain(4)]
    outbox.close()


def test_the_statement_is_an_event_that_the_bus_takes() -> None:
    """Told to nobody, in a chain of the agency's own; said again for the same time it is the same event."""
    span = Span(NOW.astimezone(BEIJING), 0)
    (event,) = statement_events("csrc", {chain(1): Held(1, 2, b"d" * 32)}, span, NOW)
    parse_event(event, CATALOG)
    envelope = event["data"]["envelope"]
    assert (envelope["to"], envelope["cc"]) == ([], [])
    assert event["data"]["chains"] == [
        {"chain": chain(1), "sent": 1, "received": 2, "digest": (b"d" * 32).hex()}
    ]
    (again,) = statement_events("csrc", {}, span, NOW + timedelta(hours=1))
    assert again["id"] == event["id"]
    assert again["data"]["chains"] == []


def test_a_long_statement_is_said_in_parts_and_a_longer_one_not() -> None:
    """Several events of one time; beyond what the bus compares it says what to do."""
    span = Span(NOW.astimezone(BEIJING), 0)
    chains = {str(UUID(int=number)): NOTHING for number in range(MOST_CHAINS + 1)}
    events = statement_events("csrc", chains, span, NOW)
    assert [len(event["data"]["chains"]) for event in events] == [MOST_CHAINS, 1]
    assert len({event["id"] for event in events}) == 2
    many = {str(UUID(int=number)): NOTHING for number in range(10 * MOST_CHAINS + 1)}
    with pytest.raises(UsageError, match="--since"):
        statement_events("csrc", many, span, NOW)
