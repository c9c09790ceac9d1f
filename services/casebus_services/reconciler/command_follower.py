"""Follows the operator's commands to one reconciler: what time it is, which chains to compute again."""

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

from .chain_orders import ChainOrders

log = logging.getLogger(__name__)


class CommandFollower:
    """The bus's clock, and the operator's orders about chains, for one worker.

    Commands are read whole, outside any group. A command counts only under a key of the bus: with a simulated
    clock the keys are read from the start, else only once there is an order.
    """

    def __init__(self, settings: ServiceSettings, client_id: str, catalog: Catalog) -> None:
        self._clock = BusClock(simulated=settings.simulated_clock)
        self._keyring = Keyring(catalog)
        self._lock = threading.Lock()
        self._is_set = False
        self._reads_keys = False
        self._keys = SideReader(settings, f"{client_id}-keys", key_topics(), self._on_keys)
        self._following = ClockCommands(self._clock, catalog, lambda: self._keyring, self._keys.catch_up)
        self._orders = ChainOrders(catalog, lambda: self._keyring, self._read_keys)
        self._commands = SideReader(settings, f"{client_id}-commands", [COMMAND], self._on_commands)

    def start(self) -> None:
        """Reads all commands there are. Raises RetryLater if the broker is away."""
        if self._clock.simulated:
            self._read_keys(30.0)
        self._commands.start()

    def stop(self) -> None:
        """Ends the readers."""
        self._commands.stop()
        if self._reads_keys:
            self._keys.stop()

    def orders(self) -> dict[str, int]:
        """Chains that the operator wants computed again, with the order's offset, since last asked."""
        return self._orders.take()

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

    def _read_keys(self, timeout_s: float = 5.0) -> None:
        # Within a tick: what is not read in time is read on beside it, and the order waits.
        if self._reads_keys:
            self._keys.catch_up(timeout_s)
        else:
            self._reads_keys = True
            self._keys.start(timeout_s)

    def _on_keys(self, batch: Batch) -> None:
        with self._lock:
            self._keyring = self._keyring.extend(batch.records)

    def _on_commands(self, batch: Batch) -> None:
        self._orders.note(batch.records)
        if self._clock.simulated and self._following.follow(batch.records):
            self._is_set = True
