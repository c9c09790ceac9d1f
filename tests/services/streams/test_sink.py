"""The producer of the services on a real broker."""

from collections.abc import Iterator
from typing import Any

import pytest

from casebus_deploy.embedded.broker import EmbeddedBroker
from casebus_deploy.embedded.ports import free_ports
from casebus_schemas.errors import RetryLater
from casebus_schemas.wire.records import Batch, Outgoing, Record
from casebus_services.streams.connection import Connection
from casebus_services.streams.side_reader import SideReader
from casebus_services.streams.sink import KafkaSink
from support.reconciler.row_service import connection, new_topics, numbered

pytestmark = pytest.mark.broker


@pytest.fixture
def topic(broker_admin: Any) -> str:
    """A topic of four partitions."""
    return new_topics(broker_admin, 1)[0]


@pytest.fixture
def sink(broker: EmbeddedBroker) -> Iterator[KafkaSink]:
    """A producer as the super user."""
    sink = KafkaSink(connection(broker), "test")
    yield sink
    sink.close()


def stored(broker: EmbeddedBroker, topic: str) -> list[Record]:
    """All records of a topic, by partition and offset."""
    batches: list[Batch] = []
    reader = SideReader(connection(broker), "test-reader", [topic], batches.append)
    reader.start()
    reader.stop()
    records = [record for batch in batches for record in batch.records]
    return sorted(records, key=lambda record: (record.partition, record.offset))


def test_every_byte_arrives_at_its_partition(broker: EmbeddedBroker, sink: KafkaSink, topic: str) -> None:
    """Keys, values and headers, null or empty or repeated or oddly named, arrive as they were given."""
    not_utf8 = b"\xff".decode("utf-8", "surrogateescape")
    odd = (("a", None), (not_utf8, b"1"), ("a", b""), ("名", b"2"), ("b\0c", b""))
    outgoing = [
        Outgoing(topic, 0, None, b"", ()),
        Outgoing(topic, 1, b"", None, (("a", b"1"), ("a", None), ("", b""))),
        Outgoing(topic, 2, b"k", b"v", odd),
        Outgoing(topic, 2, None, None, odd),
        Outgoing(topic, 3, b"k", bytes(range(256)) * 4000, (("big", b"x"),)),
        Outgoing(topic, 3, b"k", bytes(range(256)) * 4000, (("\udc80", b"x"),)),
    ]
    sink.send_all(outgoing)
    arrived = [Outgoing(r.topic, r.partition, r.key, r.value, r.headers) for r in stored(broker, topic)]
    assert arrived == outgoing


def test_all_are_stored_when_it_returns(broker: EmbeddedBroker, sink: KafkaSink, topic: str) -> None:
    """After send_all of many records each of them can be read, in order of its partition, once."""
    outgoing = numbered([topic], 0, 20_000)
    sink.send_all(outgoing)
    expected = sorted((record.partition, record.value) for record in outgoing)
    assert [(record.partition, record.value) for record in stored(broker, topic)] == expected


def test_outputs_may_travel_while_others_are_made(
    broker: EmbeddedBroker, sink: KafkaSink, topic: str
) -> None:
    """What was handed over in several steps is all stored after one flush."""
    for start in range(0, 100, 10):
        sink.produce(numbered([topic], start, 10))
    sink.flush()
    assert len(stored(broker, topic)) == 100


def test_a_refused_record_is_reported(broker: EmbeddedBroker, sink: KafkaSink, topic: str) -> None:
    """A record that the broker refuses raises RetryLater, and the sink works again afterwards."""
    with pytest.raises(RetryLater):
        sink.send_all([Outgoing(topic, 0, b"k", b"v" * 1_300_000, ())])
    with pytest.raises(RetryLater):
        sink.send_all([Outgoing(topic, 99, b"k", b"v", ())])
    sink.send_all([Outgoing(topic, 0, b"k", b"v", ())])
    assert [record.value for record in stored(broker, topic)] == [b"v"]


def test_an_absent_broker_is_reported_in_time() -> None:
    """With no broker RetryLater comes after the time given, and says where it was looked for."""
    (port,) = free_ports(1)
    sink = KafkaSink(Connection(f"127.0.0.1:{port}"), "test", timeout_s=1.0)
    with pytest.raises(RetryLater, match=f"127.0.0.1:{port}"):
        sink.send_all([Outgoing("nowhere", 0, b"k", b"v", ())])
    with pytest.raises(RetryLater):
        sink.send_all([Outgoing("nowhere", 0, b"k", b"v", (("\udcff", b""),))])
