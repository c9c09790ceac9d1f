"""The database of an agency's own view: its inbox as it was proven, and what was folded from it."""

import json
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from casebus_consumers.kept_file import KeptFile, carry_out, version_of
from casebus_schemas.wire.records import Record

VERSION = 2
"""Of the tables. A file of another version is made anew: all in it comes from the inbox and the outbox."""
NOTICE, FORGED, UNREADABLE = "notice", "forged", "unreadable"
_NAMES = ("inbox", "reading", "folded")
_TABLES = """
CREATE TABLE inbox (
    seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, notice TEXT UNIQUE, chain TEXT, speaker TEXT, type TEXT,
    digest BLOB, admitted_at_ms INTEGER, body TEXT NOT NULL,
    at_ms INTEGER, at_type INTEGER, key BLOB, value BLOB, headers TEXT
);
CREATE INDEX inbox_chain ON inbox (chain);
CREATE INDEX inbox_digest ON inbox (digest);
CREATE TABLE reading (topic TEXT PRIMARY KEY, next_offset INTEGER NOT NULL);
CREATE TABLE folded (
    chain TEXT PRIMARY KEY, inputs BLOB NOT NULL, from_ms INTEGER NOT NULL, until_ms INTEGER,
    view TEXT NOT NULL
);
"""
_COLUMNS = (
    "seq, kind, notice, chain, speaker, type, digest, admitted_at_ms, body, "
    "at_ms, at_type, key, value, headers"
)
# A notice that is delivered again at a later place is none; one that was read before is there.
_ADD = f"INSERT OR IGNORE INTO inbox ({_COLUMNS}) VALUES ({', '.join('?' * 14)})"
_LEAVE_AT = """
INSERT INTO reading (topic, next_offset) VALUES (?, ?)
ON CONFLICT (topic) DO UPDATE SET next_offset = max(next_offset, excluded.next_offset)
"""
_FOLDED = """
INSERT INTO folded (chain, inputs, from_ms, until_ms, view) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (chain) DO UPDATE SET inputs = excluded.inputs, from_ms = excluded.from_ms,
                                  until_ms = excluded.until_ms, view = excluded.view
"""


class Entry(NamedTuple):
    """A record of the inbox as it was read. Only a `notice` has the members behind `kind`.

    `body` is the JSON that `casebus inbox --json` prints; `value` to `headers` are the record's own.
    """

    seq: int
    kind: str
    notice: str | None
    chain: str | None
    speaker: str | None
    type: str | None
    digest: bytes | None
    admitted_at_ms: int | None
    body: str
    at_ms: int | None = None
    at_type: int | None = None
    key: bytes | None = None
    value: bytes | None = None
    headers: str | None = None


class Heading(NamedTuple):
    """What stands at a number of the inbox, without what it says."""

    seq: int
    kind: str
    notice: str | None
    type: str | None
    chain: str | None
    admitted_at_ms: int | None


def record_of(entry: Entry, topic: str) -> Record:
    """The record of a notice as it stood in the inbox."""
    headers = tuple((name, text.encode()) for name, text in json.loads(entry.headers or "[]"))
    return Record(topic, 0, entry.seq, entry.at_ms or 0, entry.at_type or 0, entry.key, entry.value, headers)


class Kept(NamedTuple):
    """A case as it was folded: from which events (`inputs`), and for which times it holds (ms, end open)."""

    inputs: bytes
    from_ms: int
    until_ms: int | None
    view: str


