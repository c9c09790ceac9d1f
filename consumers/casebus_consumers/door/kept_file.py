"""A SQLite file of the door's own: its tables, and transactions that are on disk when they end."""

import sqlite3
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from casebus_schemas.errors import RetryLater, UsageError

_BUSY_TIMEOUT_S = 30


class KeptFile:
    """The file, made if it is new, mode 0600. For several threads and processes."""

    def __init__(self, file: Path, *, tables: str, version: int) -> None:
        """Raises UsageError if it is no such file or of another version, RetryLater if it is locked."""
        self.file = file
        self._idle: deque[sqlite3.Connection] = deque()
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        file.touch(mode=0o600)
        try:
            with self._open() as connection:
                connection.execute("BEGIN IMMEDIATE")
                (found,) = connection.execute("PRAGMA user_version").fetchone()
                if found == 0:
                    for statement in tables.split(";"):
                        connection.execute(statement)
                    connection.execute(f"PRAGMA user_version = {version}")
                connection.execute("COMMIT")
        except sqlite3.OperationalError as error:
            raise RetryLater(f"cannot open {file}", found=str(error)) from error
        except sqlite3.DatabaseError as error:
            raise UsageError(f"{file} is not a database", found=str(error)) from error
        if found not in (0, version):
            raise UsageError(f"{file} is of another version", found=found, expected=version)

    def rows(self, query: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """What a query finds. Raises RetryLater."""
        try:
            with self._open() as connection:
                return connection.execute(query, tuple(parameters)).fetchall()
        except sqlite3.OperationalError as error:
            raise RetryLater(f"cannot read {self.file}", found=str(error)) from error

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction, on disk after the block or not there at all. Raises RetryLater."""
        try:
            with self._open() as connection:
                connection.execute("BEGIN IMMEDIATE")
                yield connection
                connection.execute("COMMIT")
        except sqlite3.OperationalError as error:
            raise RetryLater(
                f"cannot write {self.file}",
                found=str(error),
                remedy="see whether its disk is full or another program holds it, then try again",
            ) from error

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = self._connect()
        try:
            yield connection
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            # Kept: whoever closes the last one moves the whole log into the file, with all its flushes.
            self._idle.append(connection)

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.file, isolation_level=None, timeout=_BUSY_TIMEOUT_S, check_same_thread=False
        )
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        return connection
