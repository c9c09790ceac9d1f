"""From which amount on a case is filed: figures as the standards give them, by the day of the act."""

from datetime import date

import pytest

from casebus_schemas.errors import UsageError
from casebus_schemas.law.clocks import clock_table
from casebus_schemas.law.thresholds import highest_on, read_thresholds, threshold_on, thresholds
from casebus_schemas.texts.symbols import BASES


@pytest.mark.parametrize(
    ("article", "day", "basis", "figure"),
    [
        ("160", date(2022, 5, 14), "funds_raised", "5000000"),
        ("160", date(2022, 5, 15), "funds_raised", "10000000"),
        ("161", date(2022, 5, 14), "loss", "500000"),
        ("161", date(2022, 5, 15), "loss", "1000000"),
        ("179", date(2023, 1, 1), "funds_raised", "1000000"),
        ("180(1)", date(2023, 1, 1), "turnover", "2000000"),
        ("180(4)", date(2023, 1, 1), "illegal_gain", "1000000"),
        ("182", date(2023, 1, 1), "illegal_gain", "1000000"),
        ("185-1(1)", date(2023, 1, 1), "misappropriated", "300000"),
        ("229(1)", date(2023, 1, 1), "loss", "500000"),
    ],
)
def test_the_figure_is_that_of_the_day(article: str, day: date, basis: str, figure: str) -> None:
    """The standards of 2022 count from 15 May 2022; before, those of 2010."""
    threshold = threshold_on(article, day)
    assert threshold is not None
    assert threshold.plain[basis] == int(figure)


def test_before_the_first_text_there_is_none() -> None:
    """An act of 2009, and an article of which no figure is known, have no standard here."""
    assert threshold_on("161", date(2009, 1, 1)) is None
    assert threshold_on("181(1)", date(2023, 1, 1)) is None


def test_the_highest_figure_is_enough_whatever_the_article_is() -> None:
    """A gain of a million, a loss of 1.5 millions; before 15 May 2022 not every figure is known."""
    day = date(2022, 5, 15)
    assert [highest_on(basis, day) for basis in ("illegal_gain", "loss", "funds_raised", "fine")] == [
        1_000_000,
        1_500_000,
        10_000_000,
        None,
    ]
    assert highest_on("illegal_gain", date(2022, 5, 14)) is None


def test_every_text_cites_an_instrument_and_measures_amounts() -> None:
    """What is printed of a standard can be looked up, and its bases are those of events."""
    for texts in thresholds().values():
        for threshold in texts:
            assert threshold.source.instrument in clock_table().instruments
            assert set(threshold.lowest) <= set(BASES)


@pytest.mark.parametrize(
    "source",
    [
        "{}",
        "'161': {}",
        "'161': {2022-05-15: {instrument: a, item: '6', from: {loss: 1}, verified: true}}",
        "'161': {2022-05-15: {instrument: a, item: '6', from: {loss: '1'}, verified: maybe}}",
        "'161': {2022-05-15: {instrument: a, item: '6', verified: true}}",
    ],
)
def test_a_table_that_cannot_be_meant_is_refused(source: str) -> None:
    """Figures that are no text, a mark that is none, a text without amounts."""
    with pytest.raises(UsageError, match=r"thresholds\.yaml"):
        read_thresholds(source)
