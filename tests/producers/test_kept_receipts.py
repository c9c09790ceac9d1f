"""Receipts are kept and compared: a bus that says something else than it got, or than it said, is seen."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from casebus_producers.outbox.outbox import Outbox
from casebus_producers.received.kept_receipts import keep
from casebus_producers.received.receipts_check import LogCheck, Said
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.evidence.leaf import leaf, leaf_hash
from casebus_schemas.evidence.merkle import root_of
from casebus_schemas.texts.sentence import Sentence
from casebus_schemas.wire.codec import decode
from casebus_schemas.wire.records import Outgoing, Record, TopicPartition
from support.cases.members import open_outbox, ready
from support.events import receipts
from support.events.signed_events import AT, stored
from support.ledger.ledgers import TOPIC, record

CATALOG = Catalog.load()


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    """An outbox with one event."""
    outbox = open_outbox(tmp_path)
    outbox.enqueue([ready(1)])
    yield outbox
    outbox.close()


def sent(outbox: Outbox) -> Record:
    """The event as it stands in Kafka at offset 41."""
    ((_, record, _),) = outbox.pending(0, 1, 1 << 20)
    return stored(record, 41)


def kept(outbox: Outbox, receipt: Outgoing, seq: int = 7, **changes: Any) -> str:
    """What a receipt says otherwise, with changes of its data."""
    _, data = decode(CATALOG, receipt.value)
    with outbox.transaction() as connection:
        problem: Sentence | None = keep(connection, stored(receipt, seq), {**data, **changes})
    return "" if problem is None else problem.en


def test_a_true_receipt_says_nothing_otherwise(outbox: Outbox) -> None:
    """Digest and leaf are those of the bytes that were sent; reading it again changes nothing."""
    record = sent(outbox)
    assert kept(outbox, receipts.admitted(record, AT, "mps"), 6) == ""
    ledgered = receipts.ledgered(record, AT, 17)
    assert [kept(outbox, ledgered) for _ in range(2)] == ["", ""]
    with outbox.reading() as file:
        rows = file.execute("SELECT seq, stage, log, idx, value FROM receipt ORDER BY seq").fetchall()
    assert rows[1] == (7, "ledgered", f"csrc.referral/{record.partition}", 17, ledgered.value)


def test_b8_a_receipt_that_names_other_bytes_is_seen(outbox: Outbox) -> None:
    """A digest that is not that of the event sent under its id."""
    receipt = receipts.admitted(sent(outbox), AT)
    _, data = decode(CATALOG, receipt.value)
    assert "other bytes" in kept(outbox, receipt, event={**data["event"], "digest": bytes(32)})


@pytest.mark.parametrize(
    "changes", [{"leaf": b"\1" * 32}, {"origin": {"topic": "csrc.referral", "partition": 0, "offset": 9}}]
)
def test_b8_a_leaf_that_is_not_of_the_record_is_seen(outbox: Outbox, changes: dict[str, Any]) -> None:
    """The leaf is recomputed from the bytes sent, at the place that the receipt names."""
    assert "leaf" in kept(outbox, receipts.ledgered(sent(outbox), AT, 17), **changes)


def test_b8_two_roots_at_one_size_are_seen(outbox: Outbox) -> None:
    """A log has one root at a size, and an entry one leaf: the bus cannot say two without being seen."""
    receipt = receipts.ledgered(sent(outbox), AT, 17)
    assert kept(outbox, receipt) == ""
    assert "another root" in kept(outbox, receipt, 8, root=b"\1" * 32)


def test_b8_a_receipt_that_was_exchanged_is_seen(outbox: Outbox) -> None:
    """Under a number that was kept stands another receipt now."""
    record = sent(outbox)
    assert kept(outbox, receipts.ledgered(record, AT, 17)) == ""
    assert "another one was kept" in kept(outbox, receipts.ledgered(record, AT, 18))


def test_b8_kept_receipts_are_compared_with_the_log() -> None:
    """A record exchanged in Kafka, a root of another history and a lost tail show against what was kept."""
    records = [record(offset) for offset in range(4)]
    hashes = [leaf_hash(leaf(one)) for one in records]
    place = TopicPartition(TOPIC, 0)
    said = Said({0: {hashes[0]}, 2: {hashes[2]}}, {2: {root_of(hashes[:2])}, 4: {root_of(hashes)}})

    def found(history: list[Record]) -> list[str]:
        log = LogCheck(place, said)
        for one in history:
            log.take(one)
        return [problem.en for problem in log.finish()]

    other = records[1]._replace(value=b"other")
    assert found(records) == []
    assert [text[:12] for text in found([records[0], other, *records[2:]])] == [
        "at size 2 th",
        "at size 4 th",
    ]
    assert [text[:9] for text in found([other, *records[1:]])] == ["entry 0 i", "at size 2", "at size 4"]
    said.roots[3] = {root_of(hashes[:3]), bytes(32)}
    assert found(records) == ["at size 3 the log has another root"]
    del said.roots[3]
    assert found(records[:3]) == ["receipts speak of 4 entries, Kafka holds 3"]
