"""The chunk transport without a broker: seeks, epochs, acknowledgements."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from faust.transport.drivers import TRANSPORTS

from casebus_schemas.wire.records import Batch, Record, TopicPartition
from casebus_services.streams import transport
from casebus_services.streams.connection import Connection
from casebus_services.streams.worker import StreamWorker

A = TopicPartition("csrc.referral", 0)
B = TopicPartition("csrc.referral", 1)


class FakeThread:
    """Stands in for the thread that owns the Kafka consumer."""

    def __init__(self, committed: Mapping[TopicPartition, int]) -> None:
        self.epoch = 0
        self.sought: list[dict[TopicPartition, int]] = []
        self.committed_offsets = dict(committed)
        self.ready: list[tuple[Batch, int]] = []

    def assignment(self) -> set[TopicPartition]:
        """Both partitions."""
        return {A, B}

    async def call_thread(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Run here what would run in the thread."""
        if function is transport._committed:
            return self.committed_offsets
        return function(*arguments)

    def seek_all(self, offsets: Mapping[TopicPartition, int], epoch: int) -> None:
        """Remember the seek."""
        self.epoch = epoch
        self.sought.append(dict(offsets))

    async def getmany(self, active: object, timeout: float) -> list[tuple[Batch, int]]:
        """What lies ready."""
        runs, self.ready = self.ready, []
        return runs

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> bool:
        """Remember the commit."""
        self.committed_offsets.update(offsets)
        return True


def run(partition: TopicPartition, first: int, count: int) -> Batch:
    """A run of small records."""
    records = [Record(*partition, first + index, 0, 0, b"k", b"v", ()) for index in range(count)]
    return Batch(*partition, records, first + count)


def with_consumer(
    folder: Path,
    scene: Callable[[transport.Consumer, FakeThread], Awaitable[None]],
    committed: Mapping[TopicPartition, int],
) -> None:
    """Play a scene with a consumer of an app that is not started."""

    async def play() -> None:
        worker = StreamWorker("router", Connection("127.0.0.1:1", data_dir=folder), ["csrc.referral"], print)
        app = worker.build_app()
        app.topics.acking_topics.add("csrc.referral")
        consumer: Any = app.consumer
        thread = FakeThread(committed)
        consumer._thread = thread
        consumer._active_partitions = {A, B}
        consumer._get_active_partitions = lambda: {A, B}
        await scene(consumer, thread)

    asyncio.run(play())


async def fetched(consumer: transport.Consumer) -> list[transport.Chunk]:
    """The chunks of one fetch."""
    return [chunk async for _, chunk in consumer.getmany(0.1)]


def test_the_scheme_chunk_is_ours(tmp_path: Path) -> None:
    """A worker's app consumes through our transport, and Faust finds it by its URL."""

    async def scene(consumer: transport.Consumer, _thread: FakeThread) -> None:
        assert isinstance(consumer.app.transport, transport.Transport)
        assert consumer.app.conf.broker_consumer[0].scheme == "chunk"

    with_consumer(tmp_path, scene, {})
    assert TRANSPORTS.by_url("chunk://127.0.0.1:1") is transport.Transport


@pytest.mark.parametrize(
    ("next_offsets", "sought"),
    [
        (None, {A: 7, B: 0}),  # nobody knows better: Kafka's committed offsets, else the beginning
        ({A: 5, B: 9}, {A: 5, B: 9}),  # SQL stands elsewhere than Kafka: SQL is right
        ({B: 9}, {A: 0, B: 9}),  # SQL does not know a partition: from its beginning
    ],
)
def test_where_an_assignment_starts(
    tmp_path: Path, next_offsets: dict[TopicPartition, int] | None, sought: dict[TopicPartition, int]
) -> None:
    """Each assigned partition is read from the offset that the service's database wants next."""

    async def scene(consumer: transport.Consumer, thread: FakeThread) -> None:
        async def start_offsets(assigned: frozenset[TopicPartition]) -> Mapping[TopicPartition, int] | None:
            assert assigned == {A, B}
            return next_offsets

        consumer.start_offsets = start_offsets
        await consumer.perform_seek()
        assert thread.sought == [sought]

    with_consumer(tmp_path, scene, {A: 7})


