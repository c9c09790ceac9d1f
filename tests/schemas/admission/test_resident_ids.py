"""Resident ids are found in text as people write them, and nothing else is taken for one."""

import re
import time
from collections.abc import Iterator
from datetime import date
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import ric, uscc

from casebus_schemas.admission.resident_ids import (
    MOST_LIKENESSES,
    Kind,
    bytes_hold_resident_id,
    holds_resident_id,
    is_credit_code,
    is_resident_id,
    may_hold_resident_id,
    pointers_of_resident_ids,
)

STANDARDS_EXAMPLE = "11010519491231002X"
"""The example of GB 11643-1999."""


def _with_check(body: str) -> str:
    return body + ric.calc_check_digit(body + "0")


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
        "110105\n19491231\t002X",
        "110105. 19491231 / 002X",
        "110105  \u3000194912\u201431\u2009002 X",
        "1１0·105—1949・12・31—００２Ｘ",
        _with_check("91110519491231002"),  # a permanent resident of foreign nationality
        _with_check("99010519491231002"),  # the test division
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
        _with_check("60051819491231002"),  # no province begins with 60
        "110105    19491231002X",  # four blanks part what they stand between
        _with_check("97010519491231002"),  # a right check digit, a 9, and no place
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


@given(st.text(alphabet="0123456789 -—\n/１９Xx年", max_size=60))
def test_quick_look_never_overlooks_one(text: str) -> None:
    """Where the quick look at the bytes finds nothing, the thorough one finds nothing either."""
    assert may_hold_resident_id(text.encode()) or not holds_resident_id(text)


_ALONE = re.compile(r"(?<![0-9])(?=((?:[0-9][ —-]{0,3}){17}[0-9Xx])(?![0-9]))")
_ANYWHERE = re.compile(r"(?=((?:[0-9][ —-]{0,3}){17}[0-9Xx]))")
_PROVINCES = [*range(11, 16), *range(21, 24), *range(31, 38), *range(41, 47), *range(50, 55), *range(61, 66)]
_PLACES = re.compile(
    "|".join([*map(str, _PROVINCES), *(f"9{place}" for place in _PROVINCES), "71|8[1-3]|99"])
)


def _naively(text: str, pattern: re.Pattern[str]) -> bool:
    """Every eighteen digits tried, one after the other."""
    numbers = [re.sub("[ —-]", "", found[1]) for found in pattern.finditer(text)]
    return any(_PLACES.match(number) is not None and is_resident_id(number) for number in numbers)


_NUMBERS = st.builds(
    lambda place, born, order, check: f"{place}{born:%Y%m%d}{order:03d}{check}",
    st.sampled_from((110105, 440301, 990000, 710000, 820000, 209900, 911010, 970000)),
    st.dates(date(1790, 1, 1), date(2210, 12, 31)),
    st.integers(0, 999),
    st.sampled_from("0123456789Xx"),
)
_SPACED = st.builds(
    lambda number, gaps: "".join(digit + gap for digit, gap in zip(number, gaps, strict=False)),
    _NUMBERS | st.just(STANDARDS_EXAMPLE),
    st.lists(
        st.sampled_from(("", "", "", "", "", "", " ", "-", "—", "   ", "    ", "7")), min_size=18, max_size=18
    ),
)


@given(st.lists(_SPACED | st.text(alphabet="0123456789 -—Xx年", max_size=6), max_size=5).map("".join))
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
        "1 \n ",
        "1—９—",
        "身份证号1101051949123",
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


ON = date(2022, 9, 9)
"""The day of the event."""


SERIAL = _with_check("44030020200514000")
"""A case number as police make them, division, day and serial, whose last digit happens to be right."""
GROWN = _with_check("44030019980514000")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (SERIAL, "doubtful"),
        (f"身份证号：{SERIAL}", "clear"),
        (f"公民身份号码为 {SERIAL}", "clear"),
        (f"ID No. {SERIAL}", "clear"),
        (GROWN, "clear"),
        (f"案号{GROWN}", "doubtful"),
        (f"受案登记编号:{GROWN}", "doubtful"),
        (f"case no. {GROWN}", "doubtful"),
        (f"会议地点paid {GROWN}", "clear"),
        (_with_check("11010520080909001"), "clear"),
        (_with_check("11010520080910001"), "doubtful"),
        (_with_check("11010520230101001"), "doubtful"),
        ("身份证号 110105491231002", "clear"),
        ("身份证号码:110105 491231 002", "clear"),
        ("110105491231002", None),
        ("流水110105491231002", None),
        ("身份证号110105491331002", None),
    ],
)
def test_what_stands_before_a_number_and_its_day_tell_what_it_is(text: str, kind: str | None) -> None:
    """Of somebody under 14, or behind the label of a paper, it is doubtful; behind a person's label clear."""
    found = {kind: list(pointers_of_resident_ids([text], "/data", ON, kind)) for kind in get_args(Kind)}
    assert found == {name: ["/data/0"] if name == kind else [] for name in get_args(Kind)}
    assert may_hold_resident_id(text.encode()) or kind is None


@pytest.mark.parametrize("name", ["case_no", "document_no", "number", "local_refs"])
def test_a_papers_number_in_its_field_is_doubtful(name: str) -> None:
    """The number of a case or document may look like a person's: it is advised, not refused."""
    assert list(pointers_of_resident_ids({name: [GROWN]}, "", ON)) == []
    assert list(pointers_of_resident_ids({name: [GROWN]}, "", ON, "doubtful")) == [f"/{name}/0"]
    assert list(pointers_of_resident_ids({"note": GROWN}, "", ON)) == ["/note"]


def _credit_codes() -> Iterator[str]:
    """Credit codes of digits only that are right as resident ids of foreigners, too."""
    for number in range(100_000):
        code = f"911101195{number:05d}"
        for tail in range(1000):
            whole = _with_check(f"{code}{tail:03d}"[:17])
            if uscc.is_valid(whole):
                yield whole
                break


def test_a_credit_code_with_its_label_passes() -> None:
    """Eighteen digits may be right as a number of either kind: the label tells."""
    code = next(code for code in _credit_codes() if holds_resident_id(code, ON))
    assert is_credit_code(code)
    assert not holds_resident_id(f"统一社会信用代码：{code}", ON)
    assert holds_resident_id(f"身份证号：{code}", ON)
    wrong = next(f"{code[:17]}{digit}" for digit in "0123456789" if digit != code[17])
    assert not is_credit_code(wrong)


@given(st.text(alphabet="0123456789ABCDEFGHJKLMNPQRTUWXY", min_size=18, max_size=18))
def test_credit_codes_agree_with_python_stdnum(code: str) -> None:
    """The check character is that of an independent library."""
    body = "91" + code[2:8].translate(str.maketrans("ABCDEFGHJKLMNPQRTUWXY", "0" * 21)) + code[8:17]
    right = uscc.calc_check_digit(body + "0")
    assert [last for last in "0123456789ABCDEFGHJKLMNPQRTUWXY" if is_credit_code(body + last)] == [right]


def test_a3_what_only_somebody_makes_counts_as_a_number() -> None:
    """So many numbers right but for the check digit do not come about by chance: the next one counts."""
    texts = ["110105194912310021"] * MOST_LIKENESSES
    assert list(pointers_of_resident_ids(texts, "/data")) == []
    assert list(pointers_of_resident_ids([*texts, texts[0]], "/data")) == [f"/data/{MOST_LIKENESSES}"]
