"""Reads whole topics from their beginning, outside any consumer group, beside a service's main flow."""

import asyncio
import logging
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import CancelledError as FutureCancelledError
from concurrent.futures import Future
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.client import ConnectionGroup
from aiokafka.consumer.fetcher import READ_COMMITTED
from aiokafka.errors import KafkaError, LeaderNotAvailableError, for_code
from aiokafka.protocol.offset import OffsetRequest
from aiokafka.structs import TopicPartition as AioTopicPartition

from casebus_schemas.errors import BusError, RetryLater
from casebus_schemas.wire.records import Batch, TopicPartition

from .connection import ConnectionSettings, aiokafka_login
from .fetched_runs import FetchedRuns
from .runs import FetchPace
from .same_log import check_end

log = logging.getLogger(__name__)

FETCH = (1, 5000)
"""Bytes, milliseconds: the broker answers with the first record at once, and silence costs few polls."""

LATEST = -1
EARLIEST = -2


class NotYet(RetryLater):
    """The end of the topics was not reached in time; the reading goes on."""


class SideReader:
    """Feeds every record of the topics to `on_batch` in a thread of its own, from offset 0 or `starts`.

    Needs READ and DESCRIBE on the topics and nothing of any group. Batches of one partition come in offset
    order. Survives an absent broker. If `on_batch` raises, reading ends and `catch_up` raises from then on.
    """

    def __init__(
        self,
        settings: ConnectionSettings,
        client_id: str,
        topics: Sequence[str],
        on_batch: Callable[[Batch], None],
        starts: Mapping[TopicPartition, int] | None = None,
    ) -> None:
        self._starts = starts or {}
        self._settings = settings
        self._client_id = client_id
        self._topics = tuple(topics)
        self._on_batch = on_batch
        self._positions: dict[TopicPartition, int] = {}
        self._failure: BaseException | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._consumer: Any = None
        self._ready = threading.Event()
        self._moved: asyncio.Event
        self._thread = threading.Thread(target=self._run, name=client_id, daemon=True)

    def start(self, timeout_s: float = 30.0) -> None:
        """Connect, and read all that is there now, however much it is. Blocking.

        Raises RetryLater if the broker cannot be reached, or nothing more is read, within `timeout_s`.
        """
        self._thread.start()
        if not self._ready.wait(timeout_s):
            raise RetryLater("the side reader did not connect", expected=self._settings.bootstrap_servers)
        self.catch_up(timeout_s, while_moving=True)

    def catch_up(self, timeout_s: float = 10.0, *, while_moving: bool = False) -> None:
        """Block until every record that was in the topics at the time of the call went through `on_batch`.

        Safe from any thread but the reader's own. Costs one request to the broker.
        Raises NotYet after `timeout_s` (with `while_moving`: without anything read), or whatever ended the
        reading.
        """
        self._check()
        if self._loop is None:
            raise RetryLater("the side reader was not started", remedy="call start first")
        catching_up = self._catch_up()
        try:
            waiting = asyncio.run_coroutine_threadsafe(catching_up, self._loop)
        except RuntimeError:  # the loop was closed a moment ago
            catching_up.close()
            self._thread.join(5.0)
            self._check()
            raise
        try:
            self._wait(waiting, timeout_s, while_moving)
        except FutureCancelledError:  # the reading ended meanwhile; the thread is about to say why
            self._thread.join(5.0)
            self._check()
            raise RetryLater("the side reader was stopped") from None
        except TimeoutError as error:
            waiting.cancel()
            self._check()
            raise NotYet(
                "the side reader could not catch up",
                found=f"nothing newer within {timeout_s:g} s",
                expected=f"the end of {', '.join(self._topics)}",
            ) from error
        except KafkaError as error:
            raise RetryLater("the ends of the topics could not be asked for", found=repr(error)) from error

    def _wait(self, waiting: "Future[None]", timeout_s: float, while_moving: bool) -> None:
        while True:
            read = sum(list(self._positions.values()))
            try:
                return waiting.result(timeout_s)
            except TimeoutError:
                if not while_moving or sum(list(self._positions.values())) == read:
                    raise

    def stop(self) -> None:
        """End reading. Blocking, bounded; idempotent."""
        if self._loop is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._reading.cancel)
            self._thread.join(10.0)

    def _check(self) -> None:
        if isinstance(self._failure, BusError):
            raise self._failure
        if self._failure is not None:
            raise RetryLater("the side reader ended", found=repr(self._failure)) from self._failure

    def _run(self) -> None:
        try:
            asyncio.run(self._main())
        except asyncio.CancelledError:
            self._failure = RetryLater("the side reader was stopped")
        except BaseException as error:  # an edge: kept for whoever asks next
            trace = None if isinstance(error, KafkaError | BusError) else error
            log.error("side reader %s ends: %r", self._client_id, error, exc_info=trace)
            self._failure = error
        finally:
            self._ready.set()

    async def _main(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._moved = asyncio.Event()
        self._reading = asyncio.ensure_future(self._read())
        await self._reading

    async def _read(self) -> None:
        consumer = self._consumer = self._new_consumer()
        try:
            await consumer.start()
            runs = FetchedRuns(consumer, FetchPace(FETCH, FETCH))
            if self._starts:
                await self._go_to_starts(consumer)
            self._ready.set()
            while True:
                for batch in await runs.take(None, timeout_s=60.0, most=1000):
                    self._on_batch(batch)
                    self._positions[TopicPartition(batch.topic, batch.partition)] = batch.next_offset
                self._moved.set()
        finally:
            await _let_go(consumer)
            await consumer.stop()

    async def _go_to_starts(self, consumer: Any) -> None:
        wanted = {
            place: self._starts[place]
            for at in consumer.assignment()
            if (place := TopicPartition(*at)) in self._starts
        }
        while (ends := await self._offsets(LATEST, wanted)) is None:
            await asyncio.sleep(0.1)
        for place, start in wanted.items():
            check_end(place, start, ends[place])
            consumer.seek(AioTopicPartition(*place), start)
            self._positions[place] = start

    async def _catch_up(self) -> None:
        while (ends := await self._offsets(LATEST, self._consumer.assignment())) is None:
            await asyncio.sleep(0.1)
        # Nothing may be left of a partition: then no batch will ever say where it stands.
        while (begins := await self._offsets(EARLIEST, ends.keys() - self._positions.keys())) is None:
            await asyncio.sleep(0.1)
        while any(end > self._positions.get(at, begins.get(at, 0)) for at, end in ends.items()):
            self._moved.clear()
            done, _ = await asyncio.wait(
                [self._reading, moved := asyncio.ensure_future(self._moved.wait())],
                return_when=asyncio.FIRST_COMPLETED,
            )
            moved.cancel()
            if self._reading in done:
                raise asyncio.CancelledError

    async def _offsets(
        self, which: int, partitions: Iterable[tuple[str, int]]
    ) -> dict[TopicPartition, int] | None:
        """Where the partitions begin or end now, None if it has to be asked again."""
        client = self._consumer._client
        try:
            return await _offsets(client, which, partitions)
        except KafkaError as error:
            if not error.retriable:
                raise
            log.info("%s asks for the offsets of its topics again: %r", self._client_id, error)
            client.force_metadata_update()
            return None

    def _new_consumer(self) -> Any:
        return AIOKafkaConsumer(
            *self._topics,
            bootstrap_servers=self._settings.bootstrap_servers.split(","),
            client_id=self._client_id,
            group_id=None,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            max_partition_fetch_bytes=2 * 1024 * 1024,
            **aiokafka_login(self._settings),
        )


async def _let_go(consumer: Any) -> None:
    """Ends its connections at once: it has nothing to say any more.

    By TLS a client waits until the broker has answered its farewell, and a broker reads none before it has
    answered the fetch that waits there (`FETCH`).
    """
    if consumer._fetcher is not None:
        await consumer._fetcher.close()  # it would complain of connections that end under it
    for connection in list(consumer._client._conns.values()):
        if connection._writer is not None:
            connection._writer.transport.abort()


async def _offsets(
    client: Any, which: int, partitions: Iterable[tuple[str, int]]
) -> dict[TopicPartition, int]:
    # Not AIOKafkaConsumer.end_offsets: on its connection the broker would first let a waiting fetch end.
    by_leader: dict[int, dict[str, list[tuple[int, int]]]] = {}
    for topic, partition in partitions:
        leader = client.cluster.leader_for_partition(AioTopicPartition(topic, partition))
        if leader is None or leader == -1:
            raise LeaderNotAvailableError(f"{topic}/{partition}")
        by_leader.setdefault(leader, {}).setdefault(topic, []).append((partition, which))
    found: dict[TopicPartition, int] = {}
    for leader, topics in by_leader.items():
        request = OffsetRequest(-1, READ_COMMITTED, list(topics.items()))
        answer = await client.send(leader, request, group=ConnectionGroup.COORDINATION)
        for topic, answers in answer.topics:
            for partition, error_code, _, offset in answers:
                if error_code:
                    raise for_code(error_code)(f"{topic}/{partition}")
                found[TopicPartition(topic, partition)] = offset
    return found
