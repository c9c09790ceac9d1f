"""Holidays that the law itself fixes: fixed days, and festivals of the moon and the sun."""

from datetime import date, timedelta

import holidays
import pytest
from lunar_python import Lunar, Solar

from casebus_schemas.law.calendar import published
from casebus_schemas.law.statutory import festivals_known, is_statutory

ONE_DAY = timedelta(days=1)


def _solar(found: Solar) -> date:
    return date(found.getYear(), found.getMonth(), found.getDay())


def _computed(year: int) -> dict[str, date]:
    new_year = Lunar.fromYmd(year, 1, 1)
    return {
        "new year": _solar(new_year.getSolar()),
        "qingming": _solar(new_year.getJieQiTable()["清明"]),
        "dragon boat": _solar(Lunar.fromYmd(year, 5, 5).getSolar()),
        "mid-autumn": _solar(Lunar.fromYmd(year, 8, 15).getSolar()),
    }


@pytest.mark.parametrize("year", [year for year in festivals_known() if year >= 2025])
def test_festivals_are_those_of_two_packages_that_share_no_table(year: int) -> None:
    """The law's holidays of each year are its fixed days and the festivals as both packages have them."""
    of = _computed(year)
    fixed = {date(year, *day) for day in ((1, 1), (5, 1), (5, 2), (10, 1), (10, 2), (10, 3))}
    around = {of["new year"] + ONE_DAY * days for days in (-1, 0, 1, 2)}
    expected = fixed | around | {of["qingming"], of["dragon boat"], of["mid-autumn"]}
    days = [date(year, 1, 1) + ONE_DAY * number for number in range(366)]
    assert {day for day in days if day.year == year and is_statutory(day)} == expected
    theirs = holidays.country_holidays("CN", years=year)
    assert expected <= set(theirs), expected - set(theirs)


@pytest.mark.parametrize("year", [year for year in festivals_known() if 2001 <= year <= 2024])
def test_the_festivals_of_earlier_years_are_those_of_the_law_of_then(year: int) -> None:
    """New Year's Eve was a holiday from 2008 to 2013, Qingming and the two others have been since 2008."""
    of = _computed(year)
    eve, third = of["new year"] - ONE_DAY, of["new year"] + 2 * ONE_DAY
    assert (is_statutory(eve), is_statutory(third)) == ((2008 <= year <= 2013), not 2008 <= year <= 2013)
    for name in ("qingming", "dragon boat", "mid-autumn"):
        on_a_fixed_day = (of[name].month, of[name].day) in ((10, 1), (10, 2), (10, 3))
        assert is_statutory(of[name]) == (year >= 2008 or on_a_fixed_day)


def test_new_years_eve_of_2027_is_off_before_any_notice() -> None:
    """Friday 5 February 2027 is New Year's Eve, a holiday since the law of 2024."""
    assert not published().works(date(2027, 2, 5))
    assert published().works(date(2027, 2, 4))


def test_beyond_the_festivals_known_only_fixed_days_are_holidays() -> None:
    """In a year without computed festivals the fixed days are off, and no day was before the law."""
    year = festivals_known().stop
    found = [day for number in range(365) if is_statutory(day := date(year, 1, 1) + ONE_DAY * number)]
    assert found == [date(year, *day) for day in ((1, 1), (5, 1), (5, 2), (10, 1), (10, 2), (10, 3))]
    assert not is_statutory(date(1949, 10, 1))
