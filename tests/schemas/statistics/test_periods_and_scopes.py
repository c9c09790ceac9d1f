"""Reading periods and scope labels."""

from datetime import date

import pytest

from casebus_schemas.errors import UsageError
from casebus_schemas.statistics.periods import Period, usual_periods
from casebus_schemas.statistics.scopes import Charged, find_scope, scopes


@pytest.mark.parametrize(
    ("text", "first", "last", "shown"),
    [
        ("2021", "2021-01-01", "2021-12-31", "2021"),
        ("2021H1", "2021-01-01", "2021-06-30", "2021H1"),
        ("2021-H2", "2021-07-01", "2021-12-31", "2021H2"),
        ("2021Q3", "2021-07-01", "2021-09-30", "2021-07-01..2021-09-30"),
        ("2024-02", "2024-02-01", "2024-02-29", "2024-02-01..2024-02-29"),
        ("2021-01..2022-06", "2021-01-01", "2022-06-30", "2021-01-01..2022-06-30"),
        ("2021-01-05..2021-01-05", "2021-01-05", "2021-01-05", "2021-01-05..2021-01-05"),
    ],
)
def test_periods(text: str, first: str, last: str, shown: str) -> None:
    """Years, halves, quarters, months and days are read, and written so that they are read alike."""
    period = Period.parse(text)
    assert (period.first.isoformat(), period.last.isoformat(), period.text) == (first, last, shown)
    assert Period.parse(shown) == period


@pytest.mark.parametrize("text", ["", "21", "2021H3", "2021-13", "2022..2021", "2021-02-30", "2021..", "0"])
def test_what_is_no_period(text: str) -> None:
    """Other texts are refused, as is an end before the beginning."""
    with pytest.raises(UsageError, match="not a period"):
        Period.parse(text)


def test_the_year_before() -> None:
    """Half-years and leap Februaries have their counterpart."""
    assert Period.parse("2022H1").year_before() == Period.parse("2021H1")
    assert Period.parse("2025-02").year_before() == Period.parse("2024-02")
    assert Period.parse("2024-02").year_before() == Period.parse("2023-02")


def test_usual_periods_leave_out_unfinished_years() -> None:
    """Half-years, the years that they fill, and the whole; nothing for nothing."""
    shown = [period.text for period in usual_periods([date(2021, 2, 1), date(2022, 3, 1)])]
    assert shown == ["2021H1", "2021H2", "2022H1", "2021", "2021-01-01..2022-06-30"]
    assert usual_periods([]) == []


@pytest.mark.parametrize("name", [name for name, scope in scopes().items() if scope.articles])
def test_a_scope_lists_as_many_crimes_as_it_says(name: str) -> None:
    """The label of 11 or 12 crimes names exactly so many articles, and is found by id and both labels."""
    found = find_scope(name)
    assert len(found.articles or ()) == found.crimes
    assert {find_scope(text).id for text in (found.label.zh, found.label.en, found.label.text)} == {found.id}


def test_what_a_scope_holds() -> None:
    """Paragraphs of listed articles count; a bare article of which only some crimes are listed does not."""
    securities = find_scope("securities")
    held = ["161", "161(1)", "180(1)", "180", "182"]
    assert [securities.holds([Charged(article, False)]) for article in held] == [True] * 5
    out = [Charged("180(3)", False), Charged("185-1", False), Charged("191", False), Charged("182", True)]
    assert [securities.holds([charge]) for charge in out] == [False] * 4
    assert [securities.unclear(charge) for charge in out] == [False, True, False, False]


@pytest.mark.parametrize("text", ["", "crimes", "182;161", "nobody:182", "securities:", "1822"])
def test_what_is_no_scope(text: str) -> None:
    """A label that is not registered is refused, as a figure without one would be."""
    with pytest.raises(UsageError, match="not a scope"):
        find_scope(text)
