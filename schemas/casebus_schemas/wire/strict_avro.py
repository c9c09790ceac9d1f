"""Avro bodies read strictly: what another language's reader refuses or reads otherwise is refused here."""

from collections.abc import Callable
from struct import Struct
from typing import Any

Read = Callable[[bytes, int], tuple[Any, int]]
"""Reads a value from a place on; gives it and the place behind it. Raises ValueError or LookupError."""

_DOUBLE = Struct("<d")
_MOST_BYTES = 10


def reader_of(schema: Any) -> Read:
    """A function that reads raw values of a schema without logical types: fastavro's, read as Avro says.

    Numbers in their shortest form and within 32 or 64 bits, lengths and counts that hold, indices of what
    there is, true and false as 1 and 0, text in UTF-8.
    """
    return _Building().of(schema)


class _Building:
    def __init__(self) -> None:
        self._named: dict[str, Read] = {}

    def of(self, schema: Any) -> Read:
        if isinstance(schema, str):
            return self._named[schema] if schema in self._named else _PLAIN[schema]
        if isinstance(schema, list):
            (inner,) = [branch for branch in schema if branch != "null"]
            return _optional(self.of(inner), 2 * schema.index(inner))
        kind = schema["type"]
        if kind == "record":
            built = _record([(field["name"], self.of(field["type"])) for field in schema["fields"]])
        elif kind == "array":
            built = _array(self.of(schema["items"]))
        elif kind == "enum":
            built = _enum(tuple(schema["symbols"]))
        elif kind == "fixed":
            built = _fixed(schema["size"])
        else:
            built = self.of(kind)
        if "name" in schema:
            self._named[schema["name"]] = built
        return built


def read_long(raw: bytes, at: int) -> tuple[int, int]:
    """A whole number of 64 bits in its shortest form. Raises ValueError or IndexError."""
    byte = raw[at]
    if byte < 0x80:
        return (byte >> 1) ^ -(byte & 1), at + 1
    number, shift, start = 0, 0, at
    while byte >= 0x80:
        number |= (byte & 0x7F) << shift
        shift += 7
        at += 1
        byte = raw[at]
        if at - start >= _MOST_BYTES:
            break
    number |= byte << shift
    if byte == 0 or at - start >= _MOST_BYTES or number >> 64:
        raise ValueError(f"a number of {at - start + 1} bytes, expected its shortest form within 64 bits")
    return (number >> 1) ^ -(number & 1), at + 1


def _int(raw: bytes, at: int) -> tuple[int, int]:
    number, at = read_long(raw, at)
    if not -(1 << 31) <= number < 1 << 31:
        raise ValueError(f"{number}, expected a whole number of 32 bits")
    return number, at


def _bytes(raw: bytes, at: int) -> tuple[bytes, int]:
    length = raw[at]
    if length < 0x80 and not length & 1:
        at, length = at + 1, length >> 1
    else:
        length, at = read_long(raw, at)
    end = at + length
    if length < 0 or end > len(raw):
        raise ValueError(f"a length of {length}, of which {len(raw) - at} bytes are there")
    return raw[at:end], end


def _text(raw: bytes, at: int) -> tuple[str, int]:
    found, end = _bytes(raw, at)
    return found.decode(), end


def _flag(raw: bytes, at: int) -> tuple[bool, int]:
    byte = raw[at]
    if byte > 1:
        raise ValueError(f"a truth value of {byte}, expected 0 or 1")
    return byte == 1, at + 1


def _double(raw: bytes, at: int) -> tuple[float, int]:
    if at + 8 > len(raw):
        raise ValueError("a number of eight bytes is cut off")
    return _DOUBLE.unpack_from(raw, at)[0], at + 8


def _null(_raw: bytes, at: int) -> tuple[None, int]:
    return None, at


def _optional(read: Read, present: int) -> Read:
    def optional(raw: bytes, at: int) -> tuple[Any, int]:
        byte = raw[at]
        if byte == present:
            return read(raw, at + 1)
        if byte != 2 - present:
            raise ValueError(f"a branch {byte:#x} of a union, expected 0 or 2")
        return None, at + 1

    return optional


def _record(fields: list[tuple[str, Read]]) -> Read:
    def record(raw: bytes, at: int) -> tuple[dict[str, Any], int]:
        found: dict[str, Any] = {}
        for name, read in fields:
            found[name], at = read(raw, at)
        return found, at

    return record


def _array(read: Read) -> Read:
    def array(raw: bytes, at: int) -> tuple[list[Any], int]:
        found: list[Any] = []
        while True:
            if not raw[at]:  # one byte, nearly always
                return found, at + 1
            count, at = read_long(raw, at)
            end = None
            if count < 0:  # a block that says its bytes
                size, at = read_long(raw, at)
                count, end = -count, at + size
            for _ in range(count):
                value, at = read(raw, at)
                found.append(value)
            if end is not None and at != end:
                raise ValueError(f"a block that ends {at - end} bytes from where it says")

    return array


def _enum(symbols: tuple[str, ...]) -> Read:
    known = {2 * index: symbol for index, symbol in enumerate(symbols[:64])}

    def enum(raw: bytes, at: int) -> tuple[str, int]:
        symbol = known.get(raw[at])  # one byte, nearly always
        if symbol is not None:
            return symbol, at + 1
        index, at = read_long(raw, at)
        if not 0 <= index < len(symbols):
            raise ValueError(f"symbol {index} of {len(symbols)}")
        return symbols[index], at

    return enum


def _fixed(size: int) -> Read:
    def fixed(raw: bytes, at: int) -> tuple[bytes, int]:
        end = at + size
        if end > len(raw):
            raise ValueError(f"{size} bytes are cut off")
        return raw[at:end], end

    return fixed


_PLAIN: dict[str, Read] = {
    "null": _null,
    "boolean": _flag,
    "int": _int,
    "long": read_long,
    "double": _double,
    "bytes": _bytes,
    "string": _text,
}
