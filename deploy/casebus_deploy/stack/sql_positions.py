"""How far ledger and reconciler have come, by their databases: what Kafka's groups say proves nothing."""

from collections.abc import Callable, Mapping
from contextlib import closing

from casebus_schemas.catalogue.topology import ADMISSION, TopicSpec, ledgered_topics, topic
from casebus_schemas.connection import Connection
from casebus_schemas.errors import BusError
from casebus_schemas.wire.records import TopicPartition

Positions = dict[TopicPartition, int]


def sql_positions(connection: Connection) -> dict[str, Positions | None]:
    """The next offset of each partition of their topics, by service; None where a database cannot be read."""
    admission = topic(ADMISSION, connection.partitions)
    assert admission is not None  # it is in the catalogue
    return {
        "ledger": _positions(
            lambda: _of_ledger(connection.databases), ledgered_topics(connection.partitions)
        ),
        "reconciler": _positions(lambda: _of_accounts(connection.databases), (admission,)),
    }


def _positions(read: Callable[[], Positions], topics: tuple[TopicSpec, ...]) -> Positions | None:
    try:
        known = read()
    except (BusError, KeyError):
        return None
    places = [TopicPartition(spec.name, number) for spec in topics for number in range(spec.partitions)]
    return {place: known.get(place, 0) for place in places}


def _of_ledger(databases: Mapping[str, str]) -> Positions:
    from casebus_consumers.auditor.ledger_rows import snapshot
    from casebus_services.ledger.ledger_database import open_database

    database = open_database(databases["ledger"], read_only=True)
    try:
        with snapshot(database) as rows:
            return rows.next_offsets()
    finally:
        database.engine.dispose()


def _of_accounts(databases: Mapping[str, str]) -> Positions:
    from casebus_consumers.accounts_reader import AccountsReader

    with closing(AccountsReader(databases["accounts"])) as reader:
        return reader.next_offsets()
