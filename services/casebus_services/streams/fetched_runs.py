"""Fetched runs of an aiokafka consumer: what lies ready of each partition, as one Batch.

Instead of AIOKafkaConsumer.getmany because that loses what it had taken from other partitions when one of
them holds a record it cannot parse, never gets past that record, and makes two objects of each record.

Private names of aiokafka 0.14 touched here: AIOKafkaConsumer `_fetcher`, `_client`, `_subscription`,
`_closed`; Fetcher `_records`, `_closed`, `_subscriptions`, `_notify`, `_wait_consume_future`,
`_create_fetch_waiter`, `_fetch_min_bytes`, `_fetch_max_wait_ms`, `_fetch_max_bytes`,
`_max_partition_fetch_bytes`, `_isolation_level`; FetchResult `_partition_records`; PartitionRecords
`_consumer_record`.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Collection
from typing import Any

from aiokafka.consumer.fetcher import READ_COMMITTED, FetchResult
from aiokafka.errors import ConsumerStoppedError, CorruptRecordException, KafkaError
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.structs import TopicPartition as AioTopicPartition

from casebus_schemas.wire.records import Batch, Record, TopicPartition

from .record_batches import read_run
from .runs import FairShare, FetchPace

log = logging.getLogger(__name__)

FETCH_MAX_BYTES = 16 * 1024 * 1024
"""Most bytes of one fetch answer: bounds the memory of a worker with a backlog."""

HELD_S = 0.005
"""How often to look whether a speaker whose records wait has room again."""


class FetchedRuns:
    """Takes runs from a started consumer; in the event loop that owns it."""

    def __init__(self, consumer: Any, pace: FetchPace) -> None:
        self._consumer = consumer
        self._fetcher = consumer._fetcher
        self._fetcher._fetch_max_bytes = FETCH_MAX_BYTES
        # What was aborted was never said, whoever reads; Faust asks for this only of transactions of its own.
        self._fetcher._isolation_level = READ_COMMITTED
        self._pace = pace
        self._turn = 0
        self._set_pace(0)

    async def take(
        self,
        partitions: Collection[Any] | None,
        timeout_s: float,
        most: int,
        go_on: Callable[[], bool] = lambda: True,
        share: FairShare | None = None,
    ) -> list[Batch]:
        """Runs of these partitions (None: of all) that lie ready, waiting up to `timeout_s` for the first.

        About `most` records in all, partitions in turns, and of each speaker no more than its `share`. Takes
        no more as soon as `go_on` says no or a rebalance begins: a run taken after a seek would pass for one
        from before it.
        Raises what the fetcher or the coordinator has to report (KafkaError), ConsumerStoppedError if closed.
        """
        fetcher = self._fetcher
        deadline = time.monotonic() + timeout_s
        batches: list[Batch] = []
        if share is not None:
            share.begin()
        with fetcher._subscriptions.fetch_context():
            while go_on() and not fetcher._subscriptions.reassignment_in_progress:
                if self._consumer._closed or fetcher._closed:
                    raise ConsumerStoppedError
                room, held = most, False
                for tp in self._in_turns(partitions):
                    if not go_on():
                        break
                    most_of_it = None if share is None else share.room(tp.topic)
                    if most_of_it == 0:
                        held = True
                        continue
                    batch = await self._take_one(tp, min(room, most_of_it or room), go_on)
                    if batch is not None:
                        batches.append(batch)
                        room -= len(batch.records)
                        if share is not None:
                            share.took(tp.topic, len(batch.records))
                    if room <= 0:
                        break
                remaining = deadline - time.monotonic()
                if batches or remaining <= 0:
                    break
                waiter = fetcher._create_fetch_waiter()
                # Where records are held back, acknowledgements make room and wake nobody here.
                await asyncio.wait([waiter], timeout=min(remaining, HELD_S) if held else remaining)
                if waiter.done():
                    waiter.result()  # raises what the coordinator has to say
                else:
                    waiter.cancel()
        self._set_pace(len(batches))
        return batches

    def _in_turns(self, partitions: Collection[Any] | None) -> list[Any]:
        """The partitions that have something ready, beginning with another one each time."""
        ready = [tp for tp in self._fetcher._records if partitions is None or tp in partitions]
        self._turn += 1
        first = self._turn % len(ready) if ready else 0
        return ready[first:] + ready[:first]

    def _set_pace(self, answers: int) -> None:
        pace = self._pace.answered(answers, time.monotonic())
        self._fetcher._fetch_min_bytes, self._fetcher._fetch_max_wait_ms = pace

    async def _take_one(self, tp: AioTopicPartition, most: int, go_on: Callable[[], bool]) -> Batch | None:
        fetcher = self._fetcher
        result = fetcher._records.get(tp)
        if result is None:  # taken away by a seek while another partition was read
            return None
        if not isinstance(result, FetchResult):
            del fetcher._records[tp]
            fetcher._notify(fetcher._wait_consume_future)
            result.check_raise()
            return None
        state = self._consumer._subscription.subscription.assignment.state_value(tp)
        start = state.position
        if result._partition_records is not None:
            result._partition_records._consumer_record = _record
        try:
            records = result.getall(most)
        except (UnicodeDecodeError, CorruptRecordException):
            # getall moved nothing: the position still is `start`, and a second reader decides.
            fetcher._records.pop(tp, None)
            return await self._take_tolerantly(tp, start, most, go_on)
        if not result.has_more():
            fetcher._records.pop(tp, None)
            fetcher._notify(fetcher._wait_consume_future)
        return _run(tp, records, start, state.position)

    async def _take_tolerantly(
        self, tp: AioTopicPartition, start: int, most: int, go_on: Callable[[], bool]
    ) -> Batch | None:
        """Fetch and read this partition by ourselves from `start` on; None to be tried again."""
        consumer = self._consumer
        assignment = consumer._subscription.subscription.assignment
        size = self._fetcher._max_partition_fetch_bytes
        request = FetchRequest(500, 1, size, READ_COMMITTED, [(tp.topic, [(tp.partition, start, size)])])
        node = consumer._client.cluster.leader_for_partition(tp)
        try:
            if node is None or node == -1:
                raise KafkaError("no leader")
            response = await consumer._client.send(node, request)
        except KafkaError as error:
            log.warning("second reading of %s at %s failed, will be repeated: %s", tp, start, error)
            await asyncio.sleep(0.1)
            return None
        (_, ((_, error_code, *between, data),)) = response.topics[0]
        aborted = next((field for field in between if isinstance(field, list)), [])
        if error_code or not go_on() or not assignment.active:
            return None
        state = assignment.state_value(tp)
        if state.position != start:
            return None
        records, next_offset = read_run(TopicPartition(*tp), bytes(data or b""), start, most, aborted)
        state.consumed_to(next_offset)
        self._fetcher._notify(self._fetcher._wait_consume_future)
        return _run(tp, records, start, next_offset)


def _run(tp: AioTopicPartition, records: list[Record], begin: int, position: int) -> Batch | None:
    """What was taken, also where the position moved without a record; None where nothing moved."""
    if not records and position <= begin:
        return None
    return Batch(tp.topic, tp.partition, records, position, begin)


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
