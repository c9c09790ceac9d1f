"""Terms: the date table of the domain reference, months, hours, and what is refused."""

from bisect import bisect_left, bisect_right
from datetime import date, datetime, timedelta

import pytest

from casebus_schemas.errors import UsageError
from casebus_schemas.law import due
from casebus_schemas.law.calendar import NOTICE_MARGIN, Calendar, published
from casebus_schemas.law.terms import add_months, due_earliest, due_latest, readings

VECTORS = [
    # start, limit, calendar, calendar_rolled, working: the last day of each reading (None: not in the table)
    ("2022-09-29", "P3D", "2022-10-02", "2022-10-08", "2022-10-09"),
    ("2022-01-28", "P3D", "2022-01-31", "2022-02-07", "2022-02-07"),
    ("2022-09-09", "P3D", "2022-09-12", "2022-09-13", "2022-09-15"),
    ("2022-09-29", "P7D", "2022-10-06", None, None),
    ("2022-01-28", "P7D", "2022-02-04", None, None),
    ("2022-09-09", "P7D", "2022-09-16", None, None),
    ("2022-09-29", "P10D", None, "2022-10-09", "2022-10-18"),
    ("2022-01-28", "P10D", None, "2022-02-07", "2022-02-16"),
    ("2022-09-09", "P10D", None, "2022-09-19", "2022-09-26"),
]


def _last_days(start: str, limit: str, names: list[str] | None = None) -> dict[str, str]:
    found = due(date.fromisoformat(start), limit, names)
    for reading in found:
        assert reading.due.isoformat().endswith("T00:00:00+08:00")
    return {r.name: date.fromordinal(r.due.date().toordinal() - 1).isoformat() for r in found}


@pytest.mark.parametrize(("start", "limit", "plain", "rolled", "working"), VECTORS)
def test_days_in_every_reading(
    start: str, limit: str, plain: str | None, rolled: str | None, working: str | None
) -> None:
    """Each reading of a limit in days ends on the day of the reference table."""
    wanted = {"calendar": plain, "calendar_rolled": rolled, "working": working}
    found = _last_days(start, limit)
    assert {name: found[name] for name, day in wanted.items() if day} == {
        n: d for n, d in wanted.items() if d
    }


def test_one_limit_has_three_due_instants_around_a_holiday() -> None:
    """Three days from 29 September 2022 end on 2, 8 or 9 October, written as 00:00 of the next day."""
    found = due(datetime.fromisoformat("2022-09-29T15:00:00+08:00"), "P3D")
    assert [(r.name, r.due.isoformat()) for r in found] == [
        ("calendar", "2022-10-03T00:00:00+08:00"),
        ("calendar_rolled", "2022-10-09T00:00:00+08:00"),
        ("working", "2022-10-10T00:00:00+08:00"),
    ]
    assert due_earliest(found).isoformat() == "2022-10-03T00:00:00+08:00"
    assert due_latest(found).isoformat() == "2022-10-10T00:00:00+08:00"
    assert "节假日" in found[1].why.zh
    assert "2022-10-08" in found[1].why.en


@pytest.mark.parametrize(
    ("start", "limit", "last"),
    [
        ("2022-01-31", "P1M", "2022-02-28"),
        ("2022-08-31", "P1M", "2022-09-30"),
        ("2022-02-28", "P1M", "2022-03-31"),
        ("2022-02-28", "P1M15D", "2022-04-15"),
        ("2020-01-30", "P1M", "2020-02-29"),
        ("2022-01-15", "P2M", "2022-03-15"),
        ("2021-12-31", "P2M", "2022-02-28"),
        ("2022-11-05", "P2M", "2023-01-05"),
    ],
)
def test_months_follow_article_202(start: str, limit: str, last: str) -> None:
    """Months end on the same day, or the last where there is none; from a last day on the last day."""
    assert _last_days(start, limit, ["calendar"]) == {"calendar": last}


def test_a_month_is_counted_backwards_from_no_day() -> None:
    """Adding no month keeps a day that is not its month's last."""
    assert add_months(date(2022, 5, 17), 0) == date(2022, 5, 17)


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        ("2022-09-29T10:20:00+08:00", ["2022-09-30T10:20:00+08:00", "2022-09-30T11:00:00+08:00"]),
        ("2022-09-29T02:20:00+00:00", ["2022-09-30T10:20:00+08:00", "2022-09-30T11:00:00+08:00"]),
        ("2022-09-29T23:59:59+08:00", ["2022-09-30T23:59:59+08:00", "2022-10-01T00:00:00+08:00"]),
    ],
)
def test_hours_plain_and_with_the_starting_hour_not_counted(start: str, expected: list[str]) -> None:
    """From 10:20 a term of 24 hours ends at 10:20 plainly, at 11:00 if the starting hour is not counted."""
    found = due(datetime.fromisoformat(start), "PT24H")
    assert [(r.name, r.due.isoformat()) for r in found] == list(
        zip(["hours", "hours_next"], expected, strict=True)
    )


def test_hours_from_a_day_whose_hour_is_unknown_span_that_day() -> None:
    """If only the day of the start is known, the readings are the earliest and the latest that day allows."""
    assert [r.due.isoformat() for r in due(date(2016, 10, 18), "PT24H")] == [
        "2016-10-19T00:00:00+08:00",
        "2016-10-20T00:00:00+08:00",
    ]


