"""What is to be delivered to addresses, and what became of it: each message until it is acknowledged."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from casebus_consumers.kept_file import KeptFile
from casebus_schemas.errors import UsageError

ADDRESS_STANDING = """
    gone INTEGER NOT NULL DEFAULT 0, failures INTEGER NOT NULL DEFAULT 0, failing_since_ms INTEGER,
    paused_until_ms INTEGER NOT NULL DEFAULT 0, told_at_ms INTEGER, problem TEXT
"""
"""Columns of a table `address`, beside its `name`, that say how an address stands."""
MESSAGES = """
CREATE TABLE message (
    address TEXT NOT NULL REFERENCES address, id TEXT NOT NULL, body TEXT,
    state TEXT NOT NULL, attempts INTEGER NOT NULL, queued_at_ms INTEGER NOT NULL,
    next_at_ms INTEGER NOT NULL, told_at_ms INTEGER, problem TEXT, PRIMARY KEY (address, id)
);
CREATE INDEX message_due ON message (address, state, next_at_ms)
"""
ADD_MESSAGE = """
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
UPDATE message SET state = ?, attempts = attempts + ?, next_at_ms = ?, problem = ?
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
_LOG = ("id", "state", "attempts", "queued_at_ms", "next_at_ms", "told_at_ms", "problem")


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


class Deliveries:
    """Messages of addresses in a file with the tables `address` and `message`.

    A message is `waiting`, `told` (acknowledged, and never told again) or `failed` (until somebody has it
    driven again). Each call is one transaction, on disk when it returns; for several threads and processes.
    """

    def __init__(self, kept: KeptFile, clock_ms: Callable[[], int]) -> None:
        self._kept = kept
        self.now_ms = clock_ms

    def names(self) -> list[str]:
        """Names of all addresses, in their order."""
        return [row[0] for row in self._kept.rows("SELECT name FROM address ORDER BY name")]

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
        self,
        name: str,
        id: str,
        problem: str,
        *,
        again_ms: int | None,
        pause_ms: int,
        gone: bool = False,
        counts: bool = True,
    ) -> None:
        """An attempt failed: the message comes again after `again_ms`, or has failed for good (None).

        One that says nothing of the message, as where nobody answers, need not count among its attempts.
        """
        now = self.now_ms()
        state = "failed" if again_ms is None else "waiting"
        with self._kept.writing() as connection:
            connection.execute(_MISSED, (state, int(counts), now + (again_ms or 0), problem, name, id))
            connection.execute(_ILL, (now, now + pause_ms, gone, problem, name))

    def drive_again(self, name: str, ids: Sequence[str] = ()) -> int:
        """Makes failed messages (all, or these) due now and the address no longer gone or paused.

        How many messages there were. Raises UsageError if there is no such address.
        """
        if name not in (known := self.names()):
            raise UsageError(
                "no such address", found=name[:80], expected=", ".join(known) or "one that was added"
            )
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
        query = f"SELECT {', '.join(_LOG)} FROM message WHERE {where} ORDER BY rowid DESC LIMIT ?"
        rows = self._kept.rows(query, (name, *([] if state is None else [state]), limit))
        return [dict(zip(_LOG, row, strict=True)) for row in rows]
