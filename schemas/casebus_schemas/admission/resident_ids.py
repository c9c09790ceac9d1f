"""Finds resident identity numbers (GB 11643-1999) in text: personal data that must not travel in clear.

Also those of permanent residents of foreign nationality (2023: a 9, then the place) and of the old form with
15 digits. What has the shape of one but is rather a number of a paper is *doubtful*: advised, not refused.
"""

import re
from collections.abc import Iterator
from datetime import date
from itertools import accumulate
from operator import mul
from typing import Literal

Kind = Literal["clear", "doubtful"]
"""`clear`: an identity number, which is refused; `doubtful`: right in form, but rather another number."""

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK = "10X98765432"
_LENGTH = 18
_OLD_LENGTH = 15

YOUNGEST = 14
"""Years of age below which nobody is held responsible (Criminal Law art. 17): with a later day the number
counts only behind a label, since case numbers often hold a place, the day and a serial number."""
MOST_LIKENESSES = 50
"""After so many numbers of one event that are right but for the check digit, the next counts as right: each
has one chance in eleven, so that more than a few come about only where somebody makes them."""

# What people and their programs put between the digits: blanks, line breaks, dots, slashes, dashes.
_BLANKS = (
    "\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\xa0\xad\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008"
)
_BLANKS += "\u2009\u200a\u200b\u200c\u200d\u2028\u2029\u202f\u205f\u2060\u3000\ufeff"
_MARKS = "./-\u00b7\u2010\u2011\u2012\u2013\u2014\u2015\u2022\u2043\u2044\u2212\u2215\u30fb\ufe58\ufe63"
_MARKS += "\uff0d\uff0e\uff0f\uff65"
_BETWEEN_DIGITS = _BLANKS + _MARKS
_MOST_BETWEEN = 3


def _stretches(between: str, digit: str, last: str) -> re.Pattern[str]:
    """At least 15 digits with at most three characters between two of them, and maybe the letter at the end.

    A stretch begins where no other ends, so that each is read once.
    """
    gap = f"[{re.escape(between)}]"
    within = "".join(f"(?<!{digit}{gap * count}{digit})" for count in range(_MOST_BETWEEN + 1))
    step = f"{gap}{{0,{_MOST_BETWEEN}}}+"
    return re.compile(f"{digit}{within}(?:{step}{digit}){{{_OLD_LENGTH - 1},}}+(?:{step}{last})?")


_STRETCH = _stretches(_BETWEEN_DIGITS, "[0-9\uff10-\uff19]", "[Xx\uff38\uff58]")
_ASCII_STRETCH = _stretches("".join(filter(str.isascii, _BETWEEN_DIGITS)), "[0-9]", "[Xx]")
_SEPARATORS = re.compile(f"[{re.escape(_BETWEEN_DIGITS)}]+")
_WIDE = {**{0xFF10 + digit: str(digit) for digit in range(10)}, 0xFF38: "X", 0xFF58: "x"}
_TOGETHER = {**_WIDE, **dict.fromkeys(map(ord, _BETWEEN_DIGITS))}

# A day of birth from 1800 to 2199, found by its century, after a place: a province, Taiwan, Hong Kong, Macau;
# a 9 and the place of permanent residents, or the unassigned test divisions.
_PROVINCE = "(?:1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5])"
_PLACE = f"(?:{_PROVINCE}[0-9]{{4}}|(?:71|8[1-3]|99)[0-9]{{4}}|9{_PROVINCE}[0-9]{{3}})"
_MONTH_DAY = "(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])"
_REST = f"[0-9]{{2}}{_MONTH_DAY}[0-9]{{3}}[0-9Xx]"
# One digit at a time, so that no century hides another.
_BIRTH = re.compile(f"(?:1(?=[89]{_REST})|2(?=[01]{_REST}))(?<={_PLACE}.)")
_OLD = re.compile(f"{_PLACE}([0-9]{{2}})({_MONTH_DAY})[0-9]{{3}}")
_BEFORE_BIRTH = 6

# Words that say what the number behind them is; the longest label looked at stands in so many characters.
_LABEL_LENGTH = 24


def _label(words: str) -> re.Pattern[str]:
    """One of these words at the end, maybe with "number" and "is" behind it."""
    return re.compile(
        rf"(?:{words})\W{{0,3}}(?:号码?|number|no)?\W{{0,3}}(?:为|是|is)?[^0-9A-Za-z\u4e00-\u9fff]{{0,6}}$",
        re.IGNORECASE,
    )


