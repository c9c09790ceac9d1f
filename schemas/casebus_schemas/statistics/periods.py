"""Periods of whole Beijing days: reading, writing, and how two of them stand to each other."""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import NoReturn

from casebus_schemas.errors import UsageError

_ONE_DAY = timedelta(days=1)
_NAMED = re.compile(r"([0-9]{4})(?:-?(H[12]|Q[1-4])|-([0-9]{2}))?\Z")


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """From one day to another, both included."""

    first: date
    last: date

    @classmethod
    def parse(cls, text: str) -> "Period":
        """Reads 2021, 2021H1, 2021Q3, 2021-06, or two days or months joined by `..`.

        Raises UsageError for other texts.
        """
        first, joined, last = text.partition("..")
        period = cls(_span(first, text)[0], _span(last if joined else first, text)[1])
        return period if period.first <= period.last else _wrong(text)

    @property
    def text(self) -> str:
        """The shortest text that `parse` reads as this period."""
        year, whole = self.first.year, self.first.year == self.last.year
        if whole and (self.first, self.last) == _months(year, 1, 12):
            return str(year)
        for half in (1, 2):
            if whole and (self.first, self.last) == _months(year, 6 * half - 5, 6 * half):
                return f"{year}H{half}"
        return f"{self.first.isoformat()}..{self.last.isoformat()}"

    def holds(self, day: date) -> bool:
        """Whether the day lies in it."""
        return self.first <= day <= self.last

    def year_before(self) -> "Period":
        """The same days a year earlier; an end on 29 February moves to the 28th, a month's end stays one."""
        return Period(_year_before(self.first, False), _year_before(self.last, True))

    @property
    def day_after(self) -> date:
        """The first day of a period that follows it."""
        return self.last + _ONE_DAY

    def joined(self, next: "Period") -> "Period":
        """Both together, where `next` begins on the day after this one."""
        return Period(self.first, next.last)

    def to_json(self) -> dict[str, str]:
        """First and last day."""
        return {"from": self.first.isoformat(), "to": self.last.isoformat()}


def half_year_of(day: date) -> Period:
    """The half-year in which a day lies."""
    return Period(*_months(day.year, 1, 6)) if day.month <= 6 else Period(*_months(day.year, 7, 12))


def usual_periods(days: list[date]) -> list[Period]:
    """Half-years from the first to the last of these days, the years that they fill, and all together.

    A year whose second half has not begun is left out: it would be compared with a full one.
    """
    if not days:
        return []
    halves = [half_year_of(min(days))]
    while not halves[-1].holds(max(days)):
        halves.append(half_year_of(halves[-1].last + _ONE_DAY))
    years = [one.joined(two) for one, two in pairwise(halves) if one.first.month == 1]
    span = Period(halves[0].first, halves[-1].last)
    return [*halves, *years, *([span] if span not in (*halves, *years) else [])]


def _months(year: int, first: int, last: int) -> tuple[date, date]:
    return date(year, first, 1), date(year, last, monthrange(year, last)[1])


def _span(part: str, text: str) -> tuple[date, date]:
    named = _NAMED.match(part)
    try:
        if not named:
            day = date.fromisoformat(part)
            return day, day
        year = int(named[1])
        if named[3]:
            return _months(year, int(named[3]), int(named[3]))
        if not named[2]:
            return _months(year, 1, 12)
        length = 6 if named[2][0] == "H" else 3
        number = int(named[2][1])
        return _months(year, length * (number - 1) + 1, length * number)
    except ValueError:
        _wrong(text)


def _wrong(text: str) -> NoReturn:
    raise UsageError(
        "not a period",
        found=repr(text[:100]),
        expected="2021, 2021H1, 2021Q3, 2021-06 or 2021-01-01..2022-06-30",
    )


def _year_before(day: date, at_end: bool) -> date:
    length = monthrange(day.year - 1, day.month)[1]
    month_end = at_end and day.day == monthrange(day.year, day.month)[1]
    return date(day.year - 1, day.month, length if month_end else min(day.day, length))
