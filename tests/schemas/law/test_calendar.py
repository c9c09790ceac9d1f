"""The holiday table: days off, make-up workdays, and years it does not know."""

from datetime import date, datetime, timedelta

import chinese_calendar
import pytest

from casebus_schemas.errors import UsageError
from casebus_schemas.law import calendar

WRONG_THERE = date(2005, 12, 31)
"""Worked by notice 2005 No. 35; a holiday in chinesecalendar 1.11.0 (findings/calendar-of-2005-12-31.sh)."""


def test_c22_the_table_agrees_with_the_published_notices_on_every_day() -> None:
    """On each day of its years the table says what a collection of the notices says but for its one error."""
    day = date(calendar.years().start, 1, 1)
    last = date(calendar.years().stop - 1, 12, 31)
    differing = []
    while day <= last:
        if calendar.is_workday(day) != chinese_calendar.is_workday(day):
            differing.append(day)
        day += timedelta(days=1)
    assert differing == [WRONG_THERE]


def test_table_covers_the_years_of_the_public_cases() -> None:
    """Every year from 2016 to 2022 is in the table."""
    assert set(range(2016, 2023)) <= set(calendar.years())


@pytest.mark.parametrize(
    ("day", "works", "occasion"),
    [
        (date(2022, 10, 1), False, None),
        (date(2022, 10, 3), False, "National Day"),
        (date(2022, 10, 8), True, "National Day"),
        (date(2022, 10, 9), True, "National Day"),
        (date(2022, 10, 15), False, None),
        (date(2022, 9, 12), False, "Mid-autumn Festival"),
        (date(2022, 9, 13), True, None),
        (date(2005, 12, 31), True, "New Year's Day"),
    ],
)
def test_days_around_holidays(day: date, works: bool, occasion: str | None) -> None:
    """Holidays on weekdays are off, make-up Saturdays and Sundays are worked, other days follow the week."""
    assert (calendar.is_workday(day), calendar.occasion(day)) == (works, occasion)


@pytest.mark.parametrize("day", [date(2003, 12, 31), date(2027, 1, 4)])
def test_a_year_outside_the_table_is_an_error_that_names_the_remedy(day: date) -> None:
    """A year without a published notice is refused, never guessed."""
    with pytest.raises(UsageError, match=str(day.year)) as raised:
        calendar.is_workday(day)
    assert raised.value.remedy is not None
    assert "holidays.csv" in raised.value.remedy


def test_legal_days_are_those_of_beijing() -> None:
    """The last instant of a Beijing day is 24:00 +08:00, sixteen hours into its UTC day."""
    end = calendar.end_of_day(date(2022, 10, 2))
    assert end.isoformat() == "2022-10-03T00:00:00+08:00"
    assert calendar.beijing_day(datetime.fromisoformat("2022-10-02T16:00:00+00:00")) == date(2022, 10, 3)
