"""Follows the operator's commands to the simulated clock, and says what time it is on the bus."""

import logging
import threading

from casebus_schemas.admission.keyring import Keyring
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.catalogue.topology import COMMAND, key_topics
from casebus_schemas.errors import RetryLater
from casebus_schemas.wire.records import Batch
from casebus_services.clock import BusClock
from casebus_services.clock_commands import ClockCommands
from casebus_services.config import ServiceSettings
from casebus_services.streams.side_reader import SideReader

log = logging.getLogger(__name__)


class ClockFollower:
    """The bus's clock for one worker. A real clock needs no reading, and nothing is connected for it.

    A simulated one reads keys and commands whole, outside any group: a command counts only under a key of
    the bus.
    """

    def __init__(self, settings: ServiceSettings, client_id: str, catalog: Catalog) -> None:
        self._clock = BusClock(simulated=settings.simulated_clock)
        self._keyring = Keyring(catalog)
        self._lock = threading.Lock()
        self._is_set = False
        self._keys = SideReader(settings, f"{client_id}-keys", key_topics(), self._on_keys)
        self._following = ClockCommands(self._clock, catalog, lambda: self._keyring, self._keys.catch_up)
        self._commands = SideReader(settings, f"{client_id}-commands", [COMMAND], self._on_commands)

    def start(self) -> None:
        """Reads all keys and commands there are. Raises RetryLater if the broker is away."""
        if self._clock.simulated:
            self._keys.start()
            self._commands.start()

    def stop(self) -> None:
        """Ends the readers."""
        if self._clock.simulated:
            self._commands.stop()
            self._keys.stop()

    def now_ms(self) -> int | None:
        """The bus's time, milliseconds since 1970 UTC; None while a simulated clock is not set or not known.

        Reads the commands to their end first: a clock set back for the next case must not let that case's
        terms run out by the time of the one before.
        """
        if not self._clock.simulated:
            return self._clock.now_ms()
        try:
            self._commands.catch_up()
        except RetryLater as error:
            log.warning("the simulated clock is not known just now: %s", error)
            return None
        return self._clock.now_ms() if self._is_set else None

    def _on_keys(self, batch: Batch) -> None:
        with self._lock:
            self._keyring = self._keyring.extend(batch.records)

    def _on_commands(self, batch: Batch) -> None:
        if self._following.follow(batch.records):
            self._is_set = True
