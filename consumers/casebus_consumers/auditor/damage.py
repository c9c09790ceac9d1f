"""What a verification finds: each damage by table, log and row, and the whole as one verdict."""

from dataclasses import dataclass, field
from typing import Any

MOST_DAMAGES = 1000
"""Damages named one by one; further ones are only counted."""


@dataclass(frozen=True, slots=True)
class Damage:
    """A row or run of rows that is not what it must be. `row` is its place, `log` the log's origin."""

    table: str
    log: str | None
    row: str
    found: str
    expected: str

    def to_json(self) -> dict[str, Any]:
        """As a JSON object."""
        return {
            "table": self.table,
            "log": self.log,
            "row": self.row,
            "found": self.found,
            "expected": self.expected,
        }

    def __str__(self) -> str:
        where = f"{self.table} of {self.log}" if self.log else self.table
        return f"{where}, {self.row}: found {self.found}, expected {self.expected}"


@dataclass(frozen=True, slots=True)
class LogSummary:
    """A log as its last batch row states it."""

    origin: str
    size: int
    root: bytes
    next_offset: int

    def to_json(self) -> dict[str, Any]:
        """As a JSON object."""
        return {
            "origin": self.origin,
            "size": self.size,
            "root": self.root.hex(),
            "next_offset": self.next_offset,
        }


@dataclass(slots=True)
class VerifyReport:
    """The verdict: what was looked at, and what is damaged."""

    entries: int = 0
    payloads: int = 0
    tiles: int = 0
    compared: int | None = None
    """Records compared with Kafka; None if Kafka was not asked."""
    seconds: float = 0.0
    logs: list[LogSummary] = field(default_factory=list)
    damages: list[Damage] = field(default_factory=list)
    damage_count: int = 0

    @property
    def ok(self) -> bool:
        """Whether nothing is damaged."""
        return self.damage_count == 0

    def add(self, table: str, log: str | None, row: str, *, found: str, expected: str) -> None:
        """Notes a damage."""
        self.damage_count += 1
        if len(self.damages) < MOST_DAMAGES:
            self.damages.append(Damage(table, log, row, found, expected))

    def to_json(self) -> dict[str, Any]:
        """The report as one JSON object."""
        return {
            "ok": self.ok,
            "entries": self.entries,
            "payloads": self.payloads,
            "tiles": self.tiles,
            "compared": self.compared,
            "logs": [log.to_json() for log in self.logs],
            "damage_count": self.damage_count,
            "damages": [damage.to_json() for damage in self.damages],
            "seconds": round(self.seconds, 3),
        }
