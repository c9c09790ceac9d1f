"""The operator's orders to compute a chain again: kept as they are read, judged when they are asked for."""

import logging
from collections import deque
from collections.abc import Callable, Iterable

from casebus_schemas.admission.keyring import Keyring
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.errors import Refused, RetryLater
from casebus_schemas.wire.records import Record
from casebus_services.commands import RECOMPUTATION, Recompute, command_of

log = logging.getLogger(__name__)


class ChainOrders:
    """Takes the records of bus.command from their reader's thread; one other thread asks for the orders.

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

    def note(self, records: Iterable[Record]) -> None:
        """Keeps the orders among the records."""
        wanted = RECOMPUTATION.encode()
        self._waiting.extend(record for record in records if record.header("ce_type") == wanted)

    def take(self) -> dict[str, int]:
        """The chains ordered since this was last asked, each with the offset of its last order."""
        found: dict[str, int] = {}
        while self._waiting:
            record = self._waiting[0]
            try:
                chain = self._chain(record)
            except RetryLater as error:
                log.warning("an order waits, the keys cannot be read just now: %s", error)
                return found
            self._waiting.popleft()
            if chain is not None:
                found[chain] = record.offset
        return found

    def _chain(self, record: Record) -> str | None:
        try:
            command = command_of(record, self._catalog, self._keyring())
        except Refused as refused:
            if refused.code == "unknown-key":
                self._read_keys()
            try:
                command = command_of(record, self._catalog, self._keyring())
            except Refused as still:
                log.info("order at offset %d passed over: %s", record.offset, still)
                return None
        return command.chain if isinstance(command, Recompute) else None