_OF_A_PERSON = _label("身[份分]证?(?:件)?|公民身份|居民证|证件|identity card|identity|(?<![a-z])id")
_OF_A_PAPER = _label(
    "案|案件|编|文|卷|受案|立案|登记|流水|合同|凭证|账户?|帐户?|卡|字第|(?<![a-z])(?:case|document|file|no|account)"
)
_OF_A_FIRM = _label("信用代码|纳税人识别号|税号|uscc|credit code")
# The number of a message is the sender's own choice and says nothing of a case.
_OF_NUMBERS = re.compile("(?:^|(?<!message)_)(?:no|number|refs?|reference)$")
_PERSON_IN_BYTES = tuple(word.encode() for word in ("身份", "身分", "居民证", "证件"))
_PERSON_IN_ASCII = re.compile(rb"(?i)(?:identity|(?<![a-z])id)")

_USCC = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def _bytes_of(characters: str) -> set[int]:
    return set(characters.encode())


# The quick look drops the bytes of all that may stand between digits, and reads those in which the full-width
# digits end as digits: other text then may look like more digits, never like fewer.
_ENDS_OF_WIDE = {0x90 + digit: 0x30 + digit for digit in range(10)}
_TABLE = bytes(_ENDS_OF_WIDE.get(byte, byte) for byte in range(256))
_DROPPED = bytes((_bytes_of(_BLANKS + _MARKS) | {0xEF, 0xBC}) - _ENDS_OF_WIDE.keys())
_ENOUGH = re.compile(rb"[0-9][0-9]{16}")
_ENOUGH_OLD = re.compile(rb"[0-9][0-9]{14}")  # so written, the first digit is found in a quarter of the time


def may_hold_resident_id(raw: bytes) -> bool:
    """Whether UTF-8 text somewhere in these bytes can hold such a number: cheap, never False wrongly."""
    digits = raw.translate(_TABLE, _DROPPED)
    if _ENOUGH_OLD.search(digits) is None:
        return False
    return _ENOUGH.search(digits) is not None or _names_a_person(raw)


def _names_a_person(raw: bytes) -> bool:
    return any(word in raw for word in _PERSON_IN_BYTES) or _PERSON_IN_ASCII.search(raw) is not None


def holds_resident_id(text: str, on: date | None = None) -> bool:
    """Whether the text holds an identity number: a possible place and birth date, the right check digit.

    `on` is the day of the event that says it; without it every day of birth will do. The unassigned test
    divisions 99xxxx count too: nobody should get used to them on a real bus. Linear in the text's length,
    whatever stands in it.
    """
    return _Search(on).kind_in(text) == "clear"


def bytes_hold_resident_id(raw: bytes) -> bool:
    """Whether undecodable bytes hold such a number; 18 digits count whatever stands beside them."""
    return _Search(None, anywhere=True).kind_in(raw.decode("utf-8", "replace")) == "clear"


def is_resident_id(number: str) -> bool:
    """Whether 18 characters are a resident id: birth date from 1800 to 2199 and check digit."""
    if len(number) != _LENGTH or not number[:17].isascii() or not number[:17].isdigit():
        return False
    born = _day(number[6:10], number[10:12], number[12:14])
    total = sum(map(mul, _WEIGHTS, map(int, number[:17])))
    return born is not None and 1800 <= born.year < 2200 and _CHECK[total % 11] == number[17].upper()


def is_credit_code(code: str) -> bool:
    """Whether 18 characters are a unified social credit code (GB 32100-2015)."""
    places = [_USCC.find(character) for character in code.upper()]
    if len(places) != _LENGTH or min(places) < 0:
        return False
    total = sum(place * pow(3, index, 31) for index, place in enumerate(places[:17]))
    return (31 - total % 31) % 31 == places[17]


def pointers_of_resident_ids(
    value: object, pointer: str, on: date | None = None, kind: Kind = "clear"
) -> Iterator[str]:
    """JSON pointers of the texts inside decoded Avro data that hold such a number, below that of the data.

    `on` is the day of the event. Names of fields are the schema's and bytes are not looked into; a field
    whose name ends in `no` or `number`, or a reference, holds a paper's number, never a clear one.
    """
    return _pointers(value, pointer, _Search(on), kind, in_number=False)


