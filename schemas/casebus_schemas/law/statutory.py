"""The days that the law itself makes holidays for everybody: fixed days and festivals."""

from datetime import date, timedelta
from functools import lru_cache
from typing import NamedTuple

from .notices import table

_DAYS, _FESTIVALS = "statutory.csv", "festivals.csv"
_BESIDE_NEW_YEAR = {"eve": -1, "second": 1, "third": 2}


class _Text(NamedTuple):
    since: date
    known_since: date
    fixed: frozenset[tuple[int, int]]
    festivals: tuple[str, ...]


@lru_cache(maxsize=1)
def _texts() -> tuple[_Text, ...]:
    """The texts of the law, the newest first."""
    found = [
        _Text(
            date.fromisoformat(row["since"]),
            date.fromisoformat(row["known_since"]),
            frozenset((int(day[:2]), int(day[3:])) for day in row["days"].split()),
            tuple(row["festivals"].split()),
        )
        for row in table(_DAYS)
    ]
    return tuple(sorted(found, reverse=True))


@lru_cache(maxsize=1)
def _years() -> dict[int, dict[str, date]]:
    """Year -> the day of each festival."""
    found = {}
    for row in table(_FESTIVALS):
        of = {name: date.fromisoformat(row[name]) for name in row if name != "year"}
        for name, days in _BESIDE_NEW_YEAR.items():
            of[name] = of["new_year"] + timedelta(days=days)
        found[int(row["year"])] = of
    return found


def festivals_known() -> range:
    """The years whose festivals are in the table: beyond them the law's fixed days are all that is known."""
    return range(min(_years()), max(_years()) + 1)


def known_since() -> tuple[date, ...]:
    """The days on which a new text of the law became known, the last first."""
    return tuple(text.known_since for text in _texts())


def is_statutory(day: date, known_on: date = date.max) -> bool:
    """Whether the law in force on that day makes it a holiday, as far as was known on another day."""
    text = next((text for text in _texts() if text.since <= day and text.known_since <= known_on), None)
    if text is None:
        return False
    if (day.month, day.day) in text.fixed:
        return True
    of = _years().get(day.year)
    return of is not None and any(of[name] == day for name in text.festivals)
