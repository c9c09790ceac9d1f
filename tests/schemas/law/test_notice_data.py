"""Notices from files and orders: what they must say, and that nothing else is taken."""

from datetime import date
from typing import Any

import pytest

from casebus_schemas.errors import UsageError
from casebus_schemas.law.calendar import Calendar, published
from casebus_schemas.law.calendars import PUBLISHED, Calendars, EnteredNotice
from casebus_schemas.law.notice_data import check_notice, notice_json, notice_of
from casebus_schemas.law.notices import published_notices
from support.cases.chains import at
from support.events.notices import OF_2027, entered, notice


def test_a_new_years_notice_is_taken() -> None:
    """The next year's notice, its days by kind, and the same again from its JSON."""
    check_notice(notice())
    assert notice_of(notice_json(notice())) == notice()
    assert [(moved.day.isoformat(), moved.kind) for moved in notice().days] == [
        ("2027-01-01", "off"),
        ("2027-01-07", "off"),
        ("2027-01-08", "off"),
        ("2027-01-16", "work"),
    ]


def test_a_second_notice_of_a_year_takes_back_days() -> None:
    """A day that a notice moved may follow its weekday again."""
    later = {"number": "国办发明电〔2027〕1号", "known_since": "2027-01-06", "days_off": [], "workdays": []}
    first = Calendar([*published_notices(), notice()])
    second = notice(**later, as_usual=["2027-01-08"])
    check_notice(second, first)
    assert not first.works(date(2027, 1, 8))
    assert Calendar([*first.notices, second]).works(date(2027, 1, 8))
    with pytest.raises(UsageError, match="as_usual"):
        check_notice(second, published())


@pytest.mark.parametrize("one", [one for one in published_notices() if one.verified], ids=lambda one: one.id)
def test_the_notices_of_the_package_pass_the_same_check(one: Any) -> None:
    """Each notice, seen from the day before it was known, is one that would be taken."""
    check_notice(one, Calendar(other for other in published_notices() if other.known_since < one.known_since))


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"year": 2028}, "number"),
        ({"year": "2027"}, "year"),
        ({"number": "notice 9"}, "number"),
        ({"number": "国办发明电〔2025〕7号"}, "number"),
        ({"title": ""}, "title"),
        ({"title": "two\nlines"}, "title"),
        ({"source": "a newspaper"}, "source"),
        ({"known_since": "2027-01-02"}, "known_since"),
        ({"known_since": "2025-12-31"}, "known_since"),
        ({"known_since": "5 November"}, "known_since"),
        ({"days_off": [date(2027, 1, 2)]}, "days_off"),
        ({"days_off": [date(2026, 12, 24)]}, "days_off"),
        ({"days_off": [date(2028, 1, 3)]}, "days_off"),
        ({"days_off": []}, "year"),
        ({"days_off": "2027-01-01"}, "days_off"),
        ({"days_off": [date(2027, 1, 7)] * 2}, "days"),
        ({"workdays": [date(2027, 1, 15)]}, "workdays"),
        ({"workdays": [date(2027, 5, 1)]}, "workdays"),
        ({"as_usual": [date(2027, 3, 3)]}, "as_usual"),
        ({"off": []}, "keys"),
    ],
    ids=str,
)
def test_what_no_notice_says_is_refused_and_named(changes: dict[str, Any], named: str) -> None:
    """A wrong day, number, date or key is named with what was found."""
    with pytest.raises(UsageError, match=f"holidays: {named}"):
        check_notice(notice(**changes))


@pytest.mark.parametrize("missing", sorted(OF_2027))
def test_a_notice_says_everything(missing: str) -> None:
    """None of its keys may be left out."""
    with pytest.raises(UsageError, match="keys of a notice"):
        notice_of({key: value for key, value in OF_2027.items() if key != missing})


def test_an_entered_notice_is_in_force_from_its_time_on() -> None:
    """Before it terms are counted without, from then on with it; the package's notices always are."""
    one = entered("2026-12-01T00:00")
    calendars = Calendars([one])
    assert calendars.at(at("2026-11-30T23:59")) is PUBLISHED.at(at("2030-01-01")) is published()
    assert calendars.at(at("2026-12-01T00:00")).years == published().years | {2027}
    assert calendars.next_after(at("2026-11-30T23:59")) == one
    assert calendars.next_after(at("2026-12-01T00:00")) is None


def test_two_orders_count_in_the_order_of_their_times() -> None:
    """What came into force later is added to what was in force."""
    first, second = entered("2026-12-01T00:00"), entered("2026-12-08T00:00", number="国办发明电〔2026〕100号")
    second = EnteredNotice(second.in_force_from, bytes(32), second.notice)
    calendars = Calendars([second, first])
    assert calendars.entered == (first, second)
    assert len(calendars.at(at("2026-12-02")).notices) == len(published_notices()) + 1
    assert len(calendars.at(at("2026-12-09")).notices) == len(published_notices()) + 2
