"""Ledgered receipts: what they say, in which order, and that trouble only delays them."""

import threading
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from hashlib import sha256
from uuid import UUID

import pytest

from casebus_schemas.admission.receipts import ReceiptWriter
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.errors import RetryLater
from casebus_schemas.evidence.leaf import leaf, leaf_hash
from casebus_schemas.evidence.merkle import root_of
from casebus_schemas.wire.codec import decode
from casebus_schemas.wire.compose import compose
from casebus_schemas.wire.records import Outgoing, Record, TopicPartition
from casebus_schemas.wire.signing import SigningKey
from casebus_schemas.wire.stream_head import StreamHead
from casebus_services.ledger.receipt_rows import ReceiptRows
from casebus_services.ledger.receipts import PAGE, SOURCE, ReceiptPublisher, new_producer
from casebus_services.ledger.store import LedgerStore
from support.events.signed_events import seed_of
from support.ledger.ledgers import TOPIC, batch, record, run

PLACE = TopicPartition(TOPIC, 0)
CHAIN = "7c0f2b52-93b1-8f0e-9c51-3a1f0e5d2c44"


class MemorySink:
    """Keeps what it is sent; `trouble` errors come first."""

    def __init__(self, trouble: int = 0) -> None:
        self.sent: list[Outgoing] = []
        self.trouble = trouble
        self.changed = threading.Condition()

    def send_all(self, outgoing: Iterable[Outgoing]) -> None:
        """Keep all, or fail."""
        with self.changed:
            if self.trouble:
                self.trouble -= 1
                raise RetryLater("asked for")
            self.sent.extend(outgoing)
            self.changed.notify()

    def wait(self, count: int) -> list[Outgoing]:
        """What was sent once it is at least `count`."""
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.sent) >= count, 30), len(self.sent)
            return list(self.sent)

    def close(self) -> None:
        """Nothing to drop."""


Make = Callable[[MemorySink], ReceiptPublisher]


@pytest.fixture
def make(store: LedgerStore) -> Iterator[Make]:
    """Makes a running publisher over the store."""
    made: list[ReceiptPublisher] = []

    def publisher(sink: MemorySink) -> ReceiptPublisher:
        key = SigningKey(seed_of("router"))
        rows = ReceiptRows(store.database)
        writer = ReceiptWriter(Catalog.load(), SOURCE, key, new_producer("1"))
        made.append(ReceiptPublisher(rows, sink, writer, [TOPIC]))
        made[-1].start()
        return made[-1]

    yield publisher
    for one in made:
        one.stop()


def event(offset: int) -> tuple[Record, bytes]:
    """A composed event as it stands in Kafka, and its digest."""
    composed = compose(
        value=b"\0\0\0\0\1body",
        fingerprint=bytes(32),
        id=UUID("0190163d-8694-739b-aea5-966c26f8ad91"),
        type="referral.submitted",
        source="/csrc/shanghai-office",
        time_ms=1_476_720_000_000,
        subject=CHAIN,
        topic=TOPIC,
        partitions=1,
        producer="csrc-1.1",
        head=StreamHead(),
        key=SigningKey(sha256(b"casebus test key 1").digest()),
    )
    out = composed.record
    return Record(TOPIC, 0, offset, 1, 1, out.key, out.value, out.headers), composed.digest


def test_receipt_of_an_event(store: LedgerStore, make: Make) -> None:
    """A receipt names the event, its digest, its place in Kafka and its entry; it goes to its agency."""
    ledgered, digest = event(1)
    store.append([batch([record(0), ledgered])])
    sink = MemorySink()
    make(sink).own([PLACE])
    sent = sink.wait(2)[1]
    assert (sent.topic, sent.partition, sent.key) == ("receipt.csrc", 0, CHAIN.encode())
    schema, data = decode(Catalog.load(), sent.value)
    assert schema.type == "receipt.ledgered" == dict(sent.headers)["ce_type"].decode()  # type: ignore[union-attr]
    del data["at"]
    hashed = leaf_hash(leaf(ledgered))
    assert data == {
        "stage": "ledgered",
        "event": {
            "id": "0190163d-8694-739b-aea5-966c26f8ad91",
            "type": "referral.submitted",
            "chain": CHAIN,
            "digest": digest,
        },
        "origin": {"topic": TOPIC, "partition": 0, "offset": 1},
        "log": "csrc.referral/0",
        "index": 1,
        "appended_at": datetime(1970, 1, 1, 0, 0, 0, 1000, UTC),
        "leaf": hashed,
        "size": 2,
        "root": root_of([leaf_hash(leaf(record(0))), hashed]),
    }


