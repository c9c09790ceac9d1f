"""The agency's own SQLite file: how it is opened, and transactions on it."""

import sqlite3
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from casebus_schemas.errors import RetryLater, UsageError

from .write_ahead import open_file

HEAD = "0008"
"""The newest revision of `migrations`: a file that has it is opened without reading them."""
_REVISED = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'outbox_revision'"
_REVISION = "SELECT version_num FROM outbox_revision"


class Database:
    """The file, made if it is new. WAL, every commit on disk. Threads get a connection each.

    By sqlite3 itself: SQLAlchemy's import would be a third of what a command takes to start, and its work on
    a statement four times SQLite's own.
    """

    def __init__(self, file: Path) -> None:
        """Raises UsageError if the file is of a newer version or no database, RetryLater if it is locked."""
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.file = file
        self._idle: deque[sqlite3.Connection] = deque()
        try:
            if self._revision() != HEAD:
                # Only here: most calls find the tables as they are to be.
                from .upgrading import upgrade

                upgrade(file, HEAD)
        except sqlite3.DatabaseError as error:
            self.close()
            raise UsageError(f"{file} is not a database", found=str(error)) from error
        except BaseException:
            self.close()
            raise
        file.chmod(0o600)

    def close(self) -> None:
        """Closes the connections that nobody uses."""
        while self._idle:
            self._idle.pop().close()

    @contextmanager
    def transaction(self, *, reads: bool = False) -> Iterator[sqlite3.Connection]:
        """A transaction, a writer from its start unless it only reads; then it waits for no writer.

        One that read and then wrote might find its snapshot outdated and fail without waiting.
        Raises RetryLater where the file is locked for long or cannot be written.
        """
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = self._connect()
        try:
            connection.execute("BEGIN" if reads else "BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT")
        except sqlite3.OperationalError as error:
            raise RetryLater(
                f"cannot {'read' if reads else 'write'} {self.file}",
                found=str(error),
                remedy="see whether its disk is full or another program holds it, then try again",
            ) from error
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            self._idle.append(connection)

    def _connect(self) -> sqlite3.Connection:
        try:
            return open_file(self.file)
        except sqlite3.OperationalError as error:
            raise RetryLater(f"cannot open {self.file}", found=str(error)) from error

    def _revision(self) -> str | None:
        with self.transaction(reads=True) as connection:
            if connection.execute(_REVISED).fetchone() is None:
                return None
            found: tuple[str] | None = connection.execute(_REVISION).fetchone()
            return None if found is None else found[0]
