"""Reads the accounts database; of a SQLite file without SQLAlchemy, for which every command would wait."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Protocol

from casebus_schemas.errors import RetryLater
from casebus_services.sqlite_reading import FileToRead, not_there

_FILE = "sqlite:///"


class Rows(Protocol):
    """A transaction as far as it reads."""

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[Any]:
        """The rows of a query, whose parameters are written `?`."""


class Reading(Protocol):
    """A database as far as it is read."""

    @property
    def holds(self) -> str:
        """The condition that the value of an event `e` holds the bytes of one parameter."""

    def reading(self) -> AbstractContextManager[Rows]:
        """A transaction that only reads and keeps no writer waiting."""

    def close(self) -> None:
        """Closes the connections."""


def open_reading(url: str) -> Reading:
    """The accounts database for reading. Raises UsageError if it does not exist."""
    if url.startswith(_FILE) and "?" not in url:
        return _File(Path(url.removeprefix(_FILE)))
    from .accounts_database import Database

    return Database(url, read_only=True)


class _File:
    holds = "instr(e.value, ?) > 0"

    def __init__(self, file: Path) -> None:
        if problem := not_there(str(file), "accounts"):
            raise problem
        self._file = FileToRead(file)

    def close(self) -> None:
        pass

    @contextmanager
    def reading(self) -> Iterator[Rows]:
        try:
            connection = self._file.connect()
            try:
                connection.isolation_level = None
                connection.execute("PRAGMA query_only=ON")
                connection.execute("BEGIN")
                yield _Rows(connection)
            finally:
                connection.close()
        except sqlite3.DatabaseError as error:
            raise RetryLater(
                "the accounts database cannot be read", found=str(error), remedy="try again"
            ) from error


class _Rows:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[Any]:
        return self._connection.execute(sql, tuple(parameters)).fetchall()