def test_a_receipt_belongs_to_the_trace_of_its_event(store: LedgerStore, make: Make) -> None:
    """The trace context of a ledgered event stands on its receipt; another record's has none."""
    context = b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    ledgered, _ = event(0)
    traced = ledgered._replace(headers=(*ledgered.headers, ("traceparent", context)))
    store.append([batch([traced, record(1)])])
    sink = MemorySink()
    make(sink).own([PLACE])
    assert [dict(one.headers).get("traceparent") for one in sink.wait(2)] == [context, None]


def test_receipt_of_a_malformed_record(store: LedgerStore, make: Make) -> None:
    """A record whose headers are no event's still gets its receipt, with what can be read and no digest."""
    odd = record(1)._replace(value=None, key=None, headers=(("ce_type", b"\xff"), ("ce_id", b"x" * 9999)))
    store.append([batch([record(0), odd])])
    sink = MemorySink()
    make(sink).own([PLACE])
    _, data = decode(Catalog.load(), sink.wait(2)[1].value)
    assert data["event"] == {"id": None, "type": None, "chain": None, "digest": None}
    assert data["origin"]["offset"] == 1


def test_every_entry_once_in_order(store: LedgerStore, make: Make) -> None:
    """Receipts come for each entry once, in the order of the log, across pages, restarts and trouble."""
    store.append([run(0, PAGE + 10)])
    sink = MemorySink(trouble=1)
    publisher = make(sink)
    publisher.own([PLACE])
    sink.wait(PAGE + 10)
    store.append([run(PAGE + 10, PAGE + 15)])
    publisher.announce([PLACE])
    sink.wait(PAGE + 15)
    publisher.stop()
    again = MemorySink()
    store.append([run(PAGE + 15, PAGE + 16)])
    make(again).own([PLACE])
    again.wait(1)
    sent = [*sink.sent, *again.sent]
    catalog = Catalog.load()
    assert [decode(catalog, item.value)[1]["index"] for item in sent] == list(range(PAGE + 16))
    assert len({dict(item.headers)["ce_id"] for item in sent}) == PAGE + 16


def test_only_own_channels(store: LedgerStore, make: Make) -> None:
    """The bus's own records and partitions of another worker get no receipt from here."""
    store.append([run(0, 3, topic="bus.admission"), run(0, 3, partition=1), run(0, 3)])
    sink = MemorySink()
    publisher = make(sink)
    publisher.own([PLACE, TopicPartition("bus.admission", 0)])
    publisher.announce([TopicPartition(TOPIC, 1)])
    sink.wait(3)
    publisher.stop()
    assert {decode(Catalog.load(), item.value)[1]["log"] for item in sink.sent} == {"csrc.referral/0"}
    assert len(sink.sent) == 3


def test_broken_thread_is_noticed(store: LedgerStore, make: Make) -> None:
    """What ends the receipts' thread stops the service instead of leaving agencies without receipts."""
    store.append([run(0, 3)])

    class Broken(MemorySink):
        def send_all(self, outgoing: Iterable[Outgoing]) -> None:
            raise ZeroDivisionError

    publisher = make(Broken())
    publisher.check()
    publisher.own([PLACE])
    publisher._thread.join(30)
    with pytest.raises(RetryLater, match="ZeroDivisionError"):
        publisher.check()
