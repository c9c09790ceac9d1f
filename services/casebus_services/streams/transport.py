"""Faust transport `chunk://`: hands over whole fetched runs of one partition instead of single records.

On Faust's plugin point (`faust.transport.drivers.TRANSPORTS`), upon its aiokafka driver. Faust keeps its app,
agents, conductor, flow control, assignor, rebalance and commit timer; what is lost are per-record sensors,
codecs, models and tables. Why: Faust spends 70 microseconds on each message and loses what it acknowledged in
a `finally`; a message here is a run of many records, acknowledged only when its work is durable.

Pinned versions, because these private names are touched:
* faust: Consumer `_unacked_messages`, `_waiting_for_ack`, `_committed_offset`, `_new_offset`,
  `_filter_tps_with_pending_acks`, `_wait_next_records`, `_drain_messages`, `_new_consumer_thread`;
  AIOKafkaConsumerThread `_fetch_records`, `_ensure_consumer`
* aiokafka: AIOKafkaConsumer `_fetcher`, `_client`, `_subscription`, `_closed`; Fetcher `_records`, `_closed`,
  `_subscriptions`, `_notify`, `_wait_consume_future`, `_create_fetch_waiter`, `_fetch_min_bytes`,
  `_fetch_max_wait_ms`, `_fetch_max_bytes`; FetchResult `_partition_records`; PartitionRecords
  `_consumer_record`
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from typing import Any

from aiokafka.consumer.fetcher import FetchResult
from aiokafka.errors import ConsumerStoppedError, CorruptRecordException, KafkaError
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.structs import TopicPartition as AioTopicPartition
from faust.transport import drivers
from faust.transport.drivers import aiokafka as driver
from faust.types.tuples import ConsumerMessage
from mode.utils.futures import notify

from casebus_schemas.records import Batch, Record, TopicPartition
from casebus_services.streams.record_batches import read_run
from casebus_services.streams.runs import FetchPace, HeadOfLine

# Faust's types speak of single messages: subclassed as untyped, so that runs may stand in their place.
_FaustMessage: Any = ConsumerMessage
_FaustThread: Any = driver.AIOKafkaConsumerThread
_FaustConsumer: Any = driver.Consumer
_FaustTransport: Any = driver.Transport

FETCH_MAX_BYTES = 16 * 1024 * 1024
"""Most bytes of one fetch answer: bounds the memory of a worker with a backlog."""

StartOffsets = Callable[[frozenset[TopicPartition]], Awaitable[Mapping[TopicPartition, int] | None]]
"""Asked at each assignment; gives where to start each partition, None for Kafka's committed offsets."""


def register() -> None:
    """Make the URL scheme `chunk` known to Faust."""
    drivers.TRANSPORTS.aliases["chunk"] = f"{__name__}:Transport"


