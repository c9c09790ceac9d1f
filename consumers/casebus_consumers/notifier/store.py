"""Mailboxes and what they were told of; mails, each until the server has taken it."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from casebus_consumers.door.deliveries import ADD_MESSAGE, ADDRESS_STANDING, MESSAGES, Deliveries
from casebus_consumers.kept_file import KeptFile, made_once

_VERSION = 1
_TABLES = f"""
CREATE TABLE address (
    name TEXT PRIMARY KEY, inbox_seq INTEGER NOT NULL, inbox_notice TEXT, written_at_ms INTEGER NOT NULL,
{ADDRESS_STANDING});
{MESSAGES};
CREATE TABLE mentioned (address TEXT NOT NULL REFERENCES address, key TEXT NOT NULL,
    PRIMARY KEY (address, key)) WITHOUT ROWID
"""
_MAILBOX = (
    "name, inbox_seq, inbox_notice, written_at_ms, failures, failing_since_ms, paused_until_ms, told_at_ms, "
    "problem"
)


class Mailbox(NamedTuple):
    """One mailbox: how far the inbox was told to it, when it was last written to, how it stands."""

    name: str
    inbox_seq: int
    inbox_notice: str | None
    written_at_ms: int
    failures: int
    failing_since_ms: int | None
    paused_until_ms: int
    told_at_ms: int | None
    problem: str | None


def notify_file(folder: Path) -> Path:
    """Mailboxes and mails of an agency, beside its outbox."""
    return folder / "notify.db"


class NotifyStore(Deliveries):
    """The file. Each call is one transaction, on disk when it returns; for several threads and processes."""

    def __init__(self, file: Path, clock_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000) -> None:
        super().__init__(KeptFile(file, made_once(_TABLES, _VERSION)), clock_ms)

    def add(self, names: Sequence[str], place: tuple[int, str | None], written_at_ms: int) -> None:
        """Mailboxes that are told of what comes behind a place of the inbox; known ones stay as they are."""
        rows = [(name, *place, written_at_ms) for name in names]
        with self._kept.writing() as connection:
            connection.executemany(
                "INSERT OR IGNORE INTO address (name, inbox_seq, inbox_notice, written_at_ms) "
                "VALUES (?, ?, ?, ?)",
                rows,
            )

    def mailbox(self, name: str) -> Mailbox:
        """One that was added."""
        return Mailbox(*self._kept.rows(f"SELECT {_MAILBOX} FROM address WHERE name = ?", (name,))[0])

    def mailboxes(self) -> list[Mailbox]:
        """All that were ever added, by name."""
        return [Mailbox(*row) for row in self._kept.rows(f"SELECT {_MAILBOX} FROM address ORDER BY name")]

    def fresh(self, name: str, keys: Sequence[str]) -> set[str]:
        """Those of these occasions of which a mailbox was not told yet."""
        known: set[str] = set()
        for start in range(0, len(keys), 500):
            some = keys[start : start + 500]
            marks = ", ".join("?" * len(some))
            query = f"SELECT key FROM mentioned WHERE address = ? AND key IN ({marks})"
            known.update(row[0] for row in self._kept.rows(query, (name, *some)))
        return set(keys) - known

    def write(
        self,
        name: str,
        keys: Sequence[str],
        mail: tuple[str, str] | None,
        place: tuple[int, str | None] | None,
        *,
        looked: bool,
    ) -> None:
        """Keeps a mail, with the occasions that it tells of and the place up to which it does, or neither.

        `looked`: it was time to write, and there was nothing.
        """
        now = self.now_ms()
        with self._kept.writing() as connection:
            if mail is not None:
                connection.execute(ADD_MESSAGE, (name, *mail, now, now))
            if mail is not None or looked:
                connection.execute("UPDATE address SET written_at_ms = ? WHERE name = ?", (now, name))
            connection.executemany(
                "INSERT OR IGNORE INTO mentioned (address, key) VALUES (?, ?)", [(name, key) for key in keys]
            )
            if place is not None:
                connection.execute(
                    "UPDATE address SET inbox_seq = ?, inbox_notice = ? WHERE name = ?", (*place, name)
                )
