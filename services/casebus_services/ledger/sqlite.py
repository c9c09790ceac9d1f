"""The ledger on SQLite: one file, one writer, WAL with synchronous=FULL."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, create_engine, event

from casebus_schemas.errors import UsageError

from .rules import Insert, NewRows
from .schema import SQLITE

_FULL = ("SQLITE_FULL", "SQLITE_READONLY", "SQLITE_IOERR")


class SqliteDatabase:
    """A ledger file. Every transaction takes the write lock at once, waiting up to 30 s for it."""

    dialect = SQLITE
    driver_error: type[Exception] = sqlite3.Error

    def __init__(self, url: URL, *, read_only: bool = False) -> None:
        if read_only and url.database and not Path(url.database).is_file():
            # Connecting would create an empty file, and the verdict on that would be about nothing.
            raise UsageError(
                "there is no such ledger file", found=url.database, expected="a ledger's database"
            )
        self.engine = create_engine(url, connect_args={"timeout": 30})
        _configure(self.engine, read_only=read_only)
        self.readers: Engine = self.engine.execution_options(casebus_reads=True)

    def lock_schema(self, connection: Connection) -> None:
        """The transaction itself is the lock."""

    @contextmanager
    def inserting(self, connection: Connection) -> Iterator[Insert]:
        """Stores rows as they come."""
        yield partial(_insert, connection)

    def is_full(self, error: BaseException) -> bool:
        """Whether the disk is full or the file cannot be written."""
        name = getattr(error, "sqlite_errorname", None) or ""
        return name.startswith(_FULL)


def _insert(connection: Connection, rows: NewRows) -> None:
    run = connection.exec_driver_sql
    if rows.batches:
        run("INSERT INTO batch VALUES (?,?,?,?,?,?,?,?,?,?)", list(rows.batches))
    if rows.entries:
        run("INSERT INTO entry VALUES (?,?,?,?,?,?,?,?,?)", list(rows.entries.rows()))
    if rows.tiles:
        run("INSERT INTO tile VALUES (?,?,?,?,?)", list(rows.tiles))
    if rows.payloads:
        # In key order, which is that of the index.
        run("INSERT OR IGNORE INTO payload VALUES (?,?)", sorted(rows.payloads.items()))


def _configure(engine: Engine, *, read_only: bool) -> None:
    @event.listens_for(engine, "connect")
    def connected(connection: sqlite3.Connection, _record: object) -> None:
        # Python's own implicit BEGIN is deferred: the lock would come only with the first insert.
        connection.isolation_level = None
        if read_only:
            connection.execute("PRAGMA query_only=ON")
        else:
            connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA wal_autocheckpoint=8000")
        connection.execute("PRAGMA foreign_keys=ON")

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        reads = read_only or connection.get_execution_options().get("casebus_reads")
        connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")