class Chunk(_FaustMessage):  # type: ignore[misc]  # see above
    """A run of records of one partition, travelling through Faust as one message."""

    __slots__ = ("batch", "epoch", "next_offset")

    def __init__(self, batch: Batch, epoch: int, generation_id: int) -> None:
        super().__init__(
            batch.topic,
            batch.partition,
            batch.records[0].offset,
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
        """Start the consumer with bounded memory, idle at first."""
        await super().on_start()
        fetcher = self._ensure_consumer()._fetcher
        fetcher._fetch_max_bytes = FETCH_MAX_BYTES
        self._pace = FetchPace()
        fetcher._fetch_min_bytes, fetcher._fetch_max_wait_ms = self._pace.answered(0, 0.0)

    async def _fetch_records(
        self,
        consumer: Any,
        active_partitions: set[TopicPartition],
        timeout: float | None = None,
        max_records: int | None = None,
    ) -> list[tuple[Batch, int]]:
        """Runs that lie ready, waiting up to `timeout` seconds for the first: (batch, epoch)."""
        fetcher = consumer._fetcher
        deadline = time.monotonic() + (timeout or 0)
        runs: list[tuple[Batch, int]] = []
        with fetcher._subscriptions.fetch_context():
            while self.consumer.flow_active and not fetcher._subscriptions.reassignment_in_progress:
                if consumer._closed or fetcher._closed:
                    raise ConsumerStoppedError
                room = max_records or 1000
                for tp in [tp for tp in fetcher._records if tp in active_partitions]:
                    batch = await self._take(consumer, tp, room)
                    if batch is not None:
                        runs.append((batch, self.epoch))
                        room -= len(batch.records)
                    if room <= 0:
                        break
                remaining = deadline - time.monotonic()
                if runs or remaining <= 0:
                    break
                waiter = fetcher._create_fetch_waiter()
                await asyncio.wait([waiter], timeout=remaining)
                if waiter.done():
                    waiter.result()  # raises what the coordinator has to say
                else:
                    waiter.cancel()
        fetcher._fetch_min_bytes, fetcher._fetch_max_wait_ms = self._pace.answered(
            len(runs), time.monotonic()
        )
        return runs

    async def _take(self, consumer: Any, tp: AioTopicPartition, most: int) -> Batch | None:
        fetcher = consumer._fetcher
        result = fetcher._records.get(tp)
        if result is None:  # taken away by a seek while another partition was read
            return None
        if not isinstance(result, FetchResult):
            del fetcher._records[tp]
            fetcher._notify(fetcher._wait_consume_future)
            result.check_raise()
            return None
        state = consumer._subscription.subscription.assignment.state_value(tp)
        start = state.position
        if result._partition_records is not None:
            result._partition_records._consumer_record = _record
        try:
            records = result.getall(most)
        except (UnicodeDecodeError, CorruptRecordException):
            # getall moved nothing: the position still is `start`, and a second reader decides.
            fetcher._records.pop(tp, None)
            return await self._take_tolerantly(consumer, tp, start, most)
        if not result.has_more():
            fetcher._records.pop(tp, None)
            fetcher._notify(fetcher._wait_consume_future)
        return Batch(tp.topic, tp.partition, records, state.position) if records else None

    async def _take_tolerantly(
        self, consumer: Any, tp: AioTopicPartition, start: int, most: int
    ) -> Batch | None:
        """Fetch and read this partition by ourselves from `start` on; None to be tried again."""
        epoch = self.epoch
        assignment = consumer._subscription.subscription.assignment
        size = consumer._fetcher._max_partition_fetch_bytes
        request = FetchRequest(500, 1, size, 0, [(tp.topic, [(tp.partition, start, size)])])
        node = consumer._client.cluster.leader_for_partition(tp)
        try:
            if node is None or node == -1:
                raise KafkaError("no leader")
            response = await consumer._client.send(node, request)
        except KafkaError as error:
            self.log.warning("second reading of %s at %s failed, will be repeated: %s", tp, start, error)
            await asyncio.sleep(0.1)
            return None
        (_, ((_, error_code, *_, data),)) = response.topics[0]
        state = assignment.state_value(tp) if assignment.active else None
        if error_code or self.epoch != epoch or state is None or state.position != start:
            return None
        records, next_offset = read_run(TopicPartition(*tp), bytes(data or b""), start, most)
        state.consumed_to(next_offset)
        consumer._fetcher._notify(consumer._fetcher._wait_consume_future)
        return Batch(tp.topic, tp.partition, records, next_offset) if records else None

    def seek_all(self, offsets: Mapping[TopicPartition, int], epoch: int) -> None:
        """Seek these partitions, as far as still assigned, and begin this epoch. In the thread."""
        self.epoch = epoch
        consumer = self._ensure_consumer()
        assigned = consumer.assignment()
        for partition, offset in offsets.items():
            if partition in assigned:
                consumer.seek(AioTopicPartition(*partition), offset)


def _record(tp: AioTopicPartition, record: Any) -> Record:
    # Takes the place of PartitionRecords._consumer_record: half the time of aiokafka's frozen ConsumerRecord.
    return Record(
        tp.topic,
        tp.partition,
        record.offset,
        record.timestamp,
        record.timestamp_type,
        record.key,
        record.value,
        tuple(record.headers),
    )


class Consumer(_FaustConsumer):  # type: ignore[misc]  # see above
    """Faust's consumer, in units of runs."""

    #: Set by the worker before the app starts.
    start_offsets: StartOffsets | None = None
    #: Told which partitions were taken away, after their work was finished and committed.
    revoked: Callable[[frozenset[TopicPartition]], Awaitable[None]] | None = None

    _thread: ConsumerThread

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.head_of_line = HeadOfLine()
        self.epoch = 0

    def _new_consumer_thread(self) -> ConsumerThread:
        return ConsumerThread(self, loop=self.loop, beacon=self.beacon)

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
        positions = {tp: wanted.get(tp, 0) for tp in assigned}
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
