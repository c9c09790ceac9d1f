"""Faust transport `chunk://`: hands over whole fetched runs of one partition instead of single records.

On Faust's plugin point (`faust.transport.drivers.TRANSPORTS`), upon its aiokafka driver. Faust keeps its app,
agents, conductor, flow control, assignor, rebalance and commit timer; what is lost are per-record sensors,
codecs, models and tables. Why: Faust spends 70 microseconds on each message and loses what it acknowledged in
a `finally`; a message here is a run of many records, acknowledged only when its work is durable.

Pinned versions, because these private names are touched:
* faust: Consumer `_unacked_messages`, `_waiting_for_ack`, `_committed_offset`, `_new_offset`,
  `_filter_tps_with_pending_acks`, `_wait_next_records`, `_drain_messages`, `_new_consumer_thread`;
  AIOKafkaConsumerThread `_fetch_records`, `_ensure_consumer`.
* aiokafka: AIOKafkaConsumer `_coordinator`, and those that `fetched_runs` names.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from typing import Any

from aiokafka.errors import ConsumerStoppedError
from aiokafka.structs import TopicPartition as AioTopicPartition
from faust.transport import drivers
from faust.transport.drivers import aiokafka as driver
from faust.types.tuples import ConsumerMessage
from mode.services import Service
from mode.utils.futures import notify

from casebus_schemas.errors import RetryLater
from casebus_schemas.wire.records import Batch, TopicPartition

from .fetched_runs import FetchedRuns
from .runs import FairShare, FetchPace, HeadOfLine

# Faust's types speak of single messages: subclassed as untyped, so that runs may stand in their place.
_FaustMessage: Any = ConsumerMessage
_FaustThread: Any = driver.AIOKafkaConsumerThread
_FaustConsumer: Any = driver.Consumer
_FaustTransport: Any = driver.Transport

StartOffsets = Callable[[frozenset[TopicPartition]], Awaitable[Mapping[TopicPartition, int] | None]]
"""Asked at each assignment; gives where to start each partition, None for Kafka's committed offsets."""


def register() -> None:
    """Make the URL scheme `chunk` known to Faust."""
    drivers.TRANSPORTS.aliases["chunk"] = f"{__name__}:Transport"


class Chunk(_FaustMessage):  # type: ignore[misc]  # see above
    """A run of records of one partition, travelling through Faust as one message."""

    __slots__ = ("batch", "epoch", "next_offset")

    @property
    def size(self) -> int:
        """Its records."""
        return len(self.batch.records)

    def __init__(self, batch: Batch, epoch: int, generation_id: int) -> None:
        super().__init__(
            batch.topic,
            batch.partition,
            batch.records[0].offset if batch.records else batch.next_offset,
            0.0,
            0,
            None,
            None,
            b"",
            None,
            generation_id=generation_id,
        )
        self.batch = batch
        self.next_offset = batch.next_offset
        self.epoch = epoch


class ConsumerThread(_FaustThread):  # type: ignore[misc]  # see above
    """Fetches runs, in the thread that owns the Kafka consumer."""

    #: Number of the last seek, stamped on each run: what was fetched before a seek is void after it.
    epoch = 0

    async def on_start(self) -> None:
        """Start the consumer.

        Raises RetryLater if a wanted topic is not there: Faust would read the others and say nothing.
        """
        await super().on_start()
        consumer = self._ensure_consumer()
        if missing := self.consumer.wanted_topics - await consumer.topics():
            raise RetryLater(
                "topics are missing, or this principal may not see them",
                found=", ".join(sorted(missing)),
                remedy="run `casebus topics apply`",
            )
        self._runs = FetchedRuns(consumer, self.consumer.pace)

    @Service.task
    async def _watch_coordinator(self) -> None:
        # Before the first assignment nobody fetches, and a refused group would only be an endless silence.
        while not self.should_stop:
            await self.sleep(1.0)
            self._ensure_consumer()._coordinator.check_errors()

    async def _fetch_records(
        self,
        consumer: Any,
        active_partitions: set[TopicPartition],
        timeout: float | None = None,
        max_records: int | None = None,
    ) -> list[tuple[Batch, int]]:
        """Runs that lie ready, each with the epoch in which it was fetched."""
        epoch = self.epoch
        batches = await self._runs.take(
            active_partitions,
            timeout or 0.0,
            max_records or 1000,
            lambda: self.consumer.flow_active and self.epoch == epoch,
            self.consumer.share,
        )
        if epoch != self.epoch:
            return []
        return [(batch, epoch) for batch in batches]

    def end_of(self, place: TopicPartition) -> int | None:
        """The end that the last fetch of an assigned partition told. From any thread."""
        subscription = self._consumer and self._consumer._subscription.subscription
        assignment = subscription and subscription.assignment
        at = AioTopicPartition(*place)
        if not assignment or at not in assignment.tps:
            return None
        end: int | None = assignment.state_value(at).highwater
        return end

    def seek_all(self, offsets: Mapping[TopicPartition, int], epoch: int) -> None:
        """Seek these partitions, as far as still assigned, and begin this epoch. In the thread."""
        self.epoch = epoch
        consumer = self._ensure_consumer()
        assigned = consumer.assignment()
        for partition, offset in offsets.items():
            if partition in assigned:
                consumer.seek(AioTopicPartition(*partition), offset)


