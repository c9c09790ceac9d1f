"""What an agency said although the law leaves no room for it: rule, articles, and the reason given."""

import sqlite3
from typing import Any, NamedTuple
from uuid import UUID

from casebus_schemas.errors import UsageError
from casebus_schemas.times import utc_text

MOST_CHARACTERS = 1000
"""Of a reason."""
_NOTE = "INSERT OR IGNORE INTO said_despite_law (id, rule, law, reason, at_ms) VALUES (?, ?, ?, ?, ?)"
_NOTED = "SELECT id, rule, law, reason, at_ms FROM said_despite_law"


class Despite(NamedTuple):
    """A rule that forbids an event, its articles as text, and why the event is said all the same."""

    rule: str
    law: str
    reason: str


class Noted(NamedTuple):
    """What was kept of it: the event, and when it was said."""

    event: UUID
    despite: Despite
    at_ms: int

    def to_json(self) -> dict[str, Any]:
        """As JSON."""
        return {"event": str(self.event), **self.despite._asdict(), "at": utc_text(self.at_ms)}


def reason_given(text: str | None) -> str | None:
    """The reason as it is kept. Raises UsageError for one that says nothing, or more than fits."""
    if text is None:
        return None
    reason = text.strip()
    if not reason or len(reason) > MOST_CHARACTERS or not reason.isprintable():
        raise UsageError(
            "no reason to say it although the law leaves no room",
            found=f"{len(reason)} characters" if reason.isprintable() else "control characters",
            expected=f"1 to {MOST_CHARACTERS} characters of text",
        )
    return reason


def note(connection: sqlite3.Connection, event: UUID, despite: Despite, at_ms: int) -> None:
    """Keeps it, in the transaction that keeps the event."""
    connection.execute(_NOTE, (str(event), *despite, at_ms))


def noted_of(connection: sqlite3.Connection, event: UUID) -> list[Noted]:
    """What was kept of an event."""
    return [_noted(row) for row in connection.execute(f"{_NOTED} WHERE id = ? ORDER BY rule", (str(event),))]


def last_noted(connection: sqlite3.Connection, limit: int = 20) -> list[Noted]:
    """What was kept last, the newest first."""
    return [_noted(row) for row in connection.execute(f"{_NOTED} ORDER BY at_ms DESC, id LIMIT ?", (limit,))]


def _noted(row: tuple[Any, ...]) -> Noted:
    return Noted(UUID(row[0]), Despite(row[1], row[2], row[3]), row[4])
