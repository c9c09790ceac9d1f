"""Opens a SQLite file of an agency's: write-ahead log, on disk at each commit."""

import sqlite3
import time
from pathlib import Path

BUSY_TIMEOUT_S = 30
"""How long a writer waits for another one."""


def open_file(file: Path) -> sqlite3.Connection:
    """A connection without transactions of its own. Raises sqlite3.OperationalError if the file is locked."""
    connection = sqlite3.connect(file, isolation_level=None, timeout=BUSY_TIMEOUT_S, check_same_thread=False)
    started = time.monotonic()
    # While another process makes the same file, this is refused at once, whatever the time-out is.
    while not _is_write_ahead(connection):
        if time.monotonic() - started > BUSY_TIMEOUT_S:
            connection.close()
            raise sqlite3.OperationalError("database is locked")
        time.sleep(0.01)
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


def _is_write_ahead(connection: sqlite3.Connection) -> bool:
    try:
        return bool(connection.execute("PRAGMA journal_mode = WAL").fetchone() == ("wal",))
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
            raise
        return False
