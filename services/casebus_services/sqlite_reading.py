"""Reads a SQLite file, in use or at rest or a copy of one, and changes nothing of it or beside it.

A file with a write-ahead log cannot be opened without one: SQLite makes `-wal` and `-shm` beside it, and
cannot where it may not write. So a file in use is read together with its users; one that nobody uses is read
as it is, or, where a `-wal` stands beside it, through a folder of our own.
"""

import os
import shutil
import sqlite3
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from casebus_schemas.errors import RetryLater, UsageError

if TYPE_CHECKING:  # a command that reads a file must start without SQLAlchemy
    from sqlalchemy import Engine

_BUSY_TIMEOUT_S = 30

_LOCKS = Path("/proc/locks")
_WRITE_AHEAD = b"\2\2"
"""Bytes 18 and 19 of a file that is used with a write-ahead log."""


class FileToRead:
    """One file, and how each connection to it is made. The caller has seen that it exists."""

    def __init__(self, file: Path) -> None:
        self._file = file.absolute()
        self._wal = self._beside("-wal")
        self._shm = self._beside("-shm")
        self._copy: TemporaryDirectory[str] | None = None
        self._at_rest: tuple[int, int] | None = None

    def engine(self) -> "Engine":
        """Connections that read only, each made anew: by then somebody may have begun to use the file."""
        from sqlalchemy import NullPool, create_engine

        from .sqlite_files import configure

        # The colons of a file's URI never come from its name.
        engine = create_engine("sqlite://", creator=self.connect, poolclass=NullPool)
        configure(engine, read_only=True)
        return engine

    def unmoved(self) -> None:
        """Raises RetryLater if a file that was read as one at rest was written meanwhile."""
        if self._at_rest not in (None, _state(self._file)):
            raise RetryLater(
                "the file was written while it was read as one that nobody uses",
                found=str(self._file),
                remedy="call again",
            )

    def lacks_its_log(self) -> bool:
        """Whether it was used with a write-ahead log that does not stand beside it."""
        with self._file.open("rb") as opened:
            return opened.read(20)[18:] == _WRITE_AHEAD and not self._wal.exists()

    def _beside(self, ending: str) -> Path:
        return self._file.with_name(self._file.name + ending)

    def connect(self) -> sqlite3.Connection:
        """A connection that reads only."""
        if self._shm.exists() and _is_locked(self._shm):
            self._at_rest = None
            return _open(self._file, "mode=ro")
        if self._at_rest is None:
            self._at_rest = _state(self._file)
        if self._wal.exists() and self._wal.stat().st_size:
            return _open(self._twin(), "mode=ro")
        return _open(self._file, "mode=ro&immutable=1")

    def _twin(self) -> Path:
        """The same file under a name of ours, with its log: what SQLite makes beside it is ours, too."""
        if self._copy is None:
            self._copy = TemporaryDirectory(prefix="casebus-read-")
            twin = Path(self._copy.name) / self._file.name
            try:
                os.link(self._file, twin)
            except OSError:  # another device, or one that cannot be written
                shutil.copyfile(self._file, twin)
            shutil.copyfile(self._wal, twin.with_name(twin.name + "-wal"))
        return Path(self._copy.name) / self._file.name


def not_there(file: str | None, what: str) -> UsageError | None:
    """The problem with a file that is to be read and does not exist: connecting would make an empty one."""
    if file and not Path(file).is_file():
        return UsageError(f"there is no such {what} file", found=file, expected=f"the database of the {what}")
    return None


def _open(file: Path, how: str) -> sqlite3.Connection:
    return sqlite3.connect(
        f"{file.as_uri()}?{how}", uri=True, timeout=_BUSY_TIMEOUT_S, check_same_thread=False
    )


def _state(file: Path) -> tuple[int, int]:
    found = file.stat()
    return found.st_mtime_ns, found.st_size


def _is_locked(shm: Path) -> bool:
    """Whether a process holds a lock on it, as each one does that has the database open.

    Read from the system's list: whoever opens and closes a file loses all locks that his process has on it.
    """
    try:
        held = _LOCKS.read_text(encoding="ascii")
    except OSError:  # not Linux: then it is taken to be in use
        return True
    number = str(shm.stat().st_ino)
    return any(number == word.rpartition(":")[2] for line in held.splitlines() for word in line.split()[5:6])