def test_a_run_is_one_message(tmp_path: Path) -> None:
    """A fetch yields one message per run of a partition, whatever number of records it holds."""

    async def scene(consumer: transport.Consumer, thread: FakeThread) -> None:
        thread.ready = [(run(A, 0, 500), 0), (run(B, 3, 2), 0)]
        chunks = await fetched(consumer)
        assert [(chunk.tp, chunk.offset, chunk.next_offset) for chunk in chunks] == [(A, 0, 500), (B, 3, 5)]

    with_consumer(tmp_path, scene, {})


def test_commits_only_what_is_acknowledged_from_the_head(tmp_path: Path) -> None:
    """A commit covers acknowledged runs up to the first one in flight."""

    async def scene(consumer: transport.Consumer, thread: FakeThread) -> None:
        await consumer.perform_seek()
        thread.ready = [(run(A, 0, 10), 1), (run(A, 10, 10), 1), (run(B, 0, 4), 1)]
        first, second, other = await fetched(consumer)
        consumer.ack(second)
        consumer.ack(other)
        await consumer.commit()
        before = dict(thread.committed_offsets)
        consumer.ack(first)
        await consumer.commit()
        assert (before, thread.committed_offsets) == ({B: 4}, {A: 20, B: 4})

    with_consumer(tmp_path, scene, {})


def test_what_was_fetched_before_a_seek_is_dropped(tmp_path: Path) -> None:
    """A run from before the last seek is not delivered: it will be fetched again."""

    async def scene(consumer: transport.Consumer, thread: FakeThread) -> None:
        await consumer.perform_seek()
        thread.ready = [(run(A, 0, 10), 0)]
        assert await fetched(consumer) == []

    with_consumer(tmp_path, scene, {})


def test_an_acknowledgement_from_before_a_seek_commits_nothing(tmp_path: Path) -> None:
    """Work acknowledged after its partition was sought back does not move the committed offset."""

    async def scene(consumer: transport.Consumer, thread: FakeThread) -> None:
        await consumer.perform_seek()
        thread.ready = [(run(A, 100, 10), 1)]
        (late,) = await fetched(consumer)
        await consumer.perform_seek()
        thread.ready = [(run(A, 0, 10), 2)]
        (again,) = await fetched(consumer)
        consumer.ack(late)
        await consumer.commit()
        before = dict(thread.committed_offsets)
        consumer.ack(again)
        await consumer.commit()
        assert (before, thread.committed_offsets) == ({}, {A: 10})

    with_consumer(tmp_path, scene, {})


def test_nothing_is_delivered_while_the_flow_is_stopped(tmp_path: Path) -> None:
    """During a rebalance fetched runs are dropped; the seek that follows fetches them again."""

    async def scene(consumer: transport.Consumer, thread: FakeThread) -> None:
        thread.ready = [(run(A, 0, 10), 0), (run(A, 10, 10), 0)]
        delivered = []
        async for _, chunk in consumer.getmany(0.1):
            delivered.append(chunk.offset)
            consumer.stop_flow()
        assert delivered == [0]

    with_consumer(tmp_path, scene, {})


def test_a_dropped_run_is_waited_for_no_longer_and_not_committed(tmp_path: Path) -> None:
    """What is dropped at the end of a flow does not hold up the end, and is not committed."""

    async def scene(consumer: transport.Consumer, thread: FakeThread) -> None:
        await consumer.perform_seek()
        thread.ready = [(run(A, 0, 10), 1), (run(A, 10, 10), 1)]
        done, dropped = await fetched(consumer)
        consumer.track_message(done)
        consumer.track_message(dropped)
        consumer.ack(done)
        consumer.stop_flow()
        consumer.drop(dropped)
        await asyncio.wait_for(consumer.wait_empty(), 5)
        assert thread.committed_offsets == {A: 10}

    with_consumer(tmp_path, scene, {})
