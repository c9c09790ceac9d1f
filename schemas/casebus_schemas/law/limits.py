"""Limits as the law's files write them: hours, days, working days or months, and how they may be read."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from casebus_schemas.errors import UsageError

ReadingName = Literal["calendar", "calendar_rolled", "working", "hours", "hours_next"]
Unit = Literal["hours", "days", "working_days", "months"]

READINGS_OF_UNIT: dict[Unit, tuple[ReadingName, ...]] = {
    "hours": ("hours", "hours_next"),
    "days": ("calendar", "calendar_rolled", "working"),
    "working_days": ("working",),
    "months": ("calendar", "calendar_rolled"),
}
"""Readings that a limit of each unit can have at all; a rule may admit fewer (custody: `calendar` only)."""

_LIMIT = re.compile(
    r"PT(?P<hours>[1-9]\d{0,3})H|P(?P<count>[1-9]\d{0,3})(?P<unit>D|WD|M)(?:(?P<extra>[1-9]\d?)D)?"
    r"|-P(?P<before>[1-9]\d{0,3})D"
)
_UNITS: dict[str, Unit] = {"D": "days", "WD": "working_days", "M": "months"}


@dataclass(frozen=True, slots=True)
class Term:
    """A limit: so many hours, days, working days or months, and days on top of months (`P1M15D`).

    A negative count is one of days before the day that is counted from (`-P7D`).
    """

    count: int
    unit: Unit
    extra_days: int = 0

    @classmethod
    @lru_cache(maxsize=1024)
    def parse(cls, limit: str) -> "Term":
        """Reads `PT24H`, `P3D`, `P3WD`, `P2M`, `P1M15D` or `-P7D`. Raises UsageError for anything else."""
        match = _LIMIT.fullmatch(limit)
        if match is None or (match["extra"] and match["unit"] != "M"):
            raise UsageError(
                "not a limit",
                found=repr(limit[:40]),
                expected="PT24H (hours), P3D (days), P3WD (working days), P2M, P1M15D (months) or -P7D",
            )
        if match["before"]:
            return cls(-int(match["before"]), "days")
        if match["hours"]:
            return cls(int(match["hours"]), "hours")
        return cls(int(match["count"]), _UNITS[match["unit"]], int(match["extra"] or 0))

    @property
    def readings(self) -> tuple[ReadingName, ...]:
        """The readings that it can have at all: days before a day are those of the calendar."""
        return ("calendar",) if self.count < 0 else READINGS_OF_UNIT[self.unit]
