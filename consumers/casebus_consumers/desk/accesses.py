"""Who looked at what at a desk, and what for: kept, and never changed."""

import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from casebus_schemas.times import to_moment

from .officers import Officer
from .store import DeskStore

_NAMES = ("number", "at_ms", "officer", "role", "act", "object", "reason")
_COLUMNS = ", ".join(_NAMES)


@dataclass(frozen=True, slots=True)
class Sought:
    """Which accesses are looked for; a member that is None limits nothing.

    `about` stands somewhere in the address or id of what was opened; `until` is the first instant after.
    """

    officer: str | None = None
    act: str | None = None
    about: str | None = None
    since: datetime | None = None
    until: datetime | None = None


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

    def before(self, number: int, limit: int, sought: Sought | None = None) -> list[dict[str, Any]]:
        """Accesses below a number, the newest first; of all, or of those that are sought."""
        where, given = _where(sought or Sought())
        query = f"SELECT {_COLUMNS} FROM access WHERE number < ?{where} ORDER BY number DESC LIMIT ?"
        with self._store.reading() as connection:
            rows = connection.execute(query, (number, *given, limit)).fetchall()
        return [dict(zip(_NAMES, row, strict=True)) for row in rows]

    def count(self, sought: Sought) -> int:
        """How many there are."""
        where, given = _where(sought)
        with self._store.reading() as connection:
            row = connection.execute(f"SELECT count(*) FROM access WHERE 1{where}", given).fetchone()
        return int(row[0])

    def said(self, column: str) -> list[str]:
        """Every `officer` or `act` that the log holds."""
        assert column in ("officer", "act")
        with self._store.reading() as connection:
            rows = connection.execute(f"SELECT DISTINCT {column} FROM access ORDER BY {column}").fetchall()
        return [row[0] for row in rows]


def _where(sought: Sought) -> tuple[str, list[object]]:
    parts, given = "", list[object]()
    for condition, value in (
        ("officer = ?", sought.officer),
        ("act = ?", sought.act),
        ("instr(coalesce(object, ''), ?) > 0", sought.about),
        ("at_ms >= ?", None if sought.since is None else to_moment(sought.since)),
        ("at_ms < ?", None if sought.until is None else to_moment(sought.until)),
    ):
        if value is not None:
            parts += f" AND {condition}"
            given.append(value)
    return parts, given
