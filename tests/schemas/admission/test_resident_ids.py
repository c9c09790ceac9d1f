"""Resident ids are found in text as people write them, and nothing else is taken for one."""

import re
import time
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import ric

from casebus_schemas.admission.resident_ids import (
    MOST_LIKENESSES,
    bytes_hold_resident_id,
    holds_resident_id,
    is_resident_id,
    may_hold_resident_id,
    pointers_of_resident_ids,
)

STANDARDS_EXAMPLE = "11010519491231002X"
"""The example of GB 11643-1999."""


@pytest.mark.parametrize(
    "text",
    [
        STANDARDS_EXAMPLE,
        STANDARDS_EXAMPLE.lower(),
        f"身份证号{STANDARDS_EXAMPLE}，男",
        "110105 19491231 002X",
        "110105-19491231-002-X",
        "１１０１０５１９４９１２３１００２Ｘ",
        f"case 2016 {STANDARDS_EXAMPLE}",
    ],
)
def test_found_as_people_write_it(text: str) -> None:
    """A resident id is found in running text, grouped, in lower case and in full-width digits."""
    assert holds_resident_id(text)
    assert may_hold_resident_id(text.encode())
    assert list(pointers_of_resident_ids({"a": ["", {"b": text}]}, "/data")) == ["/data/a/1/b"]
    assert bytes_hold_resident_id(b"\x24" + text.encode())


@pytest.mark.parametrize(
    "text",
    [
        "110105194912310021",  # wrong check digit
        "110105194913310025",  # no such month
        "1101051949123100",
        "9110105194912310021",
        "A370200123456201601000123",
        "7c0f2b52-93b1-8f0e-9c51-3a1f0e5d2c44",
    ],
)
def test_other_numbers_are_left_alone(text: str) -> None:
    """A number of another length, with a wrong check digit or no date is no resident id."""
    assert not holds_resident_id(text)


@given(st.dates(date(1800, 1, 1), date(2199, 12, 31)), st.integers(0, 999), st.integers(110000, 659999))
def test_check_digit_agrees_with_python_stdnum(born: date, order: int, division: int) -> None:
    """The check digit is that of an independent library, and only that one is accepted."""
    body = f"{division}{born:%Y%m%d}{order:03d}"
    right = ric.calc_check_digit(body + "0")
    assert [digit for digit in "0123456789X" if is_resident_id(body + digit)] == [right]


@given(st.text(alphabet="0123456789 -Xx年", max_size=60))
def test_quick_look_never_overlooks_one(text: str) -> None:
    """Where the quick look at the bytes finds nothing, the thorough one finds nothing either."""
    assert may_hold_resident_id(text.encode()) or not holds_resident_id(text)


_ALONE = re.compile(r"(?<![0-9])(?=((?:[0-9][ -]?){17}[0-9Xx])(?![0-9]))")
_ANYWHERE = re.compile(r"(?=((?:[0-9][ -]?){17}[0-9Xx]))")
_PLACES = re.compile("1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[1-3]|9[0-9]")


def _naively(text: str, pattern: re.Pattern[str]) -> bool:
    """Every eighteen digits tried, one after the other."""
    numbers = [re.sub("[ -]", "", found[1]) for found in pattern.finditer(text)]
    return any(_PLACES.match(number) is not None and is_resident_id(number) for number in numbers)


_NUMBERS = st.builds(
    lambda place, born, order, check: f"{place}{born:%Y%m%d}{order:03d}{check}",
    st.sampled_from((110105, 440301, 990000, 710000, 820000, 209900)),
    st.dates(date(1790, 1, 1), date(2210, 12, 31)),
    st.integers(0, 999),
    st.sampled_from("0123456789Xx"),
)
_SPACED = st.builds(
    lambda number, gaps: "".join(digit + gap for digit, gap in zip(number, gaps, strict=False)),
    _NUMBERS | st.just(STANDARDS_EXAMPLE),
    st.lists(st.sampled_from(("", "", "", "", "", "", " ", "-", "  ", "7")), min_size=18, max_size=18),
)


@given(st.lists(_SPACED | st.text(alphabet="0123456789 -Xx年", max_size=6), max_size=5).map("".join))
def test_a3_the_quick_search_finds_what_a_naive_one_finds(text: str) -> None:
    """Whatever stands beside or between the digits, the search agrees with one that tries every place."""
    assert holds_resident_id(text) == _naively(text, _ALONE)
    assert bytes_hold_resident_id(text.encode()) == _naively(text, _ANYWHERE)


@pytest.mark.parametrize(
    "text",
    [
        "1 ",
        "1",
        "1" * 17 + "a",
        "1" * 18 + "a",
        "2181",
        "2019 10 10 ",
        "11010121810101 001 ",
        "１",
        "1 9 1 1 ",
    ],
)
def test_a3_the_search_is_linear(text: str) -> None:
    """A text four times as long costs about four times the time, and none costs microseconds a byte."""
    seconds = []
    for size in (50_000, 200_000):
        long = text * (size // len(text))
        begun = time.process_time()
        assert not holds_resident_id(long)
        seconds.append(time.process_time() - begun)
    assert seconds[1] < 12 * seconds[0] + 0.01
    assert seconds[1] / 200_000 < 1e-6


def test_a3_what_only_somebody_makes_counts_as_a_number() -> None:
    """So many numbers right but for the check digit do not come about by chance: the next one counts."""
    texts = ["110105194912310021"] * MOST_LIKENESSES
    assert list(pointers_of_resident_ids(texts, "/data")) == []
    assert list(pointers_of_resident_ids([*texts, texts[0]], "/data")) == [f"/data/{MOST_LIKENESSES}"]
