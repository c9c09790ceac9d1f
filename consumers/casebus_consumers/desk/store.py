"""The desk's own database beside the outbox: officers, sessions, what was read, who looked at what."""

import secrets
import sqlite3
from pathlib import Path

from casebus_consumers.kept_file import KeptFile, carry_out, version_of
from casebus_schemas.errors import UsageError

from .tables import STEPS

_SECRET_BYTES = 32


def desk_file(folder: Path) -> Path:
    """The database in an agency's folder."""
    return folder / "desk.db"


def operators_folder(bus: Path) -> Path:
    """Where the desk of the bus's operator keeps its database, below the folder of connection.json."""
    return bus / "operator"


class DeskStore(KeptFile):
    """The file, for several threads and processes."""

    def __init__(self, file: Path) -> None:
        """Makes the file if it is new, and brings older tables up. Raises UsageError if it is no database or
        of a later version, RetryLater if it is locked."""
        super().__init__(file, _bring_up)

    def secret(self, name: str) -> bytes:
        """A random secret of this desk, made when it is first asked for."""
        with self.writing() as connection:
            connection.execute(
                "INSERT OR IGNORE INTO secret (name, value) VALUES (?, ?)",
                (name, secrets.token_bytes(_SECRET_BYTES)),
            )
            row = connection.execute("SELECT value FROM secret WHERE name = ?", (name,)).fetchone()
        return bytes(row[0])


def _bring_up(connection: sqlite3.Connection, file: Path) -> None:
    version = version_of(connection)
    if version > len(STEPS):
        raise UsageError(
            f"{file} was written by a later version",
            found=version,
            expected=f"at most {len(STEPS)}",
            remedy="use the later version of casebus",
        )
    for step in STEPS[version:]:
        carry_out(connection, step)
    connection.execute(f"PRAGMA user_version = {len(STEPS)}")
