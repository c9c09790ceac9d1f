"""A service's Kafka loop: batches go to one synchronous function and are acknowledged when it returns."""

import asyncio
import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar, cast

import faust
from faust.app.base import BootStrategy
from mode.supervisors import CrashingSupervisor

from casebus_schemas.errors import BusError, StopService
from casebus_schemas.wire.records import Batch, TopicPartition
from casebus_services import tracing
from casebus_services.exit_codes import EXIT_AGAIN, EXIT_EVIDENCE

from . import transport
from .connection import WorkerSettings, credentials, tls_context
from .faults import fault_point, is_off
from .measured import Measured
from .quiet import hush
from .runs import FairShare, FetchPace

log = logging.getLogger(__name__)

Handle = Callable[[list[Batch]], None]
NextOffsets = Callable[[Iterable[TopicPartition]], Mapping[TopicPartition, int]]
PartitionsHook = Callable[[frozenset[TopicPartition]], None]

_T = TypeVar("_T")


class _Boot(BootStrategy):
    # Faust's producer is not idempotent and its web server unauthenticated: neither is started.
    enable_kafka_producer = False
    enable_web = False


class _App(faust.App):
    BootStrategy = _Boot


class StreamWorker:
    """Runs `handle` on every batch of the topics' partitions assigned to this worker.

    `handle` is called with one Batch per partition, partitions in no order, records in offset order; it
    returns when their effect is durable, and only then the input is acknowledged. Everything given here
    (`handle`, `next_offsets`, the hooks, `tick`) runs in one thread, one call after the other. An exception
    from any of them ends the process at once, nothing acknowledged, with EXIT_EVIDENCE for StopService and
    EXIT_AGAIN for all else, after which its supervisor starts it again.

    At each assignment: `on_assigned(assigned)`, then `next_offsets(assigned)`, whose answer is where to start
    (0 for a partition it does not name); without `next_offsets` Kafka's committed offsets. Both within 15 s.
    `on_revoked` comes when the work in flight of these partitions is done. `tick(assigned)` comes every
    `tick_s` seconds while any partition is assigned. SIGTERM and SIGINT drain; after `drain_s` seconds the
    process ends with EXIT_AGAIN anyway. Of one speaker's topics at most `most_of_one` records are in flight:
    who floods the bus waits for itself. `pace` is how eagerly Kafka is asked.
    """

    def __init__(
        self,
        name: str,
        settings: WorkerSettings,
        topics: Sequence[str],
        handle: Handle,
        *,
        next_offsets: NextOffsets | None = None,
        on_assigned: PartitionsHook | None = None,
        on_revoked: PartitionsHook | None = None,
        tick: PartitionsHook | None = None,
        tick_s: float = 1.0,
        drain_s: float = 20.0,
        max_records: int = 5000,
        most_of_one: int | None = None,
        pace: FetchPace | None = None,
    ) -> None:
        self.name = name
        self._settings = settings
        self._topics = tuple(topics)
        self._handle = handle
        self._next_offsets = next_offsets
        self._on_assigned = on_assigned
        self._on_revoked = on_revoked
        self._tick = tick
        self._tick_s = tick_s
        self._drain_s = drain_s
        self._max_records = max_records
        self._most_of_one = most_of_one
        self._pace = pace
        self._assigned: frozenset[TopicPartition] = frozenset()
        self._measured = Measured()
        self._before_handle = f"{name}.before-handle"
        self._before_acknowledge = f"{name}.before-acknowledge"
        self._early = is_off("ack-before-commit") or is_off("ack-before-output")

    def run(self) -> int:
        """Run until SIGTERM or SIGINT; gives the exit code 0. Blocks the main thread."""
        hush("aiokafka", "faust", "mode")
        asyncio.run(self._run())
        return 0

    def build_app(self) -> faust.App:
        """The Faust app of this worker, on the chunk transport."""
        transport.register()
        settings = self._settings
        login = credentials(settings)
        data_dir = settings.data_dir / f"faust-{self.name}-{settings.instance}"
        data_dir.mkdir(parents=True, exist_ok=True)
        app = _App(
            self.name,
            broker=[f"chunk://{server.strip()}" for server in settings.bootstrap_servers.split(",")],
            broker_credentials=(
                faust.SASLCredentials(
                    username=login[0],
                    password=login[1],
                    ssl_context=tls_context(settings),
                    mechanism="SCRAM-SHA-512",
                )
                if login
                else None
            ),
            broker_client_id=f"{self.name}-{settings.instance}",
            # Static membership: after a crash the same partitions come back in 2 s instead of 6 to 9.
            consumer_group_instance_id=f"{self.name}-{settings.instance}",
            consumer_auto_offset_reset="earliest",
            consumer_max_fetch_size=2 * 1024 * 1024,
            broker_session_timeout=6.0,
            broker_heartbeat_interval=1.5,
            broker_rebalance_timeout=10.0,
            broker_request_timeout=15.0,
            broker_commit_interval=1.0,
            broker_max_poll_records=4000,
            stream_buffer_maxsize=16,
            stream_wait_empty=True,
            key_serializer="raw",
            value_serializer="raw",
            agent_supervisor=CrashingSupervisor,
            topic_allow_declare=False,
            topic_disable_leader=True,
            # One standby selects Faust's own assignor: topics of equally many partitions are assigned alike.
            table_standby_replicas=1,
            canonical_url=f"http://{self.name}-{settings.instance}.invalid",
            datadir=str(data_dir),
            web_enabled=False,
            autodiscover=False,
        )
        app.in_worker = True
        app.agent(app.topic(*self._topics), name=self.name, concurrency=1)(self._collect)
        return app

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        self._executor = ThreadPoolExecutor(1, thread_name_prefix=self.name)
        self._events: asyncio.Queue[Any] = asyncio.Queue(maxsize=16)
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._begin_stop, stop)
        app = self.build_app()
        self._consumer = cast(transport.Consumer, app.consumer)
        self._consumer.wanted_topics = frozenset(self._topics)
        if self._most_of_one is not None:
            self._consumer.share = FairShare(self._most_of_one, self._consumer.head_of_line.in_flight)
        if self._pace is not None:
            self._consumer.pace = self._pace
        self._consumer.start_offsets = self._start_offsets
        self._consumer.revoked = self._revoked
        parts = (self._live(app), self._work(), self._tick_on(), stop.wait())
        tasks = [asyncio.create_task(part) for part in parts]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        if not stop.is_set():
            failed = next((task.exception() for task in tasks if task.done() and task.exception()), None)
            _die(self.name, failed or app.crash_reason or RuntimeError("the stream ended by itself"))
        log.info("%s: draining", self.name)
        await app.stop()
        await self._revoked(self._assigned)
        for task in tasks:
            task.cancel()
        self._executor.shutdown()
        log.info("%s: stopped", self.name)

    async def _live(self, app: faust.App) -> None:
        await app.start()  # returns when the first assignment has been taken up
        await app.wait_until_stopped()  # or crashed

    def _begin_stop(self, stop: asyncio.Event) -> None:
        # Faust waits for ever for work that does not end, for instance while the database hangs.
        if not stop.is_set() and not is_off("no-watchdog"):
            watchdog = threading.Timer(self._drain_s, _die, (self.name, TimeoutError("drained too long")))
            watchdog.daemon = True
            watchdog.start()
        stop.set()

    async def _collect(self, stream: Any) -> None:
        # The agent. `noack`: nothing is acknowledged but by `_work`, after `handle`.
        async for event in stream.noack().events():
            await self._events.put(event)

    async def _work(self) -> None:
        while True:
            # No timer: what arrives while one batch is worked on makes up the next.
            events = [await self._events.get()]
            records = len(events[0].message.batch.records)
            while records < self._max_records and not self._events.empty():
                events.append(self._events.get_nowait())
                records += len(events[-1].message.batch.records)
            if not self._consumer.flow_active:
                # A rebalance or the end: what was not begun will be fetched again, here or elsewhere.
                for event in events:
                    self._consumer.drop(event.message)
                continue
            if self._early:
                await self._acknowledge(events, at_once=True)
            batches = _merge(event.message for event in events if self._consumer.is_current(event.message))
            await self._call(self._handle_batches, batches)
            if not self._early:
                await self._acknowledge(events)

    def _handle_batches(self, batches: list[Batch]) -> None:
        if batches:
            records = sum(len(batch.records) for batch in batches)
            fault_point(self._before_handle, records)
            begun, begun_ns = time.monotonic(), time.time_ns()
            self._handle(batches)
            self._measured.handled(batches, time.monotonic() - begun)
            tracing.handled(self.name, batches, begun_ns)
            fault_point(self._before_acknowledge, records)

    async def _acknowledge(self, events: list[Any], at_once: bool = False) -> None:
        for event in events:
            event.ack()
        if at_once:
            await self._consumer.commit()

    async def _start_offsets(
        self, assigned: frozenset[TopicPartition]
    ) -> Mapping[TopicPartition, int] | None:
        return await self._call(self._assign, assigned)

    def _assign(self, assigned: frozenset[TopicPartition]) -> Mapping[TopicPartition, int] | None:
        if self._on_assigned is not None:
            self._on_assigned(assigned)
        self._assigned = assigned
        self._measured.assigned(assigned)
        if self._next_offsets is None or is_off("no-sql-seek"):
            return None
        return self._next_offsets(assigned)

    async def _revoked(self, revoked: frozenset[TopicPartition]) -> None:
        self._assigned = self._assigned - revoked
        self._measured.assigned(self._assigned)
        if revoked and self._on_revoked is not None:
            await self._call(self._on_revoked, revoked)

    async def _tick_on(self) -> None:
        while True:
            await asyncio.sleep(self._tick_s)
            self._measured.look(self._assigned, self._consumer.begun.get, self._consumer.end_of)
            if self._assigned and self._tick is not None:
                await self._call(self._tick_once)

    def _tick_once(self) -> None:
        if self._assigned and self._tick is not None:
            self._tick(self._assigned)

    async def _call(self, function: Callable[..., _T], *arguments: object) -> _T:
        return await asyncio.get_running_loop().run_in_executor(
            self._executor, self._guarded, function, *arguments
        )

    def _guarded(self, function: Callable[..., _T], *arguments: object) -> _T:
        try:
            return function(*arguments)
        except BaseException as error:  # the edge: nothing of this process may go on after it
            _die(self.name, error)
            raise


def _merge(chunks: Iterable[transport.Chunk]) -> list[Batch]:
    runs: dict[tuple[str, int], list[Batch]] = {}
    for chunk in chunks:
        runs.setdefault((chunk.batch.topic, chunk.batch.partition), []).append(chunk.batch)
    merged = []
    for (topic, partition), parts in runs.items():
        records = parts[0].records
        if len(parts) > 1:
            records = [record for part in parts for record in part.records]
        merged.append(
            parts[0]
            if len(parts) == 1
            else Batch(topic, partition, records, parts[-1].next_offset, parts[0].begin)
        )
    return merged


def _die(name: str, error: BaseException) -> None:
    """End the process without any further step: no commit, no acknowledgement, no destructor."""
    code = EXIT_EVIDENCE if isinstance(error, StopService) else EXIT_AGAIN
    try:
        # A BusError says all that a person needs; anything else is a surprise and brings its trace.
        trace = None if isinstance(error, BusError) else error
        log.critical("%s ends with exit code %d: %s", name, code, error, exc_info=trace)
        logging.shutdown()
    finally:
        os._exit(code)
