"""The publisher: relays the outbox to Kafka in order, through outages and a producer that hangs.

Written for kafka-python 3.0.12. One private name of it is used: `KafkaProducer._sender` with `force_close()`
and `join()`, since the public `close(timeout)` raises before it stops anything while a batch is unanswered,
which is the very case that must be survived.
"""

import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import IO, Any

from kafka import KafkaProducer
from kafka.errors import KafkaError, TopicAuthorizationFailedError

from casebus_schemas.errors import BusError, RetryLater

from ..config import AgencySettings
from ..connecting import PATIENCE_MS, connected, reason
from ..faults import AFTER_ACK, PublisherFaults
from .in_step import check_in_step
from .outbox import Outbox
from .outbox_events import Acknowledged, Pending
from .relay_lock import take_relay_lock
from .stream_heads import StreamHeads

_OUTBOX_POLL_S = 0.2
"""How often rows of another process are looked for; our own wake the loop at once."""
_REOPEN_S = 0.5
_REFUSED_S = 5.0
"""Pause before the next producer: short when Kafka is away, longer when it said no."""
_CLOSE_S = 5.0
_MOST_PATIENCE_MS = 12_000
"""`stop` waits for an attempt to connect, so none may take long."""


@dataclass(frozen=True, slots=True)
class PublisherState:
    """How the publisher does: what is in flight, what went wrong last, how many producers were built."""

    relaying: bool
    in_flight: int
    in_flight_bytes: int
    producers: int
    error: str | None
    refused: bool


@dataclass(slots=True, eq=False)
class _Flight:
    """One producer object and what it carries. The network thread only appends and sets."""

    producer: Any
    sizes: dict[int, int] = field(default_factory=dict)
    size: int = 0
    acknowledged: deque[Acknowledged] = field(default_factory=deque)
    error: BaseException | None = None
    cursor: int = 0
    progress_at: float = field(default_factory=time.monotonic)


