"""What a witness keeps in a SQLite file of its own: the head last cosigned, and all that it compares."""

import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from threading import RLock
from typing import NamedTuple

from casebus_schemas.errors import RetryLater, StopService, UsageError
from casebus_schemas.evidence.checkpoint import Checkpoint
from casebus_schemas.evidence.epoch import LogHead
from casebus_schemas.evidence.merkle import Frontier
from casebus_schemas.evidence.signed_note import NoteSignature, SignedNote
from casebus_schemas.evidence.witness import Head

BUSY_TIMEOUT_S = 30
ENROL = "casebus keys witness --new enrols another key (docs/how-to/run-a-witness.md)"
_VERSION = 1
_TABLES = """
CREATE TABLE witness (one INTEGER PRIMARY KEY CHECK (one = 1), key TEXT NOT NULL, ended TEXT);
CREATE TABLE cosigned (one INTEGER PRIMARY KEY CHECK (one = 1), size INTEGER NOT NULL,
    root BLOB NOT NULL, note BLOB NOT NULL, line TEXT NOT NULL, at INTEGER NOT NULL);
CREATE TABLE seen (size INTEGER PRIMARY KEY, root BLOB NOT NULL, note BLOB NOT NULL);
CREATE TABLE followed (one INTEGER PRIMARY KEY CHECK (one = 1), size INTEGER NOT NULL, epochs BLOB);
CREATE TABLE copy (origin TEXT PRIMARY KEY, head TEXT NOT NULL, frontier BLOB, next_offset INTEGER);
CREATE TABLE position (topic TEXT PRIMARY KEY, next_offset INTEGER NOT NULL);
CREATE TABLE evidence (id INTEGER PRIMARY KEY, at INTEGER NOT NULL, kind TEXT NOT NULL, detail TEXT NOT NULL,
    ours BLOB, theirs BLOB, UNIQUE (kind, detail));
"""


class Cosigned(NamedTuple):
    """What was cosigned last; `at` in seconds since 1970 UTC."""

    head: Head
    note: SignedNote
    line: NoteSignature
    at: int

    @property
    def whole(self) -> SignedNote:
        """The log's note with the witness's line."""
        return self.note.with_signatures([self.line])


class Evidence(NamedTuple):
    """What shows that the log, or its bus, is not honest: two notes where there are two, and words."""

    at: int
    kind: str
    detail: str
    ours: bytes | None
    theirs: bytes | None


class KeyEnded(StopService):
    """The key may not sign any more: its state is lost, or older than its own cosignatures."""


class State:
    """The file of one key. Threads may share it; a `transaction` is alone, and on disk when it ends."""

    def __init__(self, file: Path, key: str) -> None:
        """Opens the state of this key (a vkey). KeyEnded or UsageError where it cannot sign."""
        self.file = file
        self._lock = RLock()
        if not file.exists():
            raise KeyEnded(
                f"the witness's state {file} is lost",
                found="no file",
                expected=f"the state of {key}",
                remedy=ENROL,
            )
        self._connection = _connect(file)
        try:
            (version,) = self._connection.execute("PRAGMA user_version").fetchone()
            row = self._connection.execute("SELECT key, ended FROM witness").fetchone()
        except sqlite3.DatabaseError as error:
            raise UsageError(f"{file} is no witness's state", found=str(error)) from error
        if version != _VERSION:
            raise UsageError(f"{file} is of another version", found=version, expected=_VERSION)
        if row is None or row[0] != key:
            self.close()
            raise UsageError(f"{file} is the state of another key", found=row and row[0], expected=key)
        if row[1] is not None:
            self.close()
            raise KeyEnded("the witness's key has ended", found=row[1], remedy=ENROL)

    @staticmethod
    def key_in(file: Path) -> str | None:
        """Whose state a file is, as a vkey; None where there is none that can be read."""
        if not file.exists():
            return None
        try:
            with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as connection:
                row = connection.execute("SELECT key FROM witness").fetchone()
        except sqlite3.DatabaseError:
            return None
        return None if row is None else str(row[0])

    @classmethod
    def make(cls, file: Path, key: str) -> None:
        """Makes the empty state of a new key, in place of what was there."""
        fresh = file.with_name(file.name + ".new")
        fresh.unlink(missing_ok=True)
        connection = sqlite3.connect(fresh, isolation_level=None)
        connection.executescript(f"BEGIN; {_TABLES} PRAGMA user_version = {_VERSION}; COMMIT;")
        connection.execute("INSERT INTO witness (one, key) VALUES (1, ?)", (key,))
        connection.close()
        fresh.chmod(0o600)
        fresh.replace(file)

    def close(self) -> None:
        """Closes the file."""
        self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator["Tables"]:
        """A transaction that writes. Raises RetryLater where the file cannot be written."""
        with self._lock:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                yield Tables(self._connection)
                self._connection.execute("COMMIT")
            except sqlite3.OperationalError as error:
                raise RetryLater(
                    f"cannot write {self.file}",
                    found=str(error),
                    remedy="see whether its disk is full or another program holds it",
                ) from error
            finally:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")


