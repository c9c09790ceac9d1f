"""What the door tells the agency's systems: addresses with their secrets and places, messages."""

import re
import sqlite3
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from casebus_consumers.kept_file import KeptFile, made_once
from casebus_schemas.errors import UsageError

from ..addresses import target_of
from .signing import SYMMETRIC, new_secret

EVENTS = ("notice.arrived", "receipt.refused", "receipt.admitted", "receipt.ledgered")
"""What an address may be told of."""
DEFAULT_EVENTS = EVENTS[:2]
FORMER_SECRET_MS = 24 * 3_600_000
"""So long the secret before the last one signs beside it."""
_VERSION = 1
_TABLES = """
CREATE TABLE address (
    name TEXT PRIMARY KEY, url TEXT NOT NULL, events TEXT NOT NULL, secret TEXT NOT NULL,
    former_secret TEXT, former_until_ms INTEGER NOT NULL DEFAULT 0,
    inbox_seq INTEGER NOT NULL, inbox_notice TEXT, receipt_seq INTEGER NOT NULL,
    gone INTEGER NOT NULL DEFAULT 0, failures INTEGER NOT NULL DEFAULT 0, failing_since_ms INTEGER,
    paused_until_ms INTEGER NOT NULL DEFAULT 0, told_at_ms INTEGER, problem TEXT
);
CREATE TABLE message (
    address TEXT NOT NULL REFERENCES address, id TEXT NOT NULL, body TEXT,
    state TEXT NOT NULL, attempts INTEGER NOT NULL, queued_at_ms INTEGER NOT NULL,
    next_at_ms INTEGER NOT NULL, told_at_ms INTEGER, problem TEXT, PRIMARY KEY (address, id)
);
CREATE INDEX message_due ON message (address, state, next_at_ms)
"""
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,40}\Z")
_ADDRESS = (
    "name, url, events, secret, former_secret, former_until_ms, inbox_seq, inbox_notice, receipt_seq, gone, "
    "failures, failing_since_ms, paused_until_ms, told_at_ms, problem"
)
_ADD_MESSAGE = """
INSERT OR IGNORE INTO message (address, id, body, state, attempts, queued_at_ms, next_at_ms)
VALUES (?, ?, ?, 'waiting', 0, ?, ?)
"""
_DUE = """
SELECT id, body, attempts FROM message WHERE address = ? AND state = 'waiting' AND next_at_ms <= ?
ORDER BY next_at_ms, rowid LIMIT 1
"""
_TOLD = """
UPDATE message SET state = 'told', attempts = attempts + 1, told_at_ms = ?, body = NULL, problem = NULL
WHERE address = ? AND id = ? AND state = 'waiting'
"""
_MISSED = """
UPDATE message SET state = ?, attempts = attempts + 1, next_at_ms = ?, problem = ?
WHERE address = ? AND id = ? AND state = 'waiting'
"""
_WELL = """
UPDATE address SET failures = 0, failing_since_ms = NULL, paused_until_ms = 0, problem = NULL, {}
WHERE name = ?
"""
_ILL = """
UPDATE address SET failures = failures + 1, failing_since_ms = coalesce(failing_since_ms, ?),
                   paused_until_ms = ?, gone = gone OR ?, problem = ? WHERE name = ?
"""
_AGAIN = """
UPDATE message SET state = 'waiting', attempts = 0, next_at_ms = ? WHERE address = ? AND state = 'failed'
"""


class Address(NamedTuple):
    """A system that is told, and how it stands. Times are ms since 1970 UTC."""

    name: str
    url: str
    events: str
    secret: str
    former_secret: str | None
    former_until_ms: int
    inbox_seq: int
    inbox_notice: str | None
    receipt_seq: int
    gone: int
    failures: int
    failing_since_ms: int | None
    paused_until_ms: int
    told_at_ms: int | None
    problem: str | None

    def secrets(self, now_ms: int) -> list[str]:
        """The secrets under which a message is signed now."""
        former = self.former_secret if now_ms < self.former_until_ms else None
        return [self.secret, *([former] if former else [])]

    @property
    def state(self) -> str:
        """`gone`: it answered 410 and is told no more; `failing`: its last call failed; else `well`."""
        return "gone" if self.gone else "failing" if self.failures else "well"


@dataclass(frozen=True, slots=True)
class Message:
    """What is to be told: its bytes are made once, so that each attempt says the same."""

    id: str
    body: str


@dataclass(frozen=True, slots=True)
class Due:
    """A message whose time has come."""

    id: str
    body: bytes
    attempts: int


def webhooks_file(folder: Path) -> Path:
    """Addresses and messages of an agency's door, beside its outbox."""
    return folder / "webhooks.db"


