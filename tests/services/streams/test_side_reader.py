"""Whole topics read beside a service's main flow, on a real broker."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from casebus_deploy.embedded.broker import EmbeddedBroker
from casebus_deploy.embedded.ports import free_ports
from casebus_schemas.errors import RetryLater
from casebus_schemas.wire.records import Batch
from casebus_services.streams.connection import Connection
from casebus_services.streams.side_reader import SideReader
from casebus_services.streams.sink import KafkaSink
from support.reconciler.row_service import connection, new_topics, numbered

pytestmark = pytest.mark.broker


class Seen:
    """Collects what a reader delivers."""

    def __init__(self) -> None:
        self.batches: list[Batch] = []

    def values(self) -> list[int]:
        """The numbers of all records, sorted."""
        return sorted(int(record.value or b"-1") for batch in self.batches for record in batch.records)


@pytest.fixture
def topics(broker_admin: Any) -> list[str]:
    """Two topics of four partitions."""
    return new_topics(broker_admin, 2)


@pytest.fixture
def sink(broker: EmbeddedBroker) -> Iterator[KafkaSink]:
    """A producer as the super user."""
    sink = KafkaSink(connection(broker), "test")
    yield sink
    sink.close()


@pytest.fixture
def reader_of(broker: EmbeddedBroker, topics: list[str]) -> Iterator[Callable[..., SideReader]]:
    """Makes readers and stops them."""
    readers: list[SideReader] = []

    def make(on_batch: Callable[[Batch], None]) -> SideReader:
        readers.append(SideReader(connection(broker), "test-side", topics, on_batch))
        return readers[-1]

    yield make
    for reader in readers:
        reader.stop()


def test_all_that_was_there_and_all_that_comes(
    sink: KafkaSink, topics: list[str], reader_of: Callable[..., SideReader]
) -> None:
    """After start, and after catch_up, everything written before the call was delivered."""
    seen = Seen()
    sink.send_all(numbered(topics, 0, 3000))
    reader = reader_of(seen.batches.append)
    reader.start()
    at_start = seen.values()
    for start in range(3000, 3100, 10):
        sink.send_all(numbered(topics, start, 10))
        reader.catch_up()
        assert len(seen.values()) == start + 10
    assert (at_start, seen.values()) == (list(range(3000)), list(range(3100)))


def test_records_of_a_partition_come_in_order(
    sink: KafkaSink, topics: list[str], reader_of: Callable[..., SideReader]
) -> None:
    """Batches of one partition continue each other from offset 0."""
    seen = Seen()
    sink.send_all(numbered(topics, 0, 3000))
    reader_of(seen.batches.append).start()
    for topic in topics:
        for partition in range(4):
            runs = [batch for batch in seen.batches if (batch.topic, batch.partition) == (topic, partition)]
            offsets = [record.offset for batch in runs for record in batch.records]
            assert offsets == list(range(375))


def test_catching_up_costs_little(
    sink: KafkaSink, topics: list[str], reader_of: Callable[..., SideReader]
) -> None:
    """Where nothing new is there, catch_up returns soon even while a fetch waits for records."""
    reader = reader_of(lambda batch: None)
    reader.start()
    time.sleep(0.3)  # the fetch now waits at the broker, up to seconds
    begin = time.monotonic()
    for _ in range(10):
        reader.catch_up()
    assert time.monotonic() - begin < 2.0


def test_an_error_of_the_callback_is_not_lost(
    sink: KafkaSink, topics: list[str], reader_of: Callable[..., SideReader]
) -> None:
    """If the callback raises, whoever asks to catch up is told, then and later."""

    def refuse(batch: Batch) -> None:
        raise ValueError("cannot be")

    sink.send_all(numbered(topics, 0, 1))
    reader = reader_of(refuse)
    with pytest.raises(RetryLater, match="cannot be"):
        reader.start()
    with pytest.raises(RetryLater, match="cannot be"):
        reader.catch_up()


def test_no_broker_no_topic(broker: EmbeddedBroker) -> None:
    """An unreachable broker and a topic that does not exist are reported as RetryLater, in time."""
    (port,) = free_ports(1)
    with pytest.raises(RetryLater):
        SideReader(Connection(f"127.0.0.1:{port}"), "test-side", ["t"], print).start(5.0)
    with pytest.raises(RetryLater):
        SideReader(connection(broker), "test-side", ["no-such-topic"], print).start(5.0)


@pytest.mark.faults
def test_a_broker_that_comes_back_is_read_on(
    broker: EmbeddedBroker, sink: KafkaSink, topics: list[str], reader_of: Callable[..., SideReader]
) -> None:
    """While the broker is away catch_up fails in time; afterwards the reader goes on where it was."""
    seen = Seen()
    sink.send_all(numbered(topics, 0, 100))
    reader = reader_of(seen.batches.append)
    reader.start()
    broker.kill()
    with pytest.raises(RetryLater):
        reader.catch_up(2.0)
    broker.start()
    sink.send_all(numbered(topics, 100, 100))
    reader.catch_up(60.0)
    assert seen.values() == list(range(200))
