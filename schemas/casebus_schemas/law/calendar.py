"""Workdays of mainland China from our own table of holidays and make-up workdays."""

import csv
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from functools import lru_cache
from importlib.resources import files

from casebus_schemas.errors import UsageError
from casebus_schemas.times import BEIJING, in_beijing

NOTICE_MARGIN = timedelta(days=15)
"""How much later than counted here a term may end once the year's notice is published.

Measured over every day of 2004-2026 and up to 90 workdays: 12 days at most (a test holds it), and 7 earlier.
"""

_ONE_DAY = timedelta(days=1)
_RESOURCE = "holidays.csv"
_FIXED = "fixed_holidays.csv"
_FIRST_BORROWED = (12, 25)
"""From this day of December on the next year's notice may move days (2018-12-29 was worked for 2019)."""


def _rows(resource: str) -> Iterator[dict[str, str]]:
    text = files(__package__).joinpath(resource).read_text(encoding="utf-8")
    yield from csv.DictReader(line for line in text.splitlines() if not line.startswith("#"))


@lru_cache(maxsize=1)
def _exceptions() -> dict[date, tuple[str, str]]:
    """Day -> (off or work, occasion) for every day that differs from the rule of its weekday."""
    return {date.fromisoformat(row["day"]): (row["kind"], row["occasion"]) for row in _rows(_RESOURCE)}


@lru_cache(maxsize=1)
def _fixed() -> tuple[tuple[date, frozenset[str]], ...]:
    """(since, month-days that are holidays by the law itself), the newest first."""
    found = [(date.fromisoformat(row["since"]), frozenset(row["days"].split())) for row in _rows(_FIXED)]
    return tuple(sorted(found, reverse=True))


@lru_cache(maxsize=1)
def years() -> range:
    """Years that the table covers whole."""
    known = _exceptions()
    return range(min(known).year, max(known).year + 1)


def _kind(day: date) -> str | None:
    covered = years()
    if day.year not in covered:
        raise UsageError(
            "the holidays of that year are not in the table",
            found=day.isoformat(),
            expected=f"a day of {covered.start} to {covered.stop - 1}",
            remedy=f"add the State Council's notice for {day.year} to casebus_schemas/law/{_RESOURCE}",
        )
    entry = _exceptions().get(day)
    return entry[0] if entry else None


def is_workday(day: date) -> bool:
    """Whether offices work on that day (make-up Saturdays and Sundays included).

    Raises UsageError for a year outside the table: a guess would be a wrong deadline.
    """
    kind = _kind(day)
    return day.weekday() < 5 if kind is None else kind == "work"


def missing_notice(day: date) -> int | None:
    """The year whose notice may still decide about that day; None if the table holds all that do."""
    if day.year not in years():
        return day.year
    borrowed = (day.month, day.day) >= _FIRST_BORROWED
    return day.year + 1 if borrowed and day.year + 1 not in years() else None


def works(day: date) -> bool:
    """Whether offices work on that day, as far as one can know.

    In a year outside the table: every weekday that the law in force does not itself make a holiday.
    """
    if day.year in years():
        return is_workday(day)
    fixed = next((days for since, days in _fixed() if since <= day), frozenset())
    return day.weekday() < 5 and f"{day:%m-%d}" not in fixed


def occasion(day: date) -> str | None:
    """Why the day differs from its weekday's rule (`National Day`), None where it does not."""
    entry = _exceptions().get(day)
    return entry[1] if entry else None


def first_workday_from(day: date) -> date:
    """The day itself if it is a workday, otherwise the first workday after it, as far as one can know."""
    while not works(day):
        day += _ONE_DAY
    return day


def add_workdays(day: date, count: int) -> date:
    """The `count`-th workday after `day`, which itself is not counted, as far as one can know."""
    while count > 0:
        day += _ONE_DAY
        if works(day):
            count -= 1
    return day


def workdays_between(after: date, to: date) -> int:
    """How many workdays lie behind one day up to another, as far as one can know."""
    return sum(1 for days in range((to - after).days) if works(after + _ONE_DAY * (days + 1)))


def beijing_day(moment: datetime) -> date:
    """The Beijing calendar day of an aware time."""
    return in_beijing(moment).date()


def end_of_day(day: date) -> datetime:
    """24:00 of a Beijing day, written as 00:00 of the next."""
    return datetime(day.year, day.month, day.day, tzinfo=BEIJING) + _ONE_DAY
