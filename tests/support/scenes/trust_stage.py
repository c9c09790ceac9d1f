"""What a bus said and entered, seen alike on the real stack and where its admissions are read once more."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from casebus_schemas.admission.keyring import Keyring
from casebus_schemas.case.chain import as_uuid
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.catalogue.topology import ADMISSION, BUS_KEY, FINDING
from casebus_schemas.wire.codec import decode
from casebus_schemas.wire.records import Outgoing, Record
from casebus_schemas.wire.signing import SigningKey
from casebus_services.reconciler.accounts_database import Database
from casebus_services.reconciler.agent import ReconcilerAgent
from casebus_services.reconciler.announce import Announcer
from support.events.admissions import KnownKeys, MemorySink, batch_of
from support.scenes.crash_run import Databases
from support.scenes.fault_stack import FaultStack
from support.scenes.kafka_view import KafkaView


@dataclass(frozen=True, slots=True)
class Seen:
    """Findings as agencies hear of them, and the accounts database.

    `heard` gives the findings of which an agency hears, each with the type of the event that says so.
    """

    heard: Callable[[str], list[tuple[str, dict[str, Any]]]]
    rows: Callable[[str], list[tuple[Any, ...]]]

    def words(self, agency: str, chain: str) -> str:
        """All that an agency hears of a matter, as text."""
        return repr(self.about(agency, chain))

    def about(self, agency: str, chain: str) -> list[tuple[str, dict[str, Any]]]:
        """What an agency hears of a matter, in order."""
        return [said for said in self.heard(agency) if str(as_uuid(said[1]["chain"])) == chain]


def on_the_stack(stack: FaultStack) -> Seen:
    """As it is delivered to the inboxes, and as the reconciler's tables have it."""
    assert stack.broker is not None
    view = KafkaView(stack.broker)

    def heard(agency: str) -> list[tuple[str, dict[str, Any]]]:
        return [one for record in view.read(f"inbox.{agency}") for one in _findings(record)]

    def rows(sql: str) -> list[tuple[Any, ...]]:
        databases = Databases(stack)
        try:
            return [tuple(row) for row in databases.rows("accounts", sql)]
        finally:
            databases.close()

    return Seen(heard, rows)


def read_once_more(stack: FaultStack, file: Path) -> Seen:
    """As a reconciler in this process takes the bus's own admissions, in their order."""
    assert stack.broker is not None
    view = KafkaView(stack.broker)
    catalog, sink = Catalog.load(), MemorySink()
    keys = KnownKeys(Keyring(catalog).extend(view.read(BUS_KEY)))
    database = Database(f"sqlite:///{file}")
    database.migrate()
    announcer = Announcer(catalog, SigningKey(bytes(32)), view.partitions)
    agent = ReconcilerAgent(database, catalog, announcer, sink, lambda: None, keys, incarnation=1)
    of_partition: dict[int, list[Record]] = {}
    for record in view.read(ADMISSION):
        of_partition.setdefault(record.partition, []).append(record)
    agent.handle([batch_of(records) for records in of_partition.values()])
    with database.reading() as transaction:
        tables = {sql: [tuple(row) for row in transaction.rows(sql)] for sql in (EVENTS, FINDINGS)}
    database.close()

    def heard(agency: str) -> list[tuple[str, dict[str, Any]]]:
        return [
            one
            for said in sink.sent
            if said.topic == FINDING
            for one in _findings(said)
            if agency in _addressed(said)
        ]

    return Seen(heard, tables.__getitem__)


EVENTS = "SELECT digest FROM recon_event"
FINDINGS = "SELECT id, rule, state FROM recon_finding"


def _findings(record: Record | Outgoing) -> Iterable[tuple[str, dict[str, Any]]]:
    schema, data = decode(Catalog.load(), record.value)
    return [(schema.type, finding) for finding in data.get("findings", ())]


def _addressed(record: Outgoing) -> set[str]:
    return {to.partition("/")[0] for to in decode(Catalog.load(), record.value)[1]["envelope"]["to"]}
