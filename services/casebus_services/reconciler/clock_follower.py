"""Follows the operator's commands to the simulated clock, and says what time it is on the bus."""

import logging

from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.catalogue.topology import COMMAND
from casebus_schemas.errors import RetryLater
from casebus_schemas.wire.records import Batch
from casebus_services.clock import BusClock
from casebus_services.clock_commands import ClockCommands
from casebus_services.config import ServiceSettings
from casebus_services.streams.side_reader import SideReader

from .bus_keys import BusKeys

log = logging.getLogger(__name__)


class ClockFollower:
    """The bus's clock for one worker. A real clock needs no reading, and nothing is connected for it.

    A simulated one reads commands whole, outside any group: a command counts only under a key of the bus.
    """

    def __init__(self, settings: ServiceSettings, client_id: str, catalog: Catalog, keys: BusKeys) -> None:
        """`keys` must have been started before the follower is."""
        self._clock = BusClock(simulated=settings.simulated_clock)
        self._is_set = False
        self._following = ClockCommands(self._clock, catalog, keys.current, keys.catch_up)
        self._commands = SideReader(settings, f"{client_id}-commands", [COMMAND], self._on_commands)

    def start(self) -> None:
        """Reads all commands there are. Raises RetryLater if the broker is away."""
        if self._clock.simulated:
            self._commands.start()

    def stop(self) -> None:
        """Ends the reading."""
        if self._clock.simulated:
            self._commands.stop()

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

    def _on_commands(self, batch: Batch) -> None:
        if self._following.follow(batch.records):
            self._is_set = True
