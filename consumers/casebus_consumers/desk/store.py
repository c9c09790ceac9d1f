"""The desk's own database beside the outbox: officers, sessions, what was read, who looked at what."""

import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from casebus_schemas.errors import RetryLater, UsageError

from .tables import STEPS

_BUSY_TIMEOUT_S = 30
_SECRET_BYTES = 32


def desk_file(folder: Path) -> Path:
    """The database in an agency's folder."""
    return folder / "desk.db"


def operators_folder(bus: Path) -> Path:
    """Where the desk of the bus's operator keeps its database, below the folder of connection.json."""
    return bus / "operator"


class DeskStore:
    """The file, for several threads and processes."""

    def __init__(self, file: Path) -> None:
        """Makes the file if it is new, and brings older tables up. Raises UsageError if it is no database or
        of a later version, RetryLater if it is locked."""
        self.file = file
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        file.touch(mode=0o600, exist_ok=True)
        try:
            with self.writing() as connection:
                self._bring_up(connection)
        except sqlite3.DatabaseError as error:
            raise UsageError(f"{file} is not a database", found=str(error)) from error

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction, on disk when it ends well and undone when it does not."""
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
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection to read with."""
        try:
            with self._open() as connection:
                yield connection
        except sqlite3.OperationalError as error:
            raise RetryLater(f"cannot read {self.file}", found=str(error)) from error

    def secret(self, name: str) -> bytes:
        """A random secret of this desk, made when it is first asked for."""
        with self.writing() as connection:
            connection.execute(
                "INSERT OR IGNORE INTO secret (name, value) VALUES (?, ?)",
                (name, secrets.token_bytes(_SECRET_BYTES)),
            )
            row = connection.execute("SELECT value FROM secret WHERE name = ?", (name,)).fetchone()
        return bytes(row[0])

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        connection = sqlite3.connect(self.file, isolation_level=None, timeout=_BUSY_TIMEOUT_S)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA foreign_keys = ON")
            yield connection
        finally:
            connection.close()  # what was not committed is rolled back

    def _bring_up(self, connection: sqlite3.Connection) -> None:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version > len(STEPS):
            raise UsageError(
                f"{self.file} was written by a later version",
                found=version,
                expected=f"at most {len(STEPS)}",
                remedy="use the later version of casebus",
            )
        for step in STEPS[version:]:
            for statement in step.split(";"):
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {len(STEPS)}")
