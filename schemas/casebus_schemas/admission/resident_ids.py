"""Finds resident identity numbers (GB 11643-1999) in text: personal data that must not travel in clear."""

import re
import unicodedata
from collections.abc import Iterator
from datetime import date

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK = "10X98765432"
_LENGTH = 18

# People group the digits with a blank or hyphen. A look-ahead, so that candidates may overlap.
_CANDIDATE = re.compile(r"(?<![0-9])(?=((?:[0-9][ -]?){17}[0-9Xx])(?![0-9]))")
_ANYWHERE = re.compile(r"(?=((?:[0-9][ -]?){17}[0-9Xx]))")
_RAW = re.compile(rb"[0-9](?:[ -]?[0-9]){16}[ -]?[0-9Xx]")
_FULL_WIDTH = b"\xef\xbc"


def may_hold_resident_id(raw: bytes) -> bool:
    """Whether UTF-8 text somewhere in these bytes can hold a resident id: cheap, never False wrongly.

    Full-width digits count, since people copy them from documents.
    """
    return _RAW.search(raw) is not None or _FULL_WIDTH in raw


def holds_resident_id(text: str) -> bool:
    """Whether the text holds 18 digits with a possible birth date and a right check digit.

    The unassigned test divisions 99xxxx count too: nobody should get used to them on a real bus.
    """
    if text.isascii():  # nearly all text is, and needs no other form
        if len(text) < _LENGTH:
            return False
        plain = text
    else:
        plain = unicodedata.normalize("NFKC", text)
    return any(is_resident_id(re.sub("[ -]", "", found[1])) for found in _CANDIDATE.finditer(plain))


def bytes_hold_resident_id(raw: bytes) -> bool:
    """Whether undecodable bytes hold a resident id; 18 digits count whatever stands beside them."""
    plain = unicodedata.normalize("NFKC", raw.decode("utf-8", "replace"))
    return any(is_resident_id(re.sub("[ -]", "", found[1])) for found in _ANYWHERE.finditer(plain))


def is_resident_id(number: str) -> bool:
    """Whether 18 characters are a resident id: birth date from 1800 to 2199 and check digit."""
    if len(number) != _LENGTH or not number[:17].isascii() or not number[:17].isdigit():
        return False
    try:
        born = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return False
    total = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, number, strict=False))
    return 1800 <= born.year < 2200 and _CHECK[total % 11] == number[17].upper()


def pointers_of_resident_ids(value: object, pointer: str) -> Iterator[str]:
    """JSON pointers of the texts inside decoded Avro data that hold a resident id, below that of the data.

    Names of fields are the schema's and bytes are not looked into.
    """
    if isinstance(value, str):
        if holds_resident_id(value):
            yield pointer
    elif isinstance(value, dict):
        for name, part in value.items():
            yield from pointers_of_resident_ids(part, f"{pointer}/{name}")
    elif isinstance(value, list | tuple):
        for index, part in enumerate(value):
            yield from pointers_of_resident_ids(part, f"{pointer}/{index}")
