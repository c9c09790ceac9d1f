"""What a running bus has kept of a demo, read as an auditor: ledger, accounts, and Kafka's own ends."""

import time
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from sqlalchemy import text

from casebus_consumers.accounts_reader import AccountsReader
from casebus_consumers.auditor.against_kafka import compare_with_kafka
from casebus_consumers.auditor.damage import VerifyReport
from casebus_consumers.auditor.same_roots import compare_ledgers, recorded_sizes
from casebus_consumers.auditor.signature_check import check_signatures
from casebus_consumers.auditor.verify import verify_ledger
from casebus_producers.config import KafkaLogin
from casebus_producers.keys.keys_reader import read_keyring
from casebus_producers.topic_reader import TopicReader
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.catalogue.topology import ADMISSION, AUDITOR, BUS_KEY, ledgered_topics
from casebus_schemas.connection import Connection
from casebus_schemas.errors import RetryLater
from casebus_schemas.evidence.genesis import read_genesis
from casebus_schemas.times import to_moment
from casebus_services.ledger.ledger_database import bus_errors, open_database
from casebus_services.ledger.rebuild import rebuild as rebuild_ledger
from casebus_services.reconciler.accounts_database import Database
from casebus_services.reconciler.arrivals import arrivals_of
from casebus_services.reconciler.rebuild import rebuild as rebuild_accounts

from .report import Check

WAIT_S = 60.0
"""How long the services may take to finish what is in flight, on a slow machine."""


