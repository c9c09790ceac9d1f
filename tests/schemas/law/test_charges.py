"""Crimes by article and by the numbers of police code tables."""

import pytest

from casebus_schemas.errors import UsageError
from casebus_schemas.law.charges import crime_called, crimes, read_crimes
from casebus_schemas.law.predicates import predicates
from casebus_schemas.law.thresholds import thresholds


@pytest.mark.parametrize(
    ("six", "eight", "article"),
    [
        ("030455", "03041600", "179"),
        ("030456", "03041700", "180(1)"),
        ("030487", "03041800", "180(4)"),
        ("030457", "03041900", "181(1)"),
        ("030458", "03042000", "181(2)"),
        ("030459", "03042100", "182"),
        ("030477", "03042900", "191"),
    ],
)
def test_both_code_tables_name_one_crime(six: str, eight: str, article: str) -> None:
    """The old number of six digits, the newer one of eight, and the article are the same crime."""
    found = [crime_called(named) for named in (six, eight, article)]
    assert [crime.article for crime in found if crime] == [article] * 3


def test_manipulation_has_a_number_for_each_market() -> None:
    """Securities and futures have numbers of their own under that of the crime."""
    assert {crime_called(code) for code in ("03042101", "03042102")} == {crimes()["182"]}


def test_an_unknown_number_is_none_of_them() -> None:
    """Neither a number of no table nor an article of no entry is guessed."""
    assert crime_called("030999") is None
    assert crime_called("264") is None


def test_every_article_with_a_standard_or_a_predicate_is_there() -> None:
    """Whatever the law's other tables speak of has a name."""
    assert set(thresholds()) <= set(crimes())
    bare = {article.partition("(")[0] for article in crimes()}
    assert {article for article, _ in predicates()} <= bare


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ('"180(1)": {zh: 甲}', "without en"),
        ('"180(1)": {zh: 甲, en: a, codes: ["30456"]}', "six or eight digits"),
        ('"1": {zh: 甲, en: a, codes: ["030456"]}\n"2": {zh: 乙, en: b, codes: ["030456"]}', "one entry"),
    ],
)
def test_a_file_that_is_not_right_is_named(source: str, told: str) -> None:
    """What was found, where, and what is expected."""
    with pytest.raises(UsageError, match=told):
        read_crimes(source)
