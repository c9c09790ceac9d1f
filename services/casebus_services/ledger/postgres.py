"""The ledger on PostgreSQL: many rows through COPY while the next are made, few through one round trip."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import psycopg
from sqlalchemy import URL, Connection, Engine, create_engine, event

from casebus_services.pooler import unprepared_behind_pooler
from casebus_services.sqlite_reading import FileToRead

from .appending import EntryColumns, Insert, NewRows
from .ledger_tables import POSTGRES
from .postgres_arrays import (
    BinaryArray,
    BinaryArrayDumper,
    bytea_array,
    digest_array,
    int4_array,
    int8_array,
    text_array,
)
from .postgres_copy import COPY_ENTRY, HEADER, TRAILER, entry_rows

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

WORTH_COPY = 200
"""Entries from which on a COPY gains more than its own round trips cost."""
PAYLOADS_AT_ONCE = 1000
"""Values of one statement: the server works on one while the next is encoded."""

_SCHEMA_LOCK = 0x6361736562757331
"""Number of the advisory lock for migrations: "casebus1"."""


class PostgresDatabase:
    """A ledger database. Several writers may share it: each log's fence is its batch row."""

    dialect = POSTGRES
    file: FileToRead | None = None
    driver_error: type[Exception] = psycopg.Error

    def __init__(self, url: URL) -> None:
        self.address = url.set(drivername=POSTGRES).render_as_string(hide_password=False)
        self.engine = create_engine(url, pool_pre_ping=True, connect_args={"connect_timeout": 10})
        self.readers: Engine = self.engine

        @event.listens_for(self.engine, "connect")
        def connected(connection: psycopg.Connection[Any], _record: object) -> None:
            # SQLAlchemy hands out a wrapper of the driver's connection, with the same adapters.
            connection.adapters.register_dumper(BinaryArray, BinaryArrayDumper)
            unprepared_behind_pooler(connection)

    def lock_schema(self, connection: Connection) -> None:
        """Waits for another migration to end."""
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(%s)", (_SCHEMA_LOCK,))

    @contextmanager
    def inserting(self, connection: Connection) -> Iterator[Insert]:
        """Sends rows without waiting for answers: the server stores entries while the next are made.

        Payloads, tiles and batches follow at the end in one round trip; what is sent in one go altogether
        needs only that.
        """
        driver: psycopg.Connection[Any] = connection.connection.driver_connection  # type: ignore[assignment]
        held = _Held()
        with ExitStack() as stack:
            yield partial(_take, driver, stack, held)
        with driver.pipeline(), driver.cursor() as cursor:
            _insert(cursor, held.rows)

    def is_full(self, error: BaseException) -> bool:
        """Whether the disk is full or the database cannot be written."""
        return isinstance(error, _FULL)


@dataclass(slots=True)
class _Held:
    """What one transaction stores at its end, and the COPY of its entries once there is one."""

    rows: NewRows = field(default_factory=NewRows)
    copy: psycopg.Copy | None = None


def _take(driver: psycopg.Connection[Any], stack: ExitStack, held: _Held, rows: NewRows) -> None:
    last = held.rows
    if held.copy is None and (len(last.entries) or len(rows.entries) >= WORTH_COPY):
        cursor = stack.enter_context(driver.cursor())
        held.copy = stack.enter_context(cursor.copy(COPY_ENTRY))
        stack.callback(held.copy.write, TRAILER)
        # The trailer comes before the end of the COPY: callbacks run in reverse order.
        held.copy.write(HEADER + entry_rows(last.entries))
        last.entries = EntryColumns()
    if held.copy is None:
        last.entries = rows.entries
    else:
        held.copy.write(entry_rows(rows.entries))
    last.batches.extend(rows.batches)
    last.tiles.extend(rows.tiles)
    last.payloads.update(rows.payloads)


def _insert(cursor: psycopg.Cursor[Any], rows: NewRows) -> None:
    def send(statement: str, *columns: BinaryArray) -> None:
        cursor.execute(statement, columns, prepare=True)

    # Batches and entries first: a writer that lost its partitions learns it before the rest is done.
    if rows.batches:
        send(_BATCH, *_batch_columns(rows.batches))
    entries = rows.entries
    if entries:
        send(
            _ENTRY,
            int4_array(entries.log_id),
            int8_array(entries.idx),
            int8_array(entries.koffset),
            bytea_array(entries.event_id),
            bytea_array(entries.key),
            bytea_array(entries.headers),
            bytea_array(entries.value_sha256),
            bytea_array(entries.leaf),
            digest_array(entries.leaf_hash),
        )
    if rows.tiles:
        log_id, level, idx, root, hashes = zip(*rows.tiles, strict=True)
        arrays = int4_array(log_id), int4_array(level), int8_array(idx)
        send(_TILE, *arrays, digest_array(root), bytea_array(hashes))
    if rows.payloads:
        # In key order: neighbours go into the same index page.
        digests = sorted(rows.payloads)
        for at in range(0, len(digests), PAYLOADS_AT_ONCE):
            some = digests[at : at + PAYLOADS_AT_ONCE]
            send(_PAYLOAD, digest_array(some), bytea_array([rows.payloads[digest] for digest in some]))


def _batch_columns(batches: Sequence[Sequence[Any]]) -> list[BinaryArray]:
    log_id, start, end, first, last, following, root, frontier, writer, at = zip(*batches, strict=True)
    numbers = map(int8_array, (start, end, first, last, following))
    arrays = digest_array(root), bytea_array(frontier), text_array(writer)
    return [int4_array(log_id), *numbers, *arrays, int8_array(at)]
