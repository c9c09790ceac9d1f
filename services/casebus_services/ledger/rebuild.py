"""Rebuilds a ledger from Kafka into an empty database; its roots are those of the old one at every size."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial

from casebus_schemas.errors import UsageError
from casebus_schemas.wire.records import Batch, TopicPartition
from casebus_services.streams.connection import ConnectionSettings
from casebus_services.streams.side_reader import SideReader

from .agent import LedgerAgent, Load
from .first_held import first_held
from .store import LedgerStore

READ_TIMEOUT_S = 24 * 3600.0
RECORDS_AT_ONCE = 5000

Told = Callable[[int], None]
"""Told how many records are ledgered so far."""


class NoReceipts:
    """A rebuild tells nobody: every agency has its receipts already."""

    def own(self, partitions: Iterable[TopicPartition]) -> None:
        """Nothing to do."""

    def announce(self, partitions: Iterable[TopicPartition]) -> None:
        """Nothing to do."""

    def check(self) -> None:
        """Nothing can fail."""


def rebuild(
    settings: ConnectionSettings, topics: Sequence[str], url: str, told: Told = lambda _done: None
) -> int:
    """Ledgers every record of the topics into the database at `url`; gives how many.

    Raises UsageError unless that database has no entries yet, Gap if Kafka no longer holds the topics whole.
    """
    store = LedgerStore(url, writer="rebuild")
    try:
        if store.next_offsets_of_all():
            raise UsageError("the database for the rebuild is not empty", expected="a new file or database")
        taker = _Taker(LedgerAgent(store, NoReceipts(), partial(first_held, settings), Load()), told)
        reader = SideReader(settings, "ledger-rebuild", topics, taker.take)
        try:
            reader.start(READ_TIMEOUT_S)
        finally:
            reader.stop()
        taker.flush()
        return taker.done
    finally:
        store.close()


class _Taker:
    """Gathers runs until they are worth a transaction."""

    def __init__(self, agent: LedgerAgent, told: Told) -> None:
        self._agent = agent
        self._told = told
        self._held: list[Batch] = []
        self._records = 0
        self.done = 0

    def take(self, batch: Batch) -> None:
        """One more run."""
        self._held.append(batch)
        self._records += len(batch.records)
        if self._records >= RECORDS_AT_ONCE:
            self.flush()

    def flush(self) -> None:
        """Ledgers what is held."""
        if self._held:
            self._agent.handle(self._held)
            self.done += self._records
            self._held, self._records = [], 0
            self._told(self.done)
