"""The calendar: days off, make-up workdays, what was known when, and years without a notice."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta

import holidays
import pytest

from casebus_schemas.errors import UsageError
from casebus_schemas.law.calendar import Calendar, beijing_day, end_of_day, published
from casebus_schemas.law.notices import published_notices

NOT_THERE = ("2003-2", "2019-2")
"""Second notices of their years, which holidays 0.86 does not know; later ones know that of 2019."""


def _days(first: date, last: date) -> Iterator[date]:
    while first <= last:
        yield first
        first += timedelta(days=1)


def test_c22_the_tables_agree_with_an_independent_collection_on_every_day() -> None:
    """On each day of 2001 to 2026 offices work as another's collection of the same notices says."""
    theirs = holidays.country_holidays("CN", years=range(2001, 2028))
    same = Calendar(notice for notice in published_notices() if notice.id not in NOT_THERE)
    assert same.years == published().years == frozenset(range(2001, 2027))
    days = _days(date(2001, 1, 1), date(2026, 12, 31))
    assert [day for day in days if same.is_workday(day) != theirs.is_working_day(day)] == []


def test_second_notices_change_these_days_and_no_others() -> None:
    """May 2003 had no long holiday, May 2019 had four days: what the second notices of these years say."""
    first = Calendar(notice for notice in published_notices() if notice.id not in NOT_THERE)
    changed = {
        day: published().works(day)
        for day in _days(date(2001, 1, 1), date(2026, 12, 31))
        if published().works(day) != first.works(day)
    }
    assert changed == {
        date(2003, 4, 26): False,
        date(2003, 4, 27): False,
        date(2003, 5, 6): True,
        date(2003, 5, 7): True,
        date(2019, 4, 28): True,
        date(2019, 5, 2): False,
        date(2019, 5, 3): False,
        date(2019, 5, 5): True,
    }


def test_a_notice_moves_days_of_its_year_and_of_the_december_before() -> None:
    """Days off are weekdays, make-up days are of a weekend, and what is taken back was moved before."""
    seen: set[date] = set()
    for notice in published_notices():
        assert notice.days
        for moved in notice.days:
            borrowed = moved.day.year == notice.year - 1 and (moved.day.month, moved.day.day) >= (12, 25)
            assert moved.day.year == notice.year or borrowed, moved
            if moved.kind == "usual":
                assert moved.day in seen
            else:
                assert (moved.day.weekday() < 5) == (moved.kind == "off"), moved
        seen.update(moved.day for moved in notice.days)


def test_a_notice_is_known_before_the_days_that_it_moves_and_says_how_that_is_known() -> None:
    """No notice came after a day that it moves; without a number it is not verified."""
    for notice in published_notices():
        assert notice.known_since <= min(moved.day for moved in notice.days)
        assert notice.number or not notice.verified
        assert (notice.known_by == "latest") <= (not notice.verified)
        assert str(notice.year) in notice.title or notice.id == "2015-2"
        assert notice.source.startswith("http")


def test_holidays_of_the_law_are_off_under_every_notice() -> None:
    """What the law makes a holiday is off whether or not a notice repeats it."""
    by_law = Calendar(())
    for day in _days(date(2001, 1, 1), date(2026, 12, 31)):
        if day.weekday() < 5 and not by_law.works(day):
            assert not published().works(day), day


@pytest.mark.parametrize(
    ("day", "works", "occasion"),
    [
        (date(2001, 1, 1), False, None),
        (date(2001, 1, 21), True, "Spring Festival"),
        (date(2002, 1, 3), False, "New Year's Day"),
        (date(2003, 4, 27), False, None),
        (date(2003, 5, 5), False, "Labour Day"),
        (date(2003, 5, 6), True, None),
        (date(2005, 12, 31), True, "New Year's Day"),
        (date(2020, 2, 1), False, None),
        (date(2022, 9, 12), False, "Mid-autumn Festival"),
        (date(2022, 9, 13), True, None),
        (date(2022, 10, 1), False, None),
        (date(2022, 10, 3), False, "National Day"),
        (date(2022, 10, 8), True, "National Day"),
        (date(2022, 10, 9), True, "National Day"),
        (date(2022, 10, 15), False, None),
    ],
)
def test_days_around_holidays(day: date, works: bool, occasion: str | None) -> None:
    """Holidays on weekdays are off, make-up Saturdays and Sundays are worked, other days follow the week."""
    assert (published().is_workday(day), published().occasion(day)) == (works, occasion)


@pytest.mark.parametrize("day", [date(2000, 12, 29), date(2027, 1, 4)])
def test_a_year_without_a_notice_is_an_error_that_names_the_remedy(day: date) -> None:
    """A year without a published notice is refused, never guessed."""
    with pytest.raises(UsageError, match=str(day.year)) as raised:
        published().is_workday(day)
    assert raised.value.remedy is not None
    assert f"notice for {day.year}" in raised.value.remedy


@pytest.mark.parametrize(
    ("known_on", "day", "works"),
    [
        (date(2019, 3, 1), date(2019, 5, 2), True),
        (date(2019, 3, 21), date(2019, 5, 5), False),
        (date(2019, 3, 22), date(2019, 5, 2), False),
        (date(2019, 3, 22), date(2019, 5, 5), True),
        (date(2020, 1, 25), date(2020, 1, 31), True),
        (date(2020, 1, 25), date(2020, 2, 1), True),
        (date(2020, 1, 27), date(2020, 1, 31), False),
        (date(2020, 1, 27), date(2020, 2, 1), False),
        (date(2003, 4, 20), date(2003, 5, 7), False),
        (date(2003, 4, 21), date(2003, 5, 7), True),
        (date(2024, 11, 9), date(2025, 1, 28), True),
        (date(2024, 11, 10), date(2025, 1, 28), False),
    ],
)
def test_nobody_knows_a_notice_or_a_law_before_it_is_published(
    known_on: date, day: date, works: bool
) -> None:
    """A calendar as known on a day leaves out what was published later, notices and texts of the law."""
    assert published().known_on(known_on).works(day) == works


def test_what_was_known_on_a_day_has_the_years_published_by_then() -> None:
    """Each day has the years whose notice was out; the same knowledge is the same calendar."""
    known = published().known_on(date(2018, 12, 5))
    assert max(known.years) == 2018
    assert max(published().known_on(date(2018, 12, 6)).years) == 2019
    assert published().known_on(date(2018, 12, 1)) is known
    assert known.missing_notices(date(2018, 12, 1), date(2018, 12, 24)) == []
    assert known.missing_notices(date(2018, 12, 1), date(2018, 12, 25)) == [2019]
    assert known.missing_notices(date(2018, 12, 1), date(2020, 1, 2)) == [2019, 2020]


def test_legal_days_are_those_of_beijing() -> None:
    """The last instant of a Beijing day is 24:00 +08:00, sixteen hours into its UTC day."""
    end = end_of_day(date(2022, 10, 2))
    assert end.isoformat() == "2022-10-03T00:00:00+08:00"
    assert beijing_day(datetime.fromisoformat("2022-10-02T16:00:00+00:00")) == date(2022, 10, 3)
