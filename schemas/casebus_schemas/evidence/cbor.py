"""Deterministic CBOR (RFC 8949 4.2.1), as much of it as COSE receipts need, without any package.

The verifier that is handed out as one script has the standard library and one package for signatures.
Whole numbers, byte and text strings, lists, maps, tags and null; each has one encoding, others are refused.
"""

from collections.abc import Iterator
from struct import pack
from typing import NamedTuple

_DEEPEST = 8
_NULL = b"\xf6"
_SIZES = {24: 1, 25: 2, 26: 4, 27: 8}


class Tagged(NamedTuple):
    """A value under a tag."""

    tag: int
    value: "Value"


Value = int | bytes | str | None | list["Value"] | dict["int | str", "Value"] | Tagged
"""What is read and written. Numbers lie from -2**64 to 2**64 - 1; keys of maps are numbers or texts."""


def encode(value: Value) -> bytes:
    """The one encoding of a value. Raises ValueError for a number that is too large, TypeError for a bool."""
    match value:
        case None:
            return _NULL
        case bool():
            raise TypeError("a bool has no place here")
        case int():
            return _head(0, value) if value >= 0 else _head(1, -1 - value)
        case bytes():
            return _head(2, len(value)) + value
        case str():
            raw = value.encode()
            return _head(3, len(raw)) + raw
        case Tagged():
            return _head(6, value.tag) + encode(value.value)
        case list():
            return _head(4, len(value)) + b"".join(map(encode, value))
        case dict():
            pairs = sorted((encode(key), encode(one)) for key, one in value.items())
            return _head(5, len(pairs)) + b"".join(map(b"".join, pairs))


def decode(raw: bytes) -> Value:
    """The value of these bytes. Raises ValueError unless they are its one encoding, to their last byte."""
    reader = _Reader(raw)
    value = reader.value(0)
    if reader.at != len(raw):
        raise ValueError(f"{len(raw) - reader.at} bytes behind the CBOR value")
    if encode(value) != raw:
        raise ValueError("CBOR that is not deterministic: a longer number, or keys out of order")
    return value


def _head(kind: int, number: int) -> bytes:
    if number < 24:
        return bytes((kind << 5 | number,))
    for code, (form, size) in enumerate((("B", 1), ("H", 2), ("I", 4), ("Q", 8)), start=24):
        if number < 1 << 8 * size:
            return bytes((kind << 5 | code,)) + pack(f">{form}", number)
    raise ValueError(f"{number} is beyond 64 bits")


class _Reader:
    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self.at = 0

    def value(self, depth: int) -> Value:
        if depth > _DEEPEST:
            raise ValueError(f"CBOR nested deeper than {_DEEPEST}")
        if self._raw[self.at : self.at + 1] == _NULL:
            self.at += 1
            return None
        kind, number = self._head()
        if kind == 0:
            return number
        if kind == 1:
            return -1 - number
        if kind == 2:
            return self._take(number)
        if kind == 3:
            return self._take(number).decode()  # UnicodeDecodeError is a ValueError
        if kind == 4:
            return [self.value(depth + 1) for _ in self._times(number)]
        if kind == 5:
            return self._map(number, depth)
        return Tagged(number, self.value(depth + 1))

    def _map(self, count: int, depth: int) -> dict[int | str, Value]:
        found: dict[int | str, Value] = {}
        for _ in self._times(count):
            key = self.value(depth + 1)
            if not isinstance(key, int | str) or key in found:
                raise ValueError("a key of a CBOR map that is no number or text, or stands there twice")
            found[key] = self.value(depth + 1)
        return found

    def _times(self, count: int) -> Iterator[int]:
        # Each member takes a byte at least: a number that was made up ends here, not in the memory.
        if count > len(self._raw) - self.at:
            raise ValueError(f"{count} members in {len(self._raw) - self.at} bytes of CBOR")
        return iter(range(count))

    def _head(self) -> tuple[int, int]:
        first = self._take(1)[0]
        kind, low = first >> 5, first & 31
        if kind == 7:
            raise ValueError(f"CBOR of simple value or float {first:#04x}, expected none but null")
        if low < 24:
            return kind, low
        if low not in _SIZES:
            raise ValueError(f"CBOR of indefinite length, or a reserved form {first:#04x}")
        return kind, int.from_bytes(self._take(_SIZES[low]))

    def _take(self, count: int) -> bytes:
        taken = self._raw[self.at : self.at + count]
        if len(taken) != count:
            raise ValueError(f"CBOR that ends after {len(self._raw)} bytes, expected {count} more")
        self.at += count
        return taken