class WebhookStore:
    """The file. Each call is one transaction, on disk when it returns; for several threads and processes."""

    def __init__(self, file: Path, clock_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000) -> None:
        self._kept = KeptFile(file, made_once(_TABLES, _VERSION))
        self.now_ms = clock_ms

    # --- addresses ---------------------------------------------------------------------------------------

    def add(
        self,
        name: str,
        url: str,
        events: Sequence[str],
        *,
        asymmetric: bool,
        places: tuple[int, str | None, int],
    ) -> str:
        """A new address and its secret; it is told what comes behind `places` (inbox, its notice, receipts).

        Raises UsageError for a name that is none or is taken, a URL that is none, an event that is none.
        """
        if not _NAME.match(name):
            raise UsageError(
                "no name of an address",
                found=repr(name)[:60],
                expected="small letters, digits and hyphens, at most 41",
            )
        if unknown := [one for one in events if one not in EVENTS] or not events:
            raise UsageError("no event of a webhook", found=repr(unknown), expected="of " + ", ".join(EVENTS))
        target_of(url)
        secret = new_secret(asymmetric=asymmetric)
        try:
            with self._kept.writing() as connection:
                connection.execute(
                    "INSERT INTO address (name, url, events, secret, inbox_seq, inbox_notice, receipt_seq)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?)",
                    (name, url, ",".join(events), secret, *places),
                )
        except sqlite3.IntegrityError as error:
            raise UsageError(
                "an address of that name is there",
                found=name,
                expected="another name",
                remedy="remove it first",
            ) from error
        return secret

    def remove(self, name: str) -> None:
        """Ends an address and what waits for it. Raises UsageError if there is none."""
        self.address(name)
        with self._kept.writing() as connection:
            connection.execute("DELETE FROM message WHERE address = ?", (name,))
            connection.execute("DELETE FROM address WHERE name = ?", (name,))

    def rotate(self, name: str) -> str:
        """A new secret; the one before signs beside it for a day. Raises UsageError if there is none."""
        former = self.address(name).secret
        secret = new_secret(asymmetric=not former.startswith(SYMMETRIC))
        with self._kept.writing() as connection:
            connection.execute(
                "UPDATE address SET secret = ?, former_secret = ?, former_until_ms = ? WHERE name = ?",
                (secret, former, self.now_ms() + FORMER_SECRET_MS, name),
            )
        return secret

    def address(self, name: str) -> Address:
        """One address. Raises UsageError if there is none of that name."""
        for one in (known := self.addresses()):
            if one.name == name:
                return one
        raise UsageError(
            "no such address of a webhook",
            found=name,
            expected=", ".join(one.name for one in known) or "one that was added",
        )

    def addresses(self) -> list[Address]:
        """All, by name."""
        return [Address(*row) for row in self._kept.rows(f"SELECT {_ADDRESS} FROM address ORDER BY name")]

    # --- messages ----------------------------------------------------------------------------------------

    def take(
        self,
        name: str,
        messages: Sequence[Message],
        *,
        inbox: tuple[int, str | None] | None = None,
        receipts: int | None = None,
    ) -> None:
        """Keeps messages to be told with the place up to which they were taken. Those known are not added."""
        now = self.now_ms()
        with self._kept.writing() as connection:
            connection.executemany(_ADD_MESSAGE, [(name, one.id, one.body, now, now) for one in messages])
            if inbox is not None:
                connection.execute(
                    "UPDATE address SET inbox_seq = ?, inbox_notice = ? WHERE name = ?", (*inbox, name)
                )
            if receipts is not None:
                connection.execute("UPDATE address SET receipt_seq = ? WHERE name = ?", (receipts, name))

    def due(self, name: str) -> Due | None:
        """The message whose time came first, None where none is due."""
        rows = self._kept.rows(_DUE, (name, self.now_ms()))
        return None if not rows else Due(rows[0][0], rows[0][1].encode(), rows[0][2])

    def note_told(self, name: str, id: str) -> None:
        """The address has acknowledged a message: it is never told again."""
        now = self.now_ms()
        with self._kept.writing() as connection:
            connection.execute(_TOLD, (now, name, id))
            connection.execute(_WELL.format("told_at_ms = ?"), (now, name))

    def note_missed(
        self, name: str, id: str, problem: str, *, again_ms: int | None, pause_ms: int, gone: bool = False
    ) -> None:
        """An attempt failed: the message comes again after `again_ms`, or has failed for good (None)."""
        now = self.now_ms()
        state = "failed" if again_ms is None else "waiting"
        with self._kept.writing() as connection:
            connection.execute(_MISSED, (state, now + (again_ms or 0), problem, name, id))
            connection.execute(_ILL, (now, now + pause_ms, gone, problem, name))

    def drive_again(self, name: str, ids: Sequence[str] = ()) -> int:
        """Makes failed messages (all, or these) due now and the address no longer gone or paused.

        How many messages there were. Raises UsageError if there is no such address.
        """
        self.address(name)
        now = self.now_ms()
        with self._kept.writing() as connection:
            if ids:
                found = sum(
                    connection.execute(f"{_AGAIN} AND id = ?", (now, name, one)).rowcount for one in ids
                )
            else:
                found = connection.execute(_AGAIN, (now, name)).rowcount
                connection.execute(
                    "UPDATE message SET next_at_ms = ? WHERE address = ? AND state = 'waiting'", (now, name)
                )
            connection.execute(_WELL.format("gone = 0"), (name,))
        return found

    def counts(self, name: str) -> dict[str, int]:
        """How many messages wait, are told, have failed."""
        query = "SELECT state, count(*) FROM message WHERE address = ? GROUP BY state"
        return {"waiting": 0, "told": 0, "failed": 0, **dict(self._kept.rows(query, (name,)))}

    def log(self, name: str, state: str | None, limit: int) -> list[dict[str, Any]]:
        """The last messages of an address, newest first."""
        where = "address = ?" + ("" if state is None else " AND state = ?")
        query = (
            f"SELECT id, state, attempts, queued_at_ms, next_at_ms, told_at_ms, problem FROM message "
            f"WHERE {where} ORDER BY rowid DESC LIMIT ?"
        )
        names = ("id", "state", "attempts", "queued_at_ms", "next_at_ms", "told_at_ms", "problem")
        rows = self._kept.rows(query, (name, *([] if state is None else [state]), limit))
        return [dict(zip(names, row, strict=True)) for row in rows]
