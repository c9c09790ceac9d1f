"""How the services open SQLite: one file, one writer, write-ahead log, every commit on disk."""

import sqlite3
import time

from sqlalchemy import Connection, Engine, event

BUSY_TIMEOUT_S = 30.0
"""How long a transaction, or the change to the write-ahead log, waits for another process."""
_PAUSE_S = 0.01


def configure(engine: Engine, *, read_only: bool) -> None:
    """Every transaction takes the write lock at once; readers (`casebus_reads`) keep no writer waiting."""

    @event.listens_for(engine, "connect")
    def connected(connection: sqlite3.Connection, _record: object) -> None:
        # Python's own implicit BEGIN is deferred: the lock would come only with the first insert.
        connection.isolation_level = None
        if read_only:
            connection.execute("PRAGMA query_only=ON")
        else:
            write_ahead(connection)
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA wal_autocheckpoint=8000")
        connection.execute("PRAGMA foreign_keys=ON")

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        reads = read_only or connection.get_execution_options().get("casebus_reads")
        connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


def write_ahead(connection: sqlite3.Connection, timeout_s: float = BUSY_TIMEOUT_S) -> None:
    """Changes a file to the write-ahead log, waiting while others that start with it hold its lock.

    SQLite answers "database is locked" to this change at once, whatever the connection's time-out is.
    Raises sqlite3.OperationalError after `timeout_s`.
    """
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
            if not busy or time.monotonic() > deadline:
                raise
            time.sleep(_PAUSE_S)
