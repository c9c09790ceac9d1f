"""The ledger on SQLite: one file, one writer, WAL with synchronous=FULL."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, create_engine

from casebus_services.sqlite_files import BUSY_TIMEOUT_S, configure
from casebus_services.sqlite_reading import FileToRead, not_there

from .appending import Insert, NewRows
from .ledger_tables import SQLITE

_FULL = ("SQLITE_FULL", "SQLITE_READONLY", "SQLITE_IOERR")


class SqliteDatabase:
    """A ledger file. Every transaction takes the write lock at once, waiting up to 30 s for it."""

    dialect = SQLITE
    driver_error: type[Exception] = sqlite3.Error

    def __init__(self, url: URL, *, read_only: bool = False) -> None:
        self.address = url.render_as_string(hide_password=False)
        self.file: FileToRead | None = None
        if read_only and url.database:
            if problem := not_there(url.database, "ledger"):
                raise problem
            self.file = FileToRead(Path(url.database))
            self.engine = self.file.engine()
        else:
            self.engine = create_engine(url, connect_args={"timeout": BUSY_TIMEOUT_S})
            configure(self.engine, read_only=read_only)
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