class Evidence:
    """Reads only. Blocking; used by one thread."""

    def __init__(self, connection: Connection) -> None:
        self._genesis = None if connection.genesis_file is None else read_genesis(connection.genesis_file)
        self._ledger = open_database(connection.databases["ledger"], read_only=True)
        self._accounts = Database(connection.databases["accounts"], read_only=True)
        self._view = AccountsReader(connection.databases["accounts"])
        self._topics = [topic.name for topic in ledgered_topics(connection.partitions)]
        self._login = KafkaLogin.read(AUDITOR, connection)
        self._reader = TopicReader(self._login, self._topics)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._reader.close()
        self._ledger.engine.dispose()
        self._accounts.close()
        self._view.close()

    def wait_reconciled(self, digests: Sequence[bytes]) -> None:
        """Until the reconciler has these events in its accounts. Raises RetryLater if it takes too long."""
        marks = ",".join("?" * len(digests))
        query = f"SELECT count(*) FROM recon_event WHERE digest IN ({marks})"

        def there() -> bool:
            with self._accounts.reading() as transaction:
                return int(transaction.rows(query, list(digests))[0][0]) == len(digests)

        wait_for(there, f"{len(digests)} events in the accounts")

    def wait_passed(self, at: datetime) -> None:
        """Until a time of the clock has had its effect on every chain. Raises RetryLater after a while."""
        due = "SELECT count(*) FROM recon_chain WHERE wake_ms <= ?"

        def passed() -> bool:
            with self._accounts.reading() as transaction:
                return not transaction.rows(due, (to_moment(at),))[0][0]

        wait_for(passed, f"the terms that end by {at}")

    def wait_ledgered(self) -> None:
        """Until every record that stands in Kafka now is entered. Raises RetryLater if it takes too long."""
        wait_for(lambda: not self.not_ledgered(), "the ledger up to Kafka's ends")

    def not_ledgered(self) -> list[str]:
        """Partitions of which Kafka holds more than the ledger."""
        entered = self._next_offsets()
        return [
            f"{place.topic}/{place.partition}"
            for place, end in self._reader.ends().items()
            if end > entered.get((place.topic, place.partition), 0)
        ]

    def committed_at_ms(self, log: str, index: int) -> int:
        """When the ledger committed an entry, real time. `log` is `topic/partition`."""
        topic, _, partition = log.rpartition("/")
        place = {"topic": topic, "partition": int(partition), "index": index}
        with bus_errors(self._ledger), self._ledger.readers.begin() as connection:
            return int(connection.execute(_COMMITTED, place).scalar_one())

    def size(self) -> tuple[int, int]:
        """(entries, logs that hold any)."""
        with bus_errors(self._ledger), self._ledger.readers.begin() as connection:
            row = connection.execute(text(_SIZE)).one()
            return int(row[0]), int(row[1])

    def in_the_clear(self, what: str) -> int:
        """How many contents of the ledger hold a text."""
        with bus_errors(self._ledger), self._ledger.readers.begin() as connection:
            return int(connection.execute(_HOLDING, {"what": what.encode()}).scalar_one())

    def obligations(self, now: datetime) -> list[dict[str, Any]]:
        """Every obligation as JSON of records.md 5, in its state at a time of the bus's clock."""
        return self._view.obligations(now)

    def words(self) -> set[str]:
        """Ids of what the bus has said of obligations and findings."""
        with self._accounts.reading() as transaction:
            return {row[0] for row in transaction.rows("SELECT id FROM recon_outbox")}

    def findings(self) -> list[dict[str, Any]]:
        """Every finding as JSON of records.md 5, closed ones too."""
        return self._view.findings()

    def verified(self) -> Check:
        """Whether the ledger's tables hold together."""
        found = verify_ledger(self._ledger)
        check_signatures(self._ledger, found, genesis=self._genesis)
        fine = f"{found.entries} entries, {found.payloads} payloads in {len(found.logs)} logs"
        return Check.of("ledger", [str(damage) for damage in found.damages], fine)

    def verified_against_kafka(self) -> Check:
        """Whether ledger and topics hold the same."""
        found = VerifyReport()
        compare_with_kafka(self._ledger, self._login, self._topics, found, wait_s=1.0)
        fine = f"{found.compared} records, the same in Kafka and in the ledger"
        return Check.of("ledger-against-kafka", [str(damage) for damage in found.damages], fine)

    def ledger_rebuilt(self, scratch: Path) -> Check:
        """Whether a ledger made anew from Kafka has the same root at every recorded size."""
        url = f"sqlite:///{scratch}"
        sizes = recorded_sizes(self._ledger)
        entries = rebuild_ledger(self._login, self._topics, url)
        found = VerifyReport()
        anew = open_database(url, read_only=True)
        try:
            roots = compare_ledgers(self._ledger, anew, sizes, found)
        finally:
            anew.engine.dispose()
            scratch.unlink()
        fine = f"{entries} entries anew from Kafka, {roots} recorded roots the same"
        return Check.of("ledger-rebuild", [str(damage) for damage in found.damages], fine)

    def accounts_rebuilt(self) -> Check:
        """Whether accounts made anew from the admissions in Kafka are those that have grown, row for row."""
        with TopicReader(self._login, [ADMISSION]) as reader:
            records = list(reader.read_to(reader.ends()))
        arrivals = arrivals_of(records, read_keyring(self._login, Catalog.load(), (BUS_KEY,)))
        found = rebuild_accounts(self._accounts, Catalog.load(), arrivals)
        fine = f"{found.events} events of {found.chains} chains anew from Kafka, every row the same"
        return Check.of("accounts-rebuild", found.differences, fine)

    def _next_offsets(self) -> dict[tuple[str, int], int]:
        with bus_errors(self._ledger), self._ledger.readers.begin() as connection:
            return {(row[0], row[1]): row[2] for row in connection.execute(_NEXT)}


def wait_for(holds: Callable[[], bool], what: str, wait_s: float = WAIT_S) -> None:
    """Polls until it holds. Raises RetryLater after `wait_s`."""
    deadline = time.monotonic() + wait_s
    while not holds():
        if time.monotonic() > deadline:
            raise RetryLater(f"waited {wait_s:.0f} s in vain", expected=what, remedy="see the services' logs")
        time.sleep(0.02)


_NEXT = text(
    "SELECT topic, partition, max(next_offset) FROM batch JOIN log USING (log_id) "
    "WHERE kind = 'partition' GROUP BY 1, 2"
)
_HOLDING = text("SELECT count(*) FROM payload WHERE instr(value, :what) > 0")
_SIZE = "SELECT count(*), count(DISTINCT log_id) FROM entry JOIN log USING (log_id) WHERE kind = 'partition'"
_COMMITTED = text(
    "SELECT committed_at FROM batch JOIN log USING (log_id) "
    "WHERE topic = :topic AND partition = :partition AND start_index <= :index AND end_index > :index"
)
