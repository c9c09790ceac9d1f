"""The ledger on PostgreSQL: one INSERT … SELECT FROM unnest per table and transaction."""

from collections.abc import Sequence

import psycopg
from sqlalchemy import URL, Connection, Engine, create_engine
from sqlalchemy.exc import DBAPIError

from .rules import BatchRow, EntryRow, TileRow
from .schema import POSTGRES

_BATCH = (
    "INSERT INTO batch SELECT * FROM unnest(%b::int[], %b::bigint[], %b::bigint[], %b::bigint[], "
    "%b::bigint[], %b::bigint[], %b::bytea[], %b::bytea[], %b::text[], %b::bigint[])"
)
_PAYLOAD = "INSERT INTO payload SELECT * FROM unnest(%b::bytea[], %b::bytea[]) ON CONFLICT DO NOTHING"
_ENTRY = (
    "INSERT INTO entry SELECT * FROM unnest(%b::int[], %b::bigint[], %b::bigint[], %b::bytea[], %b::bytea[], "
    "%b::bytea[], %b::bytea[], %b::bytea[], %b::bytea[])"
)
_TILE = "INSERT INTO tile SELECT * FROM unnest(%b::int[], %b::int[], %b::bigint[], %b::bytea[], %b::bytea[])"

_FULL = (psycopg.errors.DiskFull, psycopg.errors.ReadOnlySqlTransaction, psycopg.errors.IoError)

_SCHEMA_LOCK = 0x6361736562757331
"""Number of the advisory lock for migrations: "casebus1"."""


class PostgresDatabase:
    """A ledger database. Several writers may share it: each log's fence is its batch row."""

    dialect = POSTGRES

    def __init__(self, url: URL) -> None:
        self.engine = create_engine(url, pool_pre_ping=True, connect_args={"connect_timeout": 10})
        self.readers: Engine = self.engine

    def lock_schema(self, connection: Connection) -> None:
        """Waits for another migration to end."""
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(%s)", (_SCHEMA_LOCK,))

    def insert_batches(self, connection: Connection, rows: Sequence[BatchRow]) -> None:
        """Takes the fences, in the order of the logs so that two writers never wait in a circle."""
        connection.exec_driver_sql(_BATCH, _columns(sorted(rows)))

    def insert_payloads(self, connection: Connection, payloads: dict[bytes, bytes]) -> None:
        """Stores the values that are not stored yet.

        In key order: two writers that share values (an event and its admission) then wait for each other
        instead of locking each other out, and neighbours go into the same index page.
        """
        if payloads:
            connection.exec_driver_sql(_PAYLOAD, _columns(sorted(payloads.items())))

    def insert_entries(self, connection: Connection, rows: Sequence[EntryRow]) -> None:
        """Stores entries."""
        connection.exec_driver_sql(_ENTRY, _columns(rows))

    def insert_tiles(self, connection: Connection, rows: Sequence[TileRow]) -> None:
        """Stores full tiles."""
        if rows:
            connection.exec_driver_sql(_TILE, _columns(rows))

    def is_full(self, error: DBAPIError) -> bool:
        """Whether the disk is full or the database cannot be written."""
        return isinstance(
            error.orig,
            (psycopg.errors.DiskFull, psycopg.errors.ReadOnlySqlTransaction, psycopg.errors.IoError),
        )


def _columns(rows: Sequence[Sequence[object]]) -> tuple[list[object], ...]:
    return tuple(list(column) for column in zip(*rows, strict=True))
