"""Counting against an oracle that goes from day to day, for every limit in use and every start day."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta

import pytest

from casebus_schemas.law.calendar import published
from casebus_schemas.law.clocks import clocks
from casebus_schemas.law.limits import READINGS_OF_UNIT, Term
from casebus_schemas.law.notices import published_notices
from casebus_schemas.law.statutory import is_statutory
from casebus_schemas.law.terms import readings
from casebus_schemas.times import BEIJING

ONE_DAY = timedelta(days=1)
FIRST, LAST = date(2001, 1, 1), date(2026, 12, 31)
EVERY_DAY = [FIRST + ONE_DAY * number for number in range((LAST - FIRST).days + 1)]
SAID = {moved.day: moved.kind for notice in published_notices() for moved in notice.days}
"""What the notices say of single days, the last of them where two speak of one."""


OF_OTHER_UNITS = {"P3WD", "P10WD", "P1M", "P2M", "P1M15D"}


def limits_in_use() -> list[str]:
    """Every limit that any clock has had, and some in units that none has, in a fixed order."""
    found = {
        rung.limit for clock in clocks().values() for version in clock.versions for rung in version.rungs
    }
    return sorted(found | OF_OTHER_UNITS)


def _works(day: date) -> bool:
    said = SAID.get(day, "usual")
    return said == "work" or (said == "usual" and day.weekday() < 5 and not is_statutory(day))


def _last_days(start: date, term: Term) -> Iterator[tuple[str, date]]:
    """The last day of each reading, found by going from day to day."""
    if term.unit == "months":
        last, left = start, term.count
        while left:
            last += ONE_DAY
            left -= _is_a_month_on(start, last)
        last += ONE_DAY * term.extra_days
    else:
        last = start
        for _ in range(abs(term.count)):
            last += ONE_DAY if term.count > 0 else -ONE_DAY
    if term.unit != "working_days":
        yield "calendar", last
        if term.count < 0:
            return
        while not _works(last):
            last += ONE_DAY
        yield "calendar_rolled", last
    if term.unit != "months":
        day, left = start, term.count
        while left:
            day += ONE_DAY
            left -= _works(day)
        yield "working", day


def _is_a_month_on(start: date, day: date) -> bool:
    """Whether some number of months from the start ends on this day."""
    is_last = (day + ONE_DAY).day == 1
    if (start + ONE_DAY).day == 1:
        return is_last
    return day.day == start.day or (is_last and day.day < start.day)


def _ends(start: date, limit: str) -> dict[str, datetime]:
    term = Term.parse(limit)
    midnight = datetime.combine(start, time(), BEIJING)
    if term.unit == "hours":
        hours = timedelta(hours=term.count)
        return {"hours": midnight + hours, "hours_next": midnight + ONE_DAY + hours}
    return {name: datetime.combine(last + ONE_DAY, time(), BEIJING) for name, last in _last_days(start, term)}


def _differing(limit: str, days: list[date]) -> list[tuple[date, str]]:
    differing: list[tuple[date, str]] = []
    for day in days:
        expected = _ends(day, limit)
        found = readings(datetime.combine(day, time(), BEIJING), limit, precision="day")
        assert [reading.name for reading in found] == list(Term.parse(limit).readings)
        differing.extend((day, r.name) for r in found if r.due != expected[r.name])
    return differing


def test_the_oracle_is_asked_about_every_limit_of_the_clocks() -> None:
    """Hours, days, working days and months are all compared, over all years of the calendar."""
    assert {Term.parse(limit).unit for limit in limits_in_use()} == set(READINGS_OF_UNIT)
    assert published().years == {day.year for day in EVERY_DAY}


@pytest.mark.parametrize("limit", limits_in_use())
def test_terms_of_some_days_end_as_an_oracle_counts_them(limit: str) -> None:
    """From days spread over all years, and around holidays, every reading ends as when going day by day."""
    around = [day for day in EVERY_DAY if SAID.get(day) == "usual" or (day.month, day.day) == (9, 29)]
    assert _differing(limit, EVERY_DAY[::37] + around) == []


@pytest.mark.thorough
@pytest.mark.parametrize("limit", limits_in_use())
def test_terms_of_every_day_end_as_an_oracle_counts_them(limit: str) -> None:
    """From every day of 2001 to 2026, every reading of every limit in use ends as when going day by day."""
    assert _differing(limit, EVERY_DAY) == []
