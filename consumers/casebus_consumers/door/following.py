"""The threads of a door, each without end: one hears the inbox, one the receipts, one relays."""

import logging
import time
from collections.abc import Callable
from threading import Event, Thread

from casebus_consumers.own.intake import Intake
from casebus_producers.config import AgencySettings
from casebus_producers.outbox.outbox import Outbox
from casebus_producers.outbox.publisher import Publisher
from casebus_producers.received.inbox_reader import InboxReader
from casebus_producers.received.receipts import ReceiptReader
from casebus_producers.received.sealed_receipts import note_epochs
from casebus_schemas.admission.keyring import Keyring
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.errors import BusError, RetryLater

_POLL_S = 0.5
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 10.0
IDLE_S = 10.0
"""With nothing to send the login at Kafka and the lock of the outbox are given back after so long."""
EPOCH_S = 5.0
"""Between two looks for epochs: with nothing that waits for one, a look at the agency's own file."""
_LOOK_S = 1.0
"""How often rows that another program has queued are looked for; our own wake the relay at once."""
_WAITS = "SELECT 1 FROM outbox WHERE state = 'pending' LIMIT 1"
_LAST_RECEIPT = "SELECT max(seq) FROM receipt WHERE seq >= 0"
log = logging.getLogger(__name__)


class Follower:
    """A thread that does one thing again whenever it fails, after a pause; `problem` is what ails it now."""

    def __init__(self, name: str, stop: Event) -> None:
        self.problem: str | None = "has not begun"
        self.ready = Event()
        self._stop = stop
        self._thread = Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begins."""
        self._thread.start()

    def join(self, timeout_s: float) -> None:
        """Waits for its end, after `stop` was set."""
        self._thread.join(timeout_s)

    def follow(self) -> None:
        """Does it until `stop` is set; calls `well` once it can do it."""
        raise NotImplementedError

    def well(self) -> None:
        """Says that nothing ails it."""
        self.problem = None
        self.ready.set()

    def _run(self) -> None:
        pause_s = _FIRST_PAUSE_S
        while not self._stop.is_set():
            begun = time.monotonic()
            try:
                self.follow()
                continue
            except BusError as error:
                self.problem = error.detail
                log.warning("%s: %s", self._thread.name, error.detail)
            except Exception as error:
                self.problem = f"{type(error).__name__}: {error}"[:300]
                log.exception("%s: a fault; it goes on", self._thread.name)
            if time.monotonic() - begun > 2 * _LONGEST_PAUSE_S:
                pause_s = _FIRST_PAUSE_S
            self._stop.wait(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)


class InboxFollower(Follower):
    """Takes the inbox into the agency's own view as it comes."""

    def __init__(self, name: str, stop: Event, intake: Intake, ring: Callable[[], None]) -> None:
        super().__init__(name, stop)
        self._intake = intake
        self._ring = ring
        self._reader: InboxReader | None = None

    def keyring(self) -> Keyring:
        """The keys of agencies as they were read last. Raises RetryLater before they were."""
        if self._reader is None:
            raise RetryLater("the keys of agencies are not read yet", remedy="try again")
        return self._reader.keyring

    def follow(self) -> None:
        """As it comes."""
        with self._intake.open() as reader:
            self._intake.to_end(reader)
            self._reader = reader
            self._ring()
            self.well()
            while not self._stop.is_set():
                if records := reader.poll(_POLL_S):
                    self._intake.take(reader, records)
                    self._ring()


class _OutboxFollower(Follower):
    """Keeps in the outbox what became of its events, and rings where something was kept."""

    def __init__(
        self,
        name: str,
        stop: Event,
        settings: AgencySettings,
        outbox: Outbox,
        catalog: Catalog,
        ring: Callable[[], None],
    ) -> None:
        super().__init__(name, stop)
        self._settings = settings
        self._outbox = outbox
        self._catalog = catalog
        self._ring = ring


class ReceiptFollower(_OutboxFollower):
    """Keeps the receipts as they come."""

    def follow(self) -> None:
        """As they come. Raises BusError where Kafka holds fewer than were kept."""
        with self._outbox.reading() as connection:
            (last,) = connection.execute(_LAST_RECEIPT).fetchone()
        start = 0 if last is None else last + 1
        with ReceiptReader(
            self._settings, self._settings.agency, self._catalog, start, self._outbox
        ) as reader:
            if start > reader.end():
                raise reader.shorter(start)
            reader.catch_up_keys()
            self.well()
            while not self._stop.is_set():
                if records := reader.poll(_POLL_S):
                    for _, found in reader.receipts(records):
                        if "problem" in found:
                            log.warning("%s: a receipt is not believed: %s", self._thread.name, found)
                    self._ring()


class EpochFollower(_OutboxFollower):
    """Looks in which epochs the agency's entries were sealed, while any waits for one."""

    def follow(self) -> None:
        """Once; then it rests."""
        if note_epochs(self._settings, self._outbox, self._catalog):
            self._ring()
        self.well()
        self._stop.wait(EPOCH_S)


class Relay(Follower):
    """Sends what waits in the outbox, and gives its lock back when nothing has waited for a while."""

    def __init__(self, name: str, stop: Event, outbox: Outbox, publisher: Publisher) -> None:
        super().__init__(name, stop)
        self._outbox = outbox
        self._publisher = publisher
        self._woken = Event()
        self._busy_at = 0.0
        self._looked_at = 0.0

    def wake(self) -> None:
        """Says that events were queued."""
        self._woken.set()
        self._publisher.wake()

    def follow(self) -> None:
        """Waits for events and relays them."""
        self._publisher.state_heads()
        if not self._waits():
            self.well()
            self._woken.wait(_LOOK_S)
            self._woken.clear()
            return
        self._busy_at = time.monotonic()
        self._publisher.run(self._is_over)
        self.well()

    def _is_over(self) -> bool:
        now = time.monotonic()
        state = self._publisher.state()
        self.problem = state.error if state.error and not state.in_flight else None
        if self._stop.is_set():
            return True
        if state.in_flight:
            self._busy_at = now
        if now - self._busy_at < IDLE_S or now - self._looked_at < _LOOK_S:
            return False
        self._looked_at = now
        if self._waits():
            self._busy_at = now
            return False
        return True

    def _waits(self) -> bool:
        with self._outbox.reading() as connection:
            return connection.execute(_WAITS).fetchone() is not None
