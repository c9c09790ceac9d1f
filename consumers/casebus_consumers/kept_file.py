"""A SQLite file of an agency's: its tables, kept connections, transactions that are on disk when they end."""

import sqlite3
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from casebus_producers.write_ahead import open_file
from casebus_schemas.errors import RetryLater, UsageError

Make = Callable[[sqlite3.Connection, Path], None]
"""Brings the tables of a file up, in a transaction. Raises UsageError for a file that it cannot use."""


def version_of(connection: sqlite3.Connection) -> int:
    """The version that a file's tables have, 0 for a new file."""
    (found,) = connection.execute("PRAGMA user_version").fetchone()
    return int(found)


def made_once(tables: str, version: int) -> Make:
    """Tables that are made in a new file; a file of another version is refused."""

    def make(connection: sqlite3.Connection, file: Path) -> None:
        found = version_of(connection)
        if found == 0:
            carry_out(connection, tables)
            connection.execute(f"PRAGMA user_version = {version}")
        elif found != version:
            raise UsageError(f"{file} is of another version", found=found, expected=version)

    return make


def carry_out(connection: sqlite3.Connection, statements: str) -> None:
    """Executes statements parted by semicolons; `executescript` would end the transaction."""
    for statement in statements.split(";"):
        connection.execute(statement)


class KeptFile:
    """The file, made if it is new, mode 0600. For several threads and processes."""

    def __init__(self, file: Path, make: Make) -> None:
        """Raises UsageError if it is no database or not to be used, RetryLater if it is locked."""
        self.file = file
        self._idle: deque[sqlite3.Connection] = deque()
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        file.touch(mode=0o600)
        try:
            with self._open() as connection:
                connection.execute("BEGIN IMMEDIATE")
                make(connection, file)
                connection.execute("COMMIT")
        except sqlite3.OperationalError as error:
            raise RetryLater(f"cannot open {file}", found=str(error)) from error
        except sqlite3.DatabaseError as error:
            self.close()
            raise UsageError(f"{file} is not a database", found=str(error)) from error
        except UsageError:
            self.close()
            raise

    def close(self) -> None:
        """Closes the connections that nobody uses; the next call opens another one."""
        while self._idle:
            self._idle.pop().close()

    def rows(self, query: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """What a query finds. Raises RetryLater."""
        with self.reading() as connection:
            return connection.execute(query, tuple(parameters)).fetchall()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection to read with; each statement sees what is there then. Raises RetryLater."""
        try:
            with self._open() as connection:
                yield connection
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
            connection = open_file(self.file)
        try:
            yield connection
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            # Kept: whoever closes the last one moves the whole log into the file, with all its flushes.
            self._idle.append(connection)
