"""Workdays of mainland China from our own table of holidays and make-up workdays."""

import csv
from datetime import date, datetime, timedelta, timezone
from functools import lru_cache
from importlib.resources import files

from ..errors import UsageError

BEIJING = timezone(timedelta(hours=8), "Asia/Shanghai")
"""The zone of all legal days: +08:00 without change since 1991, which is before all law of the bus."""

_ONE_DAY = timedelta(days=1)
_RESOURCE = "holidays.csv"


@lru_cache(maxsize=1)
def _exceptions() -> dict[date, tuple[str, str]]:
    """Day -> (off or work, occasion) for every day that differs from the rule of its weekday."""
    text = files(__package__).joinpath(_RESOURCE).read_text(encoding="utf-8")
    rows = csv.DictReader(line for line in text.splitlines() if not line.startswith("#"))
    return {date.fromisoformat(row["day"]): (row["kind"], row["occasion"]) for row in rows}


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


def occasion(day: date) -> str | None:
    """Why the day differs from its weekday's rule (`National Day`), None where it does not."""
    entry = _exceptions().get(day)
    return entry[1] if entry else None


def first_workday_from(day: date) -> date:
    """The day itself if it is a workday, otherwise the first workday after it."""
    while not is_workday(day):
        day += _ONE_DAY
    return day


def add_workdays(day: date, count: int) -> date:
    """The `count`-th workday after `day`, which itself is not counted."""
    while count > 0:
        day += _ONE_DAY
        if is_workday(day):
            count -= 1
    return day


def beijing_day(moment: datetime) -> date:
    """The Beijing calendar day of an aware time."""
    return moment.astimezone(BEIJING).date()


def end_of_day(day: date) -> datetime:
    """24:00 of a Beijing day, written as 00:00 of the next."""
    return datetime(day.year, day.month, day.day, tzinfo=BEIJING) + _ONE_DAY


def beijing_text(moment: datetime) -> str:
    """ISO text of an aware time at +08:00, with milliseconds where there are any."""
    local = moment.astimezone(BEIJING)
    return local.isoformat(timespec="milliseconds" if local.microsecond else "seconds")
