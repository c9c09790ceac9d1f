"""The ledger on PostgreSQL: INSERT … SELECT FROM unnest, sent ahead while the next rows are made."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import psycopg
from sqlalchemy import URL, Connection, Engine, create_engine, event

from .postgres_arrays import (
    BinaryArray,
    BinaryArrayDumper,
    bytea_array,
    digest_array,
    int4_array,
    int8_array,
    text_array,
)
from .rules import Insert, NewRows
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
    driver_error: type[Exception] = psycopg.Error

    def __init__(self, url: URL) -> None:
        self.engine = create_engine(url, pool_pre_ping=True, connect_args={"connect_timeout": 10})
        self.readers: Engine = self.engine

        @event.listens_for(self.engine, "connect")
        def connected(connection: psycopg.Connection[Any], _record: object) -> None:
            # SQLAlchemy hands out a wrapper of the driver's connection, with the same adapters.
            connection.adapters.register_dumper(BinaryArray, BinaryArrayDumper)

    def lock_schema(self, connection: Connection) -> None:
        """Waits for another migration to end."""
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(%s)", (_SCHEMA_LOCK,))

    @contextmanager
    def inserting(self, connection: Connection) -> Iterator[Insert]:
        """Sends rows without waiting for the answers: the server stores them while the next are made."""
        driver: psycopg.Connection[Any] = connection.connection.driver_connection  # type: ignore[assignment]
        with driver.pipeline(), driver.cursor() as cursor:
            yield partial(_insert, cursor)

    def is_full(self, error: BaseException) -> bool:
        """Whether the disk is full or the database cannot be written."""
        return isinstance(error, _FULL)


def _insert(cursor: psycopg.Cursor[Any], rows: NewRows) -> None:
    def send(statement: str, *columns: BinaryArray) -> None:
        cursor.execute(statement, columns, prepare=True)

    # Batches and entries first: a writer that lost its partitions learns it before the rest is done.
    if rows.batches:
        send(_BATCH, *_batch_columns(rows.batches))
    if rows.entries:
        log_id, idx, koffset, event_id, key, headers, value, leaf, hashed = zip(*rows.entries, strict=True)
        send(
            _ENTRY,
            int4_array(log_id),
            int8_array(idx),
            int8_array(koffset),
            *map(bytea_array, (event_id, key, headers, value, leaf)),
            digest_array(hashed),
        )
    if rows.tiles:
        log_id, level, idx, root, hashes = zip(*rows.tiles, strict=True)
        arrays = int4_array(log_id), int4_array(level), int8_array(idx)
        send(_TILE, *arrays, digest_array(root), bytea_array(hashes))
    if rows.payloads:
        # In key order: neighbours go into the same index page.
        digests = sorted(rows.payloads)
        send(_PAYLOAD, digest_array(digests), bytea_array([rows.payloads[digest] for digest in digests]))


def _batch_columns(batches: Sequence[Sequence[Any]]) -> list[BinaryArray]:
    log_id, start, end, first, last, following, root, frontier, writer, at = zip(*batches, strict=True)
    numbers = map(int8_array, (start, end, first, last, following))
    arrays = digest_array(root), bytea_array(frontier), text_array(writer)
    return [int4_array(log_id), *numbers, *arrays, int8_array(at)]
