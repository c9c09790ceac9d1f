"""Who looked at what at a desk, and what for: kept, and never changed."""

import time
from typing import Any

from .officers import Officer
from .store import DeskStore

_AFTER = (
    "SELECT number, at_ms, officer, role, act, object, reason FROM access WHERE number < ? "
    "ORDER BY number DESC LIMIT ?"
)
_NAMES = ("number", "at_ms", "officer", "role", "act", "object", "reason")


class Accesses:
    """The log of one desk."""

    def __init__(self, store: DeskStore) -> None:
        self._store = store

    def note(self, officer: Officer, act: str, object: str | None = None, reason: str | None = None) -> None:
        """Notes an access, on disk when it returns."""
        now = time.time_ns() // 1_000_000
        with self._store.writing() as connection:
            connection.execute(
                "INSERT INTO access (at_ms, officer, role, act, object, reason) VALUES (?, ?, ?, ?, ?, ?)",
                (now, officer.name, officer.role, act, object, reason),
            )

    def before(self, number: int, limit: int) -> list[dict[str, Any]]:
        """Accesses below a number, the newest first."""
        with self._store.reading() as connection:
            rows = connection.execute(_AFTER, (number, limit)).fetchall()
        return [dict(zip(_NAMES, row, strict=True)) for row in rows]