class Tables:
    """The rows, within a transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._run = connection.execute
        self._many = connection.executemany

    def end(self, why: str) -> None:
        """The key signs nothing any more."""
        self._run("UPDATE witness SET ended = ?", (why,))

    def cosigned(self) -> Cosigned | None:
        """What was cosigned last."""
        row = self._run("SELECT size, root, note, line, at FROM cosigned").fetchone()
        if row is None:
            return None
        line = NoteSignature.parse(row[3])
        return Cosigned(Head(row[0], row[1]), SignedNote.parse(row[2]), line, row[4])

    def cosign(self, checkpoint: Checkpoint, note: SignedNote, line: NoteSignature, at: int) -> None:
        """Stores a cosignature, before anybody hears of it."""
        self._run("DELETE FROM cosigned")
        values = (checkpoint.size, checkpoint.root, note.to_bytes(), str(line), at)
        self._run("INSERT INTO cosigned VALUES (1, ?, ?, ?, ?, ?)", values)

    def seen(self, size: int) -> tuple[bytes, SignedNote] | None:
        """Root and note of a size, as the log showed it first."""
        row = self._run("SELECT root, note FROM seen WHERE size = ?", (size,)).fetchone()
        return None if row is None else (row[0], SignedNote.parse(row[1]))

    def see(self, checkpoint: Checkpoint, note: SignedNote) -> None:
        """Remembers a head that was followed or cosigned."""
        values = (checkpoint.size, checkpoint.root, note.to_bytes())
        self._run("INSERT OR IGNORE INTO seen VALUES (?, ?, ?)", values)

    def followed(self) -> Head | None:
        """The newest head on bus.checkpoint that extends all before it."""
        row = self._run("SELECT f.size, s.root FROM followed f JOIN seen s ON s.size = f.size").fetchone()
        return None if row is None else Head(*row)

    def epochs(self) -> Frontier:
        """The head log over all epochs followed; empty for who is no mirror."""
        row = self._run("SELECT size, epochs FROM followed").fetchone()
        return Frontier() if row is None or row[1] is None else Frontier.from_bytes(row[0], row[1])

    def follow(self, size: int, epochs: Frontier | None = None) -> None:
        """Remembers how far the log was followed."""
        self._run("DELETE FROM followed")
        values = (size, None if epochs is None else epochs.to_bytes())
        self._run("INSERT INTO followed VALUES (1, ?, ?)", values)

    def copies(self) -> list[tuple[LogHead, Frontier | None, int]]:
        """All heads of the last epoch followed; of logs that are read also their tree and next offset."""
        return [
            (
                head := LogHead.parse(text),
                None if raw is None else Frontier.from_bytes(head.size, raw),
                next_offset or 0,
            )
            for text, raw, next_offset in self._run("SELECT head, frontier, next_offset FROM copy")
        ]

    def copy(self, rows: Iterable[tuple[LogHead, Frontier | None, int]]) -> None:
        """Replaces these heads."""
        self._many(
            "INSERT OR REPLACE INTO copy VALUES (?, ?, ?, ?)",
            [
                (head.origin, head.text(), None if tree is None else tree.to_bytes(), next_offset)
                for head, tree, next_offset in rows
            ],
        )

    def positions(self) -> dict[str, int]:
        """Next offset of each topic of checkpoints and cosignatures."""
        return dict(self._run("SELECT topic, next_offset FROM position"))

    def move(self, positions: Mapping[str, int]) -> None:
        """Remembers how far topics were read."""
        self._many("INSERT OR REPLACE INTO position VALUES (?, ?)", list(positions.items()))

    def evidence(self) -> list[Evidence]:
        """All that was found, oldest first."""
        return [Evidence(*row) for row in self._run("SELECT at, kind, detail, ours, theirs FROM evidence")]

    def keep(self, kind: str, detail: str, ours: SignedNote | None, theirs: SignedNote | None) -> None:
        """Keeps evidence; once for the same words."""
        notes = (None if note is None else note.to_bytes() for note in (ours, theirs))
        self._run(
            "INSERT OR IGNORE INTO evidence (at, kind, detail, ours, theirs) VALUES (?, ?, ?, ?, ?)",
            (int(time.time()), kind, detail, *notes),
        )


def _connect(file: Path) -> sqlite3.Connection:
    try:
        connection = sqlite3.connect(
            file, isolation_level=None, timeout=BUSY_TIMEOUT_S, check_same_thread=False
        )
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
    except sqlite3.OperationalError as error:
        raise RetryLater(f"cannot open {file}", found=str(error)) from error
    except sqlite3.DatabaseError as error:
        raise UsageError(f"{file} is no database", found=str(error)) from error
    return connection