class Publisher:
    """Relays one outbox. A row counts as sent only when Kafka's acknowledgement was read here.

    Order: rows go out by position, so every stream in the order of its numbers; after any error the producer
    is abandoned and all rows not known as sent go again in that order. Kafka may then hold a record twice,
    byte for byte: readers drop repeats by event digest. Nothing is lost and no first copy is out of order.

    Before the first row goes out `compare` holds the outbox against Kafka: one of the two may have been put
    back from an older copy (OutOfStep ends the publisher, nothing is sent).

    It states now and then where the agency's streams end (`StreamHeads`), as the settings say.

    Only one process relays an outbox at a time (a lock beside its file, freed by the kernel when the process
    dies); others wait and take over. Memory is bounded by `window_records` and `window_bytes`.
    """

    def __init__(
        self,
        outbox: Outbox,
        settings: AgencySettings,
        *,
        faults: PublisherFaults | None = None,
        make_producer: Callable[..., Any] = KafkaProducer,
        compare: Callable[[AgencySettings, Outbox], None] = check_in_step,
    ) -> None:
        self._outbox = outbox
        self._settings = settings
        self._compare = compare
        self._heads = StreamHeads(outbox, settings.state_heads_s, settings.state_heads_idle_s)
        self._in_step = False
        self._faults = faults or PublisherFaults()
        self._make_producer = make_producer
        self._signal = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._failure: BaseException | None = None
        self._flight: _Flight | None = None
        self._reopen_at = 0.0
        self._patience_ms = PATIENCE_MS[0]
        self._producers = 0
        self._relaying = False
        self._error: str | None = None
        self._refused = False

    # --- from any thread ---------------------------------------------------------------------------------

    def start(self) -> None:
        """Relays in a thread of its own until `stop`."""
        self._stopping.clear()
        self._thread = threading.Thread(target=self._run_thread, name="publisher", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread; what is in flight gets a few seconds. Raises what ended it, if anything did."""
        self._stopping.set()
        self._signal.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        if self._failure is not None:
            raise self._failure

    @contextlib.contextmanager
    def running(self) -> Iterator["Publisher"]:
        """`start` and `stop` around a block."""
        self.start()
        try:
            yield self
        finally:
            self.stop()

    def wake(self) -> None:
        """Says that rows were queued."""
        self._signal.set()

    def wait_sent(self, positions: list[int], timeout_s: float) -> bool:
        """Waits until the rows at these positions are sent; False if they are not in time.

        Raises what ended the publisher, if it ended.
        """
        self.wake()
        deadline = time.monotonic() + timeout_s
        waiting = list(positions)
        while True:
            waiting = [row.position for row in self._outbox.rows(waiting) if not row.sent]
            if not waiting:
                return True
            if self._failure is not None:
                raise self._failure
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.01)

    def state_heads(self) -> None:
        """States where the streams end if it is time, as the loop does while it relays."""
        self._heads.turn()

    def state(self) -> PublisherState:
        """How it does now."""
        flight = self._flight
        return PublisherState(
            relaying=self._relaying,
            in_flight=len(flight.sizes) if flight else 0,
            in_flight_bytes=flight.size if flight else 0,
            producers=self._producers,
            error=self._error,
            refused=self._refused,
        )

    # --- the one loop that owns the outbox ---------------------------------------------------------------

    def run(self, until: Callable[[], bool]) -> None:
        """Relays in this thread until `until()` holds; waits while another process relays. Blocking."""
        lock: IO[bytes] | None = None
        try:
            while not until():
                lock = lock or self._lock()
                if lock is None:
                    self._pause(_OUTBOX_POLL_S)
                    continue
                self._relaying = True
                self._pause(self._step())
        finally:
            self._land()
            self._relaying = False
            if lock is not None:
                lock.close()

    def _run_thread(self) -> None:
        try:
            self.run(self._stopping.is_set)
        except Exception as error:  # noqa: BLE001 - the thread's edge: handed to whoever waits or stops
            self._failure = error

    def _lock(self) -> IO[bytes] | None:
        return take_relay_lock(self._outbox.file)

    def _pause(self, seconds: float) -> None:
        self._signal.wait(seconds)
        self._signal.clear()

    def _step(self) -> float:
        """One turn; returns how long to rest unless woken."""
        self._heads.turn()
        flight = self._flight
        if flight is not None:
            self._settle(flight)
            if self._faults.watchdog and (problem := self._wedged(flight)):
                self._abandon(flight, problem)
                return 0.0
        cursor, records, size = (flight.cursor, len(flight.sizes), flight.size) if flight else (0, 0, 0)
        room, room_bytes = self._settings.window_records - records, self._settings.window_bytes - size
        full = room <= 0 or (records and room_bytes <= 0)
        rows = [] if full else self._outbox.pending(cursor, room, room_bytes)
        if rows:
            if flight is None:
                flight = self._open()
            if flight is None:
                return max(0.01, self._reopen_at - time.monotonic())
            self._send(flight, rows)
        return _OUTBOX_POLL_S

    def _settle(self, flight: _Flight) -> None:
        """Marks as sent what Kafka acknowledged since the last turn."""
        done: list[Acknowledged] = []
        with contextlib.suppress(IndexError):
            while True:
                done.append(flight.acknowledged.popleft())
        if not done:
            return
        self._faults.point(AFTER_ACK, len(flight.sizes))
        self._outbox.mark_sent(done)
        for ack in done:
            flight.size -= flight.sizes.pop(ack.position, 0)
        flight.progress_at = time.monotonic()
        self._error, self._refused = None, False

    def _wedged(self, flight: _Flight) -> str | None:
        """Why this producer will get no further, None if it may."""
        if flight.error is not None:
            return reason((), flight.error)
        idle_s = time.monotonic() - flight.progress_at
        if flight.sizes and idle_s > self._settings.stall_s:
            return f"no acknowledgement for {idle_s:.0f} s with {len(flight.sizes)} records in flight"
        return None

    def _send(self, flight: _Flight, rows: list[Pending]) -> None:
        for position, record, size in rows:
            if flight.error is not None:
                return
            if flight.sizes and flight.size + size > self._settings.window_bytes:
                return
            if not flight.sizes:
                flight.progress_at = time.monotonic()
            flight.sizes[position] = size
            flight.size += size
            flight.cursor = position
            try:
                future = flight.producer.send(
                    record.topic,
                    value=record.value,
                    key=record.key,
                    headers=list(record.headers),
                    partition=record.partition,
                )
            except KafkaError as error:
                flight.error = error
                self._signal.set()
                return
            future.add_callback(partial(self._on_success, flight, position))
            future.add_errback(partial(self._on_error, flight))

    def _open(self) -> _Flight | None:
        if time.monotonic() < self._reopen_at:
            return None
        try:
            producer = connected(
                self._make_producer, patience_ms=[self._patience_ms], **_producer_settings(self._settings)
            )
        except (KafkaError, OSError) as error:
            self._patience_ms = min(2 * self._patience_ms, _MOST_PATIENCE_MS)
            self._fail(reason((), error), refused=False)
            return None
        if not self._is_in_step(producer):
            return None
        self._patience_ms = PATIENCE_MS[0]
        self._producers += 1
        self._flight = _Flight(producer)
        return self._flight

    def _is_in_step(self, producer: Any) -> bool:
        """Looked at once, before the first row. Raises OutOfStep; False where Kafka does not answer."""
        if not self._in_step:
            try:
                self._compare(self._settings, self._outbox)
                self._in_step = True
            except BusError as error:
                _end(producer, 1.0)
                if not isinstance(error, RetryLater):
                    raise
                self._fail(error.detail, refused=False)
        return self._in_step

    def _abandon(self, flight: _Flight, problem: str) -> None:
        """Gives a producer up; whatever it has not acknowledged is sent again by the next one."""
        self._flight = None
        _end(flight.producer, 1.0)
        self._settle(flight)  # it may have had answers in its hands
        self._fail(problem, refused=isinstance(flight.error, TopicAuthorizationFailedError))

    def _fail(self, problem: str, *, refused: bool) -> None:
        self._error, self._refused = problem, refused
        self._reopen_at = time.monotonic() + (_REFUSED_S if refused else _REOPEN_S)

    def _land(self) -> None:
        """Waits a little for what is in flight, marks it, closes the producer."""
        flight = self._flight
        if flight is None:
            return
        deadline = time.monotonic() + _CLOSE_S
        while flight.sizes and flight.error is None and time.monotonic() < deadline:
            self._settle(flight)
            if flight.sizes:
                self._pause(0.05)
        self._flight = None
        _end(flight.producer, 1.0)
        self._settle(flight)

    # --- on the network thread ---------------------------------------------------------------------------

    def _on_success(self, flight: _Flight, position: int, metadata: Any) -> None:
        offset = metadata.offset if metadata.offset >= 0 else None
        at_ms = metadata.timestamp if (metadata.timestamp or 0) > 0 else time.time_ns() // 1_000_000
        flight.acknowledged.append(Acknowledged(position, offset, at_ms))
        self._signal.set()

    def _on_error(self, flight: _Flight, error: BaseException) -> None:
        if flight.error is None:
            flight.error = error
            if self._faults.watchdog:
                # At once: the next batch of this stream must not overtake the failed one.
                flight.producer._sender.force_close()
            self._signal.set()


def _end(producer: Any, timeout_s: float) -> None:
    producer._sender.force_close()
    producer._sender.join(timeout_s)
    with contextlib.suppress(KafkaError):
        producer.close(timeout=0)


def _producer_settings(settings: AgencySettings) -> Mapping[str, Any]:
    return {
        **settings.kafka(),
        "client_id": f"{settings.agency}-{settings.instance}-publisher",
        # Said aloud: with it a contradicting setting raises instead of switching idempotence off.
        "enable_idempotence": True,
        "acks": "all",
        # A batch that expires after it was sent makes the producer hang; hours make that rare.
        "delivery_timeout_ms": settings.delivery_timeout_ms,
        "request_timeout_ms": settings.request_timeout_ms,
        "max_block_ms": settings.request_timeout_ms,
        "batch_size": 262_144,
        "max_request_size": 1_200_000,
        "metrics_enabled": False,
    }
