"""Follows the operator's commands to one reconciler: what time it is, what to compute again or step over."""

import logging

from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.catalogue.topology import COMMAND
from casebus_schemas.errors import RetryLater
from casebus_schemas.law.calendars import EnteredNotice
from casebus_schemas.wire.records import Batch
from casebus_services.clock import BusClock
from casebus_services.clock_commands import ClockCommands
from casebus_services.config import ServiceSettings
from casebus_services.streams.side_reader import SideReader

from .bus_keys import BusKeys
from .orders import Orders
from .stepped_over import SteppedOver

log = logging.getLogger(__name__)


class CommandFollower:
    """The bus's clock, and the operator's orders about chains, for one worker.

    Commands are read whole, outside any group. A command counts only under a key of the bus.
    """

    def __init__(self, settings: ServiceSettings, client_id: str, catalog: Catalog, keys: BusKeys) -> None:
        """`keys` must have been started before the follower is."""
        self._clock = BusClock(simulated=settings.simulated_clock)
        self._is_set = False
        self._following = ClockCommands(self._clock, catalog, keys.current, keys.catch_up)
        self._orders = Orders(catalog, keys.current, keys.catch_up)
        self._commands = SideReader(settings, f"{client_id}-commands", [COMMAND], self._on_commands)

    def start(self) -> None:
        """Reads all commands there are. Raises RetryLater if the broker is away."""
        self._commands.start()

    def stop(self) -> None:
        """Ends the reading."""
        self._commands.stop()

    def orders(self) -> dict[str, int]:
        """Chains that the operator wants computed again, with the order's offset, since last asked."""
        return self._orders.chains()

    def stepped_over(self) -> SteppedOver:
        """Records of bus.admission that the operator wants stepped over where they are not the router's."""
        return self._orders.stepped_over()

    def notices(self) -> tuple[EnteredNotice, ...]:
        """Notices on holidays that the operator has entered."""
        return self._orders.notices()

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
        self._orders.note(batch.records)
        if self._clock.simulated and self._following.follow(batch.records):
            self._is_set = True
