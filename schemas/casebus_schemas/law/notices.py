"""The State Council's notices on holidays: what each moves, since when one can know it, and who says so."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from importlib.resources import files
from typing import Literal, NamedTuple, cast, get_args

from casebus_schemas.errors import UsageError

MoveKind = Literal["off", "work", "usual"]
"""A weekday on which offices are closed, a day of the weekend on which they work, one as usual after all."""
KnownBy = Literal["publication", "signature", "latest"]
"""What the day is since which a notice is known; `latest`: neither was found, it was out by then."""

NOTICES, DAYS = "notices.csv", "holidays.csv"


class MovedDay(NamedTuple):
    """A day that a notice speaks of."""

    day: date
    kind: MoveKind
    occasion: str


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice about a year's holidays. `number` is None where it was not found.

    A second notice of a year changes what the first one said. `verified`: number and day are those of a text
    of the notice, or of two independent reports of it.
    """

    id: str
    year: int
    number: str | None
    title: str
    known_since: date
    known_by: KnownBy
    verified: bool
    source: str
    days: tuple[MovedDay, ...]


def table(resource: str) -> Iterator[dict[str, str]]:
    """The rows of a table of this package, without its comments."""
    text = files(__package__).joinpath(resource).read_text(encoding="utf-8")
    yield from csv.DictReader(line for line in text.splitlines() if not line.startswith("#"))


@lru_cache(maxsize=1)
def published_notices() -> tuple[Notice, ...]:
    """The notices of this package, in the order in which they became known."""
    days: dict[str, list[MovedDay]] = {}
    for row in table(DAYS):
        moved = MovedDay(date.fromisoformat(row["day"]), _kind(row["kind"]), row["occasion"])
        days.setdefault(row["notice"], []).append(moved)
    found = [
        Notice(
            id=row["id"],
            year=int(row["year"]),
            number=row["number"] or None,
            title=row["title"],
            known_since=date.fromisoformat(row["known_since"]),
            known_by=_known_by(row["known_by"]),
            verified=row["verified"] == "true",
            source=row["source"],
            days=tuple(days.pop(row["id"])),
        )
        for row in table(NOTICES)
    ]
    if days:
        raise UsageError("days of an unknown notice", found=", ".join(days), expected=f"an id of {NOTICES}")
    return tuple(sorted(found, key=lambda notice: (notice.known_since, notice.id)))


def _kind(text: str) -> MoveKind:
    if text not in get_args(MoveKind):
        raise UsageError("not a kind of day", found=text, expected=", ".join(get_args(MoveKind)))
    return cast(MoveKind, text)


def _known_by(text: str) -> KnownBy:
    if text not in get_args(KnownBy):
        raise UsageError("not how a notice is known", found=text, expected=", ".join(get_args(KnownBy)))
    return cast(KnownBy, text)