class OwnStore:
    """The file. Each call is one transaction, on disk when it returns; for several threads and processes."""

    def __init__(self, file: Path) -> None:
        """Makes the file if it is new. Raises UsageError if it is no database, RetryLater if it is locked."""
        self.file = file
        self._kept = KeptFile(file, _make)
        self._rows = self._kept.rows

    def close(self) -> None:
        """Closes the file."""
        self._kept.close()

    # --- writing -----------------------------------------------------------------------------------------

    def add(self, topic: str, entries: Sequence[Entry], next_offset: int) -> None:
        """Keeps what was read of a topic, and from where it is read on. Idempotent."""
        with self._kept.writing() as connection:
            connection.executemany(_ADD, entries)
            connection.execute(_LEAVE_AT, (topic, next_offset))

    def forget(self) -> None:
        """Drops everything: Kafka holds another inbox than the one that was read."""
        with self._kept.writing() as connection:
            for table in _NAMES:
                connection.execute(f"DELETE FROM {table}")

    def keep_folded(self, folded: Sequence[tuple[str, Kept]]) -> None:
        """Keeps cases as they were folded."""
        with self._kept.writing() as connection:
            connection.executemany(_FOLDED, [(chain, *kept) for chain, kept in folded])

    # --- reading -----------------------------------------------------------------------------------------

    def left_at(self, topic: str) -> int:
        """The offset from which a topic is read on."""
        rows = self._rows("SELECT next_offset FROM reading WHERE topic = ?", (topic,))
        return int(rows[0][0]) if rows else 0

    def last_notice(self) -> tuple[int, str] | None:
        """Number and id of the last notice."""
        rows = self._rows("SELECT seq, notice FROM inbox WHERE kind = 'notice' ORDER BY seq DESC LIMIT 1", ())
        return (rows[0][0], rows[0][1]) if rows else None

    def last_admitted_ms(self) -> int | None:
        """When the bus admitted the event of the last notice, ms since 1970 UTC."""
        query = "SELECT admitted_at_ms FROM inbox WHERE kind = 'notice' ORDER BY seq DESC LIMIT 1"
        rows = self._rows(query, ())
        return int(rows[0][0]) if rows else None

    def after(self, seq: int, limit: int) -> list[tuple[int, str, str]]:
        """(number, kind, JSON text) of what stands behind a number in the inbox, at most `limit`."""
        found = self._rows(
            "SELECT seq, kind, body FROM inbox WHERE seq > ? ORDER BY seq LIMIT ?", (seq, limit)
        )
        return [(row[0], row[1], row[2]) for row in found]

    def headings(self, seq: int, limit: int) -> list[Heading]:
        """What stands behind a number in the inbox, at most `limit`, without what it says."""
        query = (
            "SELECT seq, kind, notice, type, chain, admitted_at_ms FROM inbox "
            "WHERE seq > ? ORDER BY seq LIMIT ?"
        )
        return [Heading(*row) for row in self._rows(query, (seq, limit))]

    def holds(self, seq: int, notice: str | None) -> bool:
        """Whether this is what stands at a number: not where the inbox was read anew and is another one."""
        rows = self._rows("SELECT notice FROM inbox WHERE seq = ?", (seq,))
        return bool(rows) and rows[0][0] == notice

    def last_heading(self) -> Heading | None:
        """What came last."""
        query = "SELECT seq, kind, notice, type, chain, admitted_at_ms FROM inbox ORDER BY seq DESC LIMIT 1"
        rows = self._rows(query, ())
        return Heading(*rows[0]) if rows else None

    def notices(self, seqs: Sequence[int]) -> list[Entry]:
        """The true notices at these numbers, in their order."""
        marks = ", ".join("?" * len(seqs))
        where = f"kind = 'notice' AND seq IN ({marks})"
        query = f"SELECT {_COLUMNS} FROM inbox WHERE {where} ORDER BY seq"
        return [Entry(*row) for row in self._rows(query, seqs)]

    def numbers(self, notices: Sequence[str]) -> list[int]:
        """Numbers of the notices of these ids, in order."""
        marks = ", ".join("?" * len(notices))
        return [
            row[0]
            for row in self._rows(f"SELECT seq FROM inbox WHERE notice IN ({marks}) ORDER BY seq", notices)
        ]

    def entries_after(self, seq: int, limit: int) -> list[Entry]:
        """What stands behind a number, at most `limit`, without the records themselves."""
        query = "SELECT seq, kind, notice, chain, speaker, type, digest, admitted_at_ms, body FROM inbox "
        return [Entry(*row) for row in self._rows(query + "WHERE seq > ? ORDER BY seq LIMIT ?", (seq, limit))]

    def numbers_of_digest(self, digest: bytes) -> list[int]:
        """Numbers of the notices of the event of a digest, in order."""
        query = "SELECT seq FROM inbox WHERE digest = ? AND kind = 'notice' ORDER BY seq"
        return [row[0] for row in self._rows(query, (digest,))]

    def last_seq(self) -> int:
        """The number of the last record that was read, -1 where none was."""
        (row,) = self._rows("SELECT coalesce(max(seq), -1) FROM inbox", ())
        return int(row[0])

    def chains_after(self, seq: int) -> list[str]:
        """The chains of the notices behind a number."""
        query = "SELECT DISTINCT chain FROM inbox WHERE seq > ? AND kind = 'notice'"
        return [row[0] for row in self._rows(query, (seq,))]

    def of_chain(self, chain: str) -> list[Entry]:
        """The true notices of a chain, in the order of the inbox."""
        where = "chain = ? AND kind = 'notice'"
        query = f"SELECT {_COLUMNS} FROM inbox WHERE {where} ORDER BY seq"
        return [Entry(*row) for row in self._rows(query, (chain,))]

    def of_speaker(self, speaker: str, chain: str | None = None) -> list[Entry]:
        """The true notices of what an agency or the bus said, in all or one chain, in the inbox's order."""
        more = "" if chain is None else " AND chain = ?"
        query = f"SELECT {_COLUMNS} FROM inbox WHERE kind = 'notice' AND speaker = ?{more} ORDER BY seq"
        return [Entry(*row) for row in self._rows(query, (speaker,) if chain is None else (speaker, chain))]

    def chains(self) -> list[str]:
        """Ids of the chains of which something was heard."""
        return [row[0] for row in self._rows("SELECT DISTINCT chain FROM inbox WHERE kind = 'notice'", ())]

    def folded(self, chain: str) -> Kept | None:
        """A case as it was folded last."""
        rows = self._rows("SELECT inputs, from_ms, until_ms, view FROM folded WHERE chain = ?", (chain,))
        return Kept(bytes(rows[0][0]), *rows[0][1:]) if rows else None


def _make(connection: sqlite3.Connection, _file: Path) -> None:
    if version_of(connection) == VERSION:
        return
    for table in _NAMES:
        connection.execute(f"DROP TABLE IF EXISTS {table}")
    carry_out(connection, _TABLES)
    connection.execute(f"PRAGMA user_version = {VERSION}")
