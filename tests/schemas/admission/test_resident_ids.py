"""Resident ids are found in text as people write them, and nothing else is taken for one."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import ric

from casebus_schemas.admission.resident_ids import (
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