def _pointers(
    value: object, pointer: str, search: "_Search", kind: Kind, *, in_number: bool
) -> Iterator[str]:
    if isinstance(value, str):
        if len(value) >= _OLD_LENGTH and search.kind_in(value, in_number=in_number) == kind:
            yield pointer
    elif isinstance(value, dict):
        for name, part in value.items():
            if part:
                numbers = in_number or _OF_NUMBERS.search(name) is not None
                yield from _pointers(part, f"{pointer}/{name}", search, kind, in_number=numbers)
    elif isinstance(value, list | tuple):
        for index, part in enumerate(value):
            yield from _pointers(part, f"{pointer}/{index}", search, kind, in_number=in_number)


class _Search:
    """Looks for such numbers in the texts of one event, and counts those that only look like one."""

    def __init__(self, on: date | None, *, anywhere: bool = False) -> None:
        self._youngest = date.max if on is None else _years_before(on, YOUNGEST)
        self._anywhere = anywhere
        self._likenesses = 0

    def kind_in(self, text: str, *, in_number: bool = False) -> Kind | None:
        """Clear if any number of the text is; `in_number`: the text is a case's or document's number."""
        found: Kind | None = None
        for stretch in (_ASCII_STRETCH if text.isascii() else _STRETCH).finditer(text):
            for kind in self._kinds(text, stretch, in_number):
                if kind == "clear":
                    return kind
                found = kind
        return found

    def _kinds(self, text: str, stretch: re.Match[str], in_number: bool) -> Iterator[Kind]:
        written = stretch[0]
        digits = written.translate(_TOGETHER)
        label = text[max(0, stretch.start() - _LABEL_LENGTH) : stretch.start()]
        for number, first in self._numbers(written, digits, text[stretch.end() : stretch.end() + 1]):
            if (born := _born(number)) is None:
                continue
            kind = self._kind(number, born, "" if first else label, in_number)
            if kind is not None and self._counts(number, kind):
                yield kind
        if len(digits) == _OLD_LENGTH and _OF_A_PERSON.search(label):
            old = _OLD.fullmatch(digits)
            if old is not None and _day(f"19{old[1]}", old[2][:2], old[2][2:]) is not None:
                yield "clear"

    def _numbers(self, written: str, digits: str, after: str) -> Iterator[tuple[str, int]]:
        """What has a place and a day of birth, and at which digit it begins."""
        ends: set[int] = set()
        for hit in _BIRTH.finditer(digits, _BEFORE_BIRTH):
            first = hit.start() - _BEFORE_BIRTH
            if not self._anywhere:
                ends = ends or _ends(written, after)
                if first not in ends or first + _LENGTH not in ends:
                    if len(ends) == 2:  # one group that is longer than a number
                        return
                    continue
            yield digits[first : first + _LENGTH], first

    def _kind(self, number: str, born: date, label: str, in_number: bool) -> Kind | None:
        """What a number would be whose check digit is right."""
        if _OF_A_PERSON.search(label):
            return "clear"
        if _OF_A_FIRM.search(label) and is_credit_code(number):
            return None
        if in_number or born > self._youngest or _OF_A_PAPER.search(label):
            return "doubtful"
        return "clear"

    def _counts(self, number: str, kind: Kind) -> bool:
        if is_resident_id(number):
            return True
        self._likenesses += kind == "clear"
        return kind == "clear" and self._likenesses > MOST_LIKENESSES


def _ends(written: str, after: str) -> set[int]:
    """How many digits stand before each gap: a number begins and ends at one, not within a group.

    `after` is the character behind what is written.
    """
    ends = {0, *accumulate(map(len, _SEPARATORS.split(written)))}
    if written[-1:].translate(_WIDE) in ("X", "x"):
        last = max(ends)
        ends.add(last - 1)
        if after and (after.isascii() and after.isdigit()):  # an X in the midst of digits ends nothing
            ends.discard(last)
    return ends


def _born(number: str) -> date | None:
    return _day(number[6:10], number[10:12], number[12:14])


def _day(year: str, month: str, day: str) -> date | None:
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None


def _years_before(day: date, years: int) -> date:
    """The same day so many years before; of 29 February the day after it, where there is none."""
    try:
        return day.replace(year=max(1, day.year - years))
    except ValueError:
        return date(max(1, day.year - years), 3, 1)
