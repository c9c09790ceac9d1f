"""The operator's orders to one reconciler: kept as they are read, judged when they are asked for."""

import logging
from collections import deque
from collections.abc import Callable, Iterable

from casebus_schemas.admission.keyring import Keyring
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.errors import Refused, RetryLater
from casebus_schemas.law.calendars import EnteredNotice
from casebus_schemas.wire.records import Record
from casebus_services.commands import (
    NOTICE,
    RECOMPUTATION,
    STEP_OVER,
    Command,
    EnterNotice,
    Recompute,
    StepOver,
    command_of,
)

from .stepped_over import StepOverOrder, SteppedOver

log = logging.getLogger(__name__)


class Orders:
    """Takes the records of bus.command from their reader's thread; one other thread asks for the orders.

    Chains are to be computed again, records of bus.admission that are not the router's to be stepped over,
    notices on holidays to be counted by.

    `read_keys` reads on in the key topics and raises RetryLater if that cannot be done now: it is called only
    where an order is under a key that `keyring` does not hold.
    """

    def __init__(
        self, catalog: Catalog, keyring: Callable[[], Keyring], read_keys: Callable[[], None]
    ) -> None:
        self._catalog = catalog
        self._keyring = keyring
        self._read_keys = read_keys
        self._waiting: deque[Record] = deque()
        self._chains: dict[str, int] = {}
        self._over: dict[tuple[int, int, bytes], StepOverOrder] = {}
        self._notices: dict[bytes, EnteredNotice] = {}

    def note(self, records: Iterable[Record]) -> None:
        """Keeps the orders among the records."""
        self._waiting.extend(record for record in records if record.header("ce_type") in _WANTED)

    def chains(self) -> dict[str, int]:
        """The chains ordered since this was last asked, each with the offset of its last order."""
        self._judge()
        found, self._chains = self._chains, {}
        return found

    def stepped_over(self) -> SteppedOver:
        """All records that may be stepped over, each with its first order."""
        self._judge()
        return self._over

    def notices(self) -> tuple[EnteredNotice, ...]:
        """All notices on holidays that were entered, in the order of the orders."""
        self._judge()
        return tuple(self._notices.values())

    def _judge(self) -> None:
        while self._waiting:
            record = self._waiting[0]
            try:
                command = self._command(record)
            except RetryLater as error:
                log.warning("an order waits, the keys cannot be read just now: %s", error)
                return
            self._waiting.popleft()
            if isinstance(command, Recompute):
                self._chains[command.chain] = record.offset
            elif isinstance(command, StepOver):
                order = StepOverOrder.read(record, command)
                self._over.setdefault(order.named, order)
            elif isinstance(command, EnterNotice):
                self._notices.setdefault(command.entered.order, command.entered)

    def _command(self, record: Record) -> Command | None:
        try:
            return command_of(record, self._catalog, self._keyring())
        except Refused as refused:
            if refused.code == "unknown-key":
                self._read_keys()
            try:
                return command_of(record, self._catalog, self._keyring())
            except Refused as still:
                log.info("order at offset %d passed over: %s", record.offset, still)
                return None


_WANTED = (RECOMPUTATION.encode(), STEP_OVER.encode(), NOTICE.encode())
