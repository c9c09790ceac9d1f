"""Finds resident identity numbers (GB 11643-1999) in text: personal data that must not travel in clear."""

import re
from collections.abc import Iterator
from datetime import date
from itertools import accumulate
from operator import mul

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK = "10X98765432"
_LENGTH = 18
_DIGITS = "0123456789"

MOST_LIKENESSES = 50
"""After so many numbers of one event that are right but for the check digit, the next counts as right: each
has one chance in eleven, so that more than a few come about only where somebody makes them."""

# People group the digits with a blank or hyphen. A stretch begins where no other ends: each is read once.
_RAW = re.compile(rb"[0-9](?<![0-9]{2})(?<![0-9][ -][0-9])[0-9 -]{16}")
_STRETCH = re.compile(r"[0-9](?<![0-9]{2})(?<![0-9][ -][0-9])[0-9 -]{16,}[0-9Xx]")
_APART = re.compile("[ -]{2,}")
_SEPARATOR = re.compile("[ -]")
# A day of birth from 1800 to 2199, found by its century, after a place: a province, or 9 of foreigners and of
# the unassigned test divisions.
_PLACE = "(?:1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[1-3]|9[0-9])[0-9]{4}"
_DAY = "[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])"
_BIRTH = re.compile(f"(?:1[89]|2[01])(?={_DAY}[0-9]{{3}}[0-9Xx])(?<={_PLACE}..)")
_BEFORE_BIRTH = 6

# People copy full-width digits from documents.
_WIDE = {**{0xFF10 + digit: str(digit) for digit in range(10)}, 0xFF38: "X", 0xFF58: "x", 0xFF0D: "-"}
_ANY_WIDE = re.compile("[\uff0d\uff10-\uff19\uff38\uff58]")
_RAW_WIDE = re.compile(rb"\xef\xbc[\x8d\x90-\x99]")


def may_hold_resident_id(raw: bytes) -> bool:
    """Whether UTF-8 text somewhere in these bytes can hold a resident id: cheap, never False wrongly.

    Full-width digits count, since people copy them from documents.
    """
    return _RAW.search(raw) is not None or _RAW_WIDE.search(raw) is not None


def holds_resident_id(text: str) -> bool:
    """Whether the text holds 18 digits with a possible place and birth date and a right check digit.

    The unassigned test divisions 99xxxx count too: nobody should get used to them on a real bus. Linear in
    the text's length, whatever stands in it.
    """
    return _Search().finds_in(text)


def bytes_hold_resident_id(raw: bytes) -> bool:
    """Whether undecodable bytes hold a resident id; 18 digits count whatever stands beside them."""
    return _Search(anywhere=True).finds_in(raw.decode("utf-8", "replace"))


def is_resident_id(number: str) -> bool:
    """Whether 18 characters are a resident id: birth date from 1800 to 2199 and check digit."""
    if len(number) != _LENGTH or not number[:17].isascii() or not number[:17].isdigit():
        return False
    try:
        born = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return False
    total = sum(map(mul, _WEIGHTS, map(int, number[:17])))
    return 1800 <= born.year < 2200 and _CHECK[total % 11] == number[17].upper()


def pointers_of_resident_ids(value: object, pointer: str) -> Iterator[str]:
    """JSON pointers of the texts inside decoded Avro data that hold a resident id, below that of the data.

    Names of fields are the schema's and bytes are not looked into.
    """
    return _pointers(value, pointer, _Search())


def _pointers(value: object, pointer: str, search: "_Search") -> Iterator[str]:
    if isinstance(value, str):
        if len(value) >= _LENGTH and search.finds_in(value):
            yield pointer
    elif isinstance(value, dict):
        for name, part in value.items():
            if part:
                yield from _pointers(part, f"{pointer}/{name}", search)
    elif isinstance(value, list | tuple):
        for index, part in enumerate(value):
            yield from _pointers(part, f"{pointer}/{index}", search)


class _Search:
    """Looks for such numbers in the texts of one event, and counts those that only look like one."""

    def __init__(self, *, anywhere: bool = False) -> None:
        self._anywhere = anywhere
        self._likenesses = 0

    def finds_in(self, text: str) -> bool:
        if not text.isascii() and _ANY_WIDE.search(text):
            text = text.translate(_WIDE)
        for stretch in _STRETCH.finditer(text):
            written = stretch[0]
            if _BIRTH.search(written.replace(" ", "").replace("-", ""), _BEFORE_BIRTH) is None:
                continue
            after = text[stretch.end() : stretch.end() + 1]
            if any(self._finds_in_run(run, after) for run in _APART.split(written)):
                return True
        return False

    def _finds_in_run(self, run: str, after: str) -> bool:
        """Whether digits at most one separator apart hold a number; `after` is the next character."""
        digits = run.replace(" ", "").replace("-", "")
        ends: set[int] | None = None
        found = _BIRTH.search(digits, _BEFORE_BIRTH)
        while found is not None:
            first = found.start() - _BEFORE_BIRTH
            if ends is None and not self._anywhere:
                ends = _ends(run, after)
            fits = ends is None or (first in ends and first + _LENGTH in ends)
            if fits and self._counts(digits[first : first + _LENGTH]):
                return True
            found = _BIRTH.search(digits, found.start() + 1)
        return False

    def _counts(self, number: str) -> bool:
        if is_resident_id(number):
            return True
        self._likenesses += 1
        return self._likenesses > MOST_LIKENESSES


def _ends(run: str, after: str) -> set[int]:
    """How many digits stand before each gap of a run: a number begins and ends at one, not within a group."""
    ends = {0, *accumulate(map(len, _SEPARATOR.split(run)))}
    if run[-1:] in ("X", "x"):
        last = max(ends)
        ends.add(last - 1)
        if after and after in _DIGITS:  # an X in the midst of digits ends nothing
            ends.discard(last)
    return ends