def test_working_days_in_words_have_one_reading() -> None:
    """A limit in working days is counted in working days only."""
    assert _last_days("2022-09-29", "P3WD") == {"working": "2022-10-09"}


def test_custody_is_never_rolled() -> None:
    """A rule may admit the plain calendar alone."""
    assert _last_days("2022-09-29", "P3D", ["calendar"]) == {"calendar": "2022-10-02"}


@pytest.mark.parametrize(
    "limit", ["", "3D", "P3", "P0D", "PT3D", "P3DT1H", "P3D15D", "P-3D", "P99999D", "p3d", "P3W"]
)
def test_a_text_that_is_no_limit_is_refused(limit: str) -> None:
    """Only hours, days, working days and months are limits."""
    with pytest.raises(UsageError, match="not a limit"):
        due(date(2022, 1, 1), limit)


def test_a_reading_that_does_not_fit_is_refused() -> None:
    """Hours cannot be read as working days."""
    with pytest.raises(UsageError, match="no such reading"):
        due(date(2022, 1, 1), "PT24H", ["working"])


def test_a_start_without_zone_is_refused() -> None:
    """A legal day exists only in a zone."""
    with pytest.raises(UsageError, match="zone"):
        readings(datetime(2022, 1, 1), "P3D")


AFTER = max(published().years) + 1
"""The first year whose notice is not in the table."""


def test_a_term_that_runs_into_an_unpublished_year_is_counted_provisionally_and_says_so() -> None:
    """Weekends and holidays fixed by law are counted; readings that ask no table stay as certain as ever."""
    found = {reading.name: reading for reading in due(date(AFTER, 4, 28), "P3D")}
    assert {name: reading.provisional for name, reading in found.items()} == {
        "calendar": False,
        "calendar_rolled": True,
        "working": True,
    }
    for reading in found.values():
        body = reading.to_json()
        said = (body["provisional"], "provisional" in body["why"]["en"], "暂定" in body["why"]["zh"])
        assert said == (reading.provisional,) * 3
        assert (f"holidays of {AFTER} are not published" in reading.why.en) == reading.provisional
    first, second, third = (date(AFTER, 5, day) for day in (1, 2, 3))
    assert [published().works(day) for day in (first, second, third)] == [False, False, third.weekday() < 5]


def test_the_end_of_the_last_december_waits_for_the_next_notice() -> None:
    """Notices have moved days from 29 December on: there the table of the year alone is not enough."""
    found = [reading for start in (10, 28) for reading in due(date(AFTER - 1, 12, start), "P1D")]
    assert [reading.provisional for reading in found] == [False, False, False, False, True, True]


def test_no_published_notice_moved_an_end_beyond_the_margin() -> None:
    """Counted by the law alone, terms of up to 90 workdays end at most 12 days too early or 9 too late."""
    first, last = date(2001, 1, 1), date(2026, 12, 31)
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]

    def workdays(by: Calendar) -> list[date]:
        return [day for day in days if by.works(day)]

    def ends(of: list[date], start: date) -> list[date]:
        """The first workday from the start, and of each count the last."""
        behind = bisect_right(of, start)
        return [of[bisect_left(of, start)], *of[behind : behind + 90]]

    true, by_law = workdays(published()), workdays(Calendar(()))
    moved = {
        (noticed - counted).days
        for start in days
        if start < date(2026, 7, 1)
        for noticed, counted in zip(ends(true, start), ends(by_law, start), strict=True)
    }
    assert (min(moved), max(moved)) == (-9, 12)
    assert max(moved) < NOTICE_MARGIN.days


def test_the_latest_end_that_is_possible_has_the_margin_where_a_reading_is_provisional() -> None:
    """What is printed as the latest end of a provisional reading lies the margin behind its end."""
    found = [reading.to_json() for reading in due(date(AFTER, 4, 28), "P3D")]
    for body in found:
        margin = NOTICE_MARGIN if body["provisional"] else timedelta(0)
        between = datetime.fromisoformat(body["latest_possible"]) - datetime.fromisoformat(body["due"])
        assert between == margin
    assert [body["provisional"] for body in found] == [False, True, True]


@pytest.mark.parametrize(
    ("start", "limit", "known_on", "rolled", "provisional"),
    [
        ("2019-04-28", "P3D", date(2019, 3, 1), "2019-05-02", False),
        ("2019-04-28", "P3D", date(2019, 3, 22), "2019-05-05", False),
        ("2020-01-27", "P4D", date(2020, 1, 25), "2020-01-31", False),
        ("2020-01-27", "P4D", date(2020, 1, 27), "2020-02-03", False),
        ("2018-12-28", "P4D", date(2018, 12, 5), "2019-01-02", True),
        ("2018-12-28", "P4D", date(2018, 12, 6), "2019-01-02", False),
    ],
)
def test_a_term_is_counted_by_the_notices_that_were_published_by_a_day(
    start: str, limit: str, known_on: date, rolled: str, provisional: bool
) -> None:
    """As known on a day, three or four days end where everybody had to think then that they end."""
    (found,) = due(date.fromisoformat(start), limit, ["calendar_rolled"], known_on=known_on)
    assert (found.due - timedelta(days=1)).date().isoformat() == rolled
    assert found.provisional == provisional


@pytest.mark.parametrize("year", [1899, 9800])
def test_a_start_that_cannot_be_true_is_refused(year: int) -> None:
    """A term is not counted from a year outside all law and all calendars."""
    with pytest.raises(UsageError, match="no term can start"):
        due(date(year, 1, 1), "P3D")