class Consumer(_FaustConsumer):  # type: ignore[misc]  # see above
    """Faust's consumer, in units of runs."""

    # All set by the worker before the app starts.
    wanted_topics: frozenset[str] = frozenset()
    start_offsets: StartOffsets | None = None
    #: Told which partitions were taken away, after their work was finished and committed.
    revoked: Callable[[frozenset[TopicPartition]], Awaitable[None]] | None = None

    _thread: ConsumerThread

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.head_of_line = HeadOfLine()
        self.share = FairShare(None, self.head_of_line.in_flight)
        self.pace = FetchPace()
        self.epoch = 0
        #: Where the reading of each assigned partition began.
        self.begun: Mapping[TopicPartition, int] = {}

    def _new_consumer_thread(self) -> ConsumerThread:
        return ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    def end_of(self, place: TopicPartition) -> int | None:
        """Where a partition ended at the last fetch; None before the first, or where it is not assigned."""
        return self._thread.end_of(place)

    def is_current(self, chunk: Chunk) -> bool:
        """Whether no seek has happened since this chunk was fetched."""
        return chunk.epoch == self.epoch

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TopicPartition, Chunk]]:
        """One message per fetched run. What a seek made void is dropped: it will be fetched again."""
        runs, _ = await self._wait_next_records(timeout)
        for batch, epoch in runs or ():
            # Flow is stopped only by a rebalance, which seeks before it resumes, and by the end.
            if not self.flow_active or epoch != self.epoch or self.should_stop:
                return
            chunk = Chunk(batch, epoch, self.app.consumer_generation_id)
            self.head_of_line.issue(chunk.tp, chunk)
            yield chunk.tp, chunk

    async def _drain_messages(self, fetcher: Any) -> None:
        # Without Faust's read offsets and gaps: epochs say what is void.
        try:
            while not (self.should_stop or fetcher.should_stop):
                async for _, chunk in self.getmany(timeout=1.0):
                    await self.wait_first(self.callback(chunk), self.suspend_flow.wait())
        except (ConsumerStoppedError, asyncio.CancelledError):
            if not self.app.should_stop:
                raise

    def ack(self, message: Chunk) -> bool:
        """The work of this chunk is durable. In the event loop's thread."""
        if message.acked:
            return False
        message.acked = True
        self._unacked_messages.discard(message)
        if self.is_current(message):
            self.head_of_line.settle(message.tp)
        notify(self._waiting_for_ack)
        return True

    def drop(self, chunk: Chunk) -> None:
        """Let go of a chunk undone. Only while the flow is stopped: a seek comes before it goes on."""
        self._unacked_messages.discard(chunk)
        notify(self._waiting_for_ack)

    def _filter_tps_with_pending_acks(self, topics: Any = None) -> Iterable[TopicPartition]:
        partitions = self.head_of_line.partitions()
        return [tp for tp in partitions if topics is None or tp in topics or tp.topic in topics]

    def _new_offset(self, tp: TopicPartition) -> int | None:
        return self.head_of_line.committable(tp)

    async def perform_seek(self) -> None:
        """Start each assigned partition where `start_offsets` says, or where Kafka's group stands."""
        assigned = frozenset(TopicPartition(*tp) for tp in self.assignment())
        wanted = await self.start_offsets(assigned) if self.start_offsets is not None else None
        committed: dict[TopicPartition, int | None] = {}
        if wanted is None:
            kafka = await self._thread.call_thread(_committed, self._thread, assigned)
            wanted = {tp: kafka.get(tp) or 0 for tp in assigned}
            committed.update(wanted)
        # From here on runs of older epochs are dropped; none of the new one exists before the thread seeks.
        self.epoch += 1
        self.head_of_line.restart((tp, None) for tp in assigned)
        self._committed_offset.update({tp: committed.get(tp) for tp in assigned})
        positions = self.begun = {tp: wanted.get(tp, 0) for tp in assigned}
        await self._thread.call_thread(self._thread.seek_all, positions, self.epoch)

    async def on_partitions_revoked(self, revoked: Iterable[Any]) -> None:
        """Commit, wait for work in flight, commit again; only then let the partitions go."""
        gone = frozenset(TopicPartition(*tp) for tp in revoked)
        if not self.app.should_stop:
            await self.commit()
        await super().on_partitions_revoked(revoked)
        if self.revoked is not None:
            await self.revoked(gone)
        self.head_of_line.forget(gone)

    async def verify_all_partitions_active(self) -> None:
        """Faust's livelock detector works per record and would only cost time here."""


async def _committed(
    thread: ConsumerThread, partitions: Iterable[TopicPartition]
) -> dict[TopicPartition, int]:
    consumer = thread._ensure_consumer()
    commits = await asyncio.gather(*(consumer.committed(AioTopicPartition(*tp)) for tp in partitions))
    return {tp: offset for tp, offset in zip(partitions, commits, strict=True) if offset is not None}


class Transport(_FaustTransport):  # type: ignore[misc]  # see above
    """The transport of URL scheme `chunk`."""

    Consumer = Consumer
