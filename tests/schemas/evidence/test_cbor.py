"""CBOR as receipts need it: one encoding a value, the same as another library's, and no other is read."""

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as some

from casebus_schemas.evidence import cbor

PUBLISHED: dict[str, cbor.Value] = {
    "00": 0,
    "17": 23,
    "1818": 24,
    "1903e8": 1000,
    "1a000f4240": 1000000,
    "1b000000e8d4a51000": 1000000000000,
    "1bffffffffffffffff": 18446744073709551615,
    "3bffffffffffffffff": -18446744073709551616,
    "20": -1,
    "3903e7": -1000,
    "f6": None,
    "40": b"",
    "4401020304": b"\1\2\3\4",
    "60": "",
    "63e6b0b4": "水",
    "80": [],
    "83010203": [1, 2, 3],
    "98190102030405060708090a0b0c0d0e0f101112131415161718181819": list(range(1, 26)),
    "a201020304": {1: 2, 3: 4},
    "a26161016162820203": {"a": 1, "b": [2, 3]},
    "c11a514b67b0": cbor.Tagged(1, 1363896240),
}
"""RFC 8949 appendix A, without floats, simple values and indefinite lengths."""
OTHERS = (
    "",
    "1817",
    "190001",
    "1a0000ffff",
    "1bffffffff",
    "5f42010243030405ff",
    "9fff",
    "bf6161019fff",
    "a203040102",
    "a201020102",
    "a1f601",
    "a1810102",
    "f4",
    "f5",
    "f7",
    "f90000",
    "fb3ff199999999999a",
    "1c",
    "4401020",
    "0000",
    "9bffffffffffffffff",
    "bbffffffffffffffff",
    "5bffffffffffffffff",
    "61ff",
    "81" * 10 + "00",
)
"""Longer forms, indefinite lengths, keys out of order or twice, other kinds, lengths that are made up."""


@pytest.mark.parametrize(("encoded", "value"), PUBLISHED.items())
def test_published_examples(encoded: str, value: cbor.Value) -> None:
    """Each example of the standard is written and read as it says."""
    assert cbor.encode(value).hex() == encoded
    assert cbor.decode(bytes.fromhex(encoded)) == value


@pytest.mark.parametrize("encoded", OTHERS)
def test_nothing_else_is_read(encoded: str) -> None:
    """What is no deterministic encoding of these kinds is refused with a reason."""
    with pytest.raises(ValueError, match=r"CBOR|bytes|codec|hex"):
        cbor.decode(bytes.fromhex(encoded))


def test_what_cannot_be_written() -> None:
    """A number of more than 64 bits, and a truth value, which Python takes for a number, are refused."""
    with pytest.raises(ValueError, match="64 bits"):
        cbor.encode(1 << 64)
    with pytest.raises(TypeError, match="bool"):
        cbor.encode(True)


numbers = some.integers(-(1 << 64), (1 << 64) - 1)
leaves = some.none() | numbers | some.binary(max_size=40) | some.text(max_size=20)
values = some.recursive(
    leaves,
    lambda inner: (
        some.lists(inner, max_size=4) | some.dictionaries(numbers | some.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(values)
def test_another_library_reads_and_writes_the_same(value: cbor.Value) -> None:
    """cbor2 reads what is written here as the same value, and what it makes of it is read here."""
    raw = cbor.encode(value)
    assert plain(cbor2.loads(raw)) == value
    assert cbor.decode(raw) == value


@given(some.binary(max_size=24))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    """Bytes are the one encoding of what they are read as, or refused with a ValueError."""
    try:
        value = cbor.decode(raw)
    except ValueError:
        return
    assert cbor.encode(value) == raw


def plain(value: object) -> object:
    """Lists and maps of cbor2, which may be of its own kinds, as Python's."""
    if hasattr(value, "items"):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return value
