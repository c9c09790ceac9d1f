"""Which files of a drop folder were taken, and what became of each of their rows."""

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from casebus_consumers.kept_file import KeptFile, made_once

from ..answers import Answer, after

_VERSION = 1
_TABLES = """
CREATE TABLE file (name TEXT PRIMARY KEY, digest TEXT NOT NULL, taken_at_ms INTEGER NOT NULL);
CREATE TABLE line (
    file TEXT NOT NULL REFERENCES file, number INTEGER NOT NULL, event TEXT NOT NULL, answer TEXT NOT NULL,
    columns TEXT NOT NULL, PRIMARY KEY (file, number)
);
CREATE INDEX line_event ON line (event);
CREATE TABLE place (one INTEGER PRIMARY KEY CHECK (one = 1), receipt INTEGER NOT NULL)
"""


class Line(NamedTuple):
    """A row of a file, its answer, and the heads of its columns by JSON pointer."""

    number: int
    answer: Answer
    columns: Mapping[str, str]


def folder_file(folder: Path) -> Path:
    """What the door keeps of its drop folder, beside the outbox."""
    return folder / "drop-folder.db"


class DropStore:
    """The file. Each call is one transaction, on disk when it returns."""

    def __init__(self, file: Path) -> None:
        self._kept = KeptFile(file, made_once(_TABLES, _VERSION))

    def name_for(self, name: str, digest: str) -> str:
        """Under which name a file of that content is kept: its own, unless another content has that."""
        known = self._kept.rows("SELECT digest FROM file WHERE name = ?", (name,))
        if not known or known[0][0] == digest:
            return name
        stem, dot, suffix = name.rpartition(".")
        return f"{stem}-{digest[:12]}{dot}{suffix}"

    def keep(self, name: str, digest: str, lines: Sequence[Line]) -> None:
        """Keeps the answers to all rows of a file. Idempotent."""
        with self._kept.writing() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO file (name, digest, taken_at_ms) VALUES (?, ?, ?)",
                (name, digest, time.time_ns() // 1_000_000),
            )
            connection.execute("DELETE FROM line WHERE file = ?", (name,))
            connection.executemany(
                "INSERT INTO line (file, number, event, answer, columns) VALUES (?, ?, ?, ?, ?)",
                [
                    (name, one.number, one.answer.id, json.dumps(one.answer), json.dumps(one.columns))
                    for one in lines
                ],
            )

    def lines(self, name: str) -> list[Line]:
        """The rows of a file, in their order."""
        query = "SELECT number, answer, columns FROM line WHERE file = ? ORDER BY number"
        rows = self._kept.rows(query, (name,))
        return [Line(row[0], Answer(*json.loads(row[1])), json.loads(row[2])) for row in rows]

    def refused_by_door(self, limit: int) -> list[tuple[str, int, list[tuple[int, Mapping[str, Any]]]]]:
        """Files of which the door did not take rows, the newest first: name, when, the rows' refusals."""
        query = (
            "SELECT f.name, f.taken_at_ms, l.number, l.answer FROM file f JOIN line l ON l.file = f.name "
            "ORDER BY f.taken_at_ms DESC, f.name, l.number"
        )
        found: dict[str, tuple[str, int, list[tuple[int, Mapping[str, Any]]]]] = {}
        for name, taken_at_ms, number, text in self._kept.rows(query):
            answer = Answer(*json.loads(text))
            if answer.state != "refused" or (answer.refusal or {}).get("by") != "door":
                continue
            if name not in found and len(found) == limit:
                break
            found.setdefault(name, (name, taken_at_ms, []))[2].append((number, answer.refusal or {}))
        return list(found.values())

    def place(self) -> int:
        """The number of the last receipt that was brought to the answers."""
        rows = self._kept.rows("SELECT receipt FROM place")
        return int(rows[0][0]) if rows else -1

    def bring(self, receipts: Iterable[Mapping[str, Any]], place: int) -> set[str]:
        """Brings receipts to the answers of their rows; the names of the files whose answers changed."""
        changed = set()
        with self._kept.writing() as connection:
            for receipt in receipts:
                query = "SELECT file, number, answer FROM line WHERE event = ?"
                for file, number, text in connection.execute(query, (receipt["event"]["id"],)).fetchall():
                    old = Answer(*json.loads(text))
                    if (new := after(old, receipt)) != old:
                        values = (json.dumps(new), file, number)
                        connection.execute("UPDATE line SET answer = ? WHERE file = ? AND number = ?", values)
                        changed.add(file)
            connection.execute("INSERT OR REPLACE INTO place (one, receipt) VALUES (1, ?)", (place,))
        return changed
