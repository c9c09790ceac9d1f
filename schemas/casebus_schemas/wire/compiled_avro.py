"""Avro bodies to Python's values and back by source text written once a schema: for what is right, quickly.

What these functions do not take (damage, long blocks, values of another type) they leave to the functions of
`strict_avro`, `logical` and fastavro, which say what is wrong: any error here means no more than that.
"""

from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from struct import Struct
from typing import Any

from casebus_schemas.catalogue.limits import SEVERAL_LINES
from casebus_schemas.times import END_MS, FIRST_MS, to_datetime

from .logical import logical_from_raw, texts_of
from .strict_avro import Read, read_long
from .uuids import uuid_of

Write = Callable[[bytearray, Any], None]
"""Appends the body of a raw value. Raises any error for what it does not take."""
Schema = Any

_DOUBLE = Struct("<d")
_ONE_BYTE = 64
"""Numbers below it take one byte: lengths of texts, counts, indices."""


class NotTaken(ValueError):
    """The quick functions leave this value to the others."""


def compiled_reader(schema: Schema, *, any_text: bool) -> Read:
    """A function that reads Python's values of a schema, as `reader_of` and then `from_raw` do.

    It takes arrays in one block, and looks for no end of the bytes: who calls compares where it ended.
    """
    return _Reader(any_text).built(schema)


def compiled_writer(schema: Schema) -> Write:
    """A function that appends raw values of a schema without logical types."""
    return _Writer().built(schema)


class _Source:
    """Lines of functions, one a record, and the names that they use."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._names: dict[str, Any] = {}
        self._of_record: dict[str, str] = {}
        self._kinds: dict[str, Schema] = {}

    def name(self, value: Any) -> str:
        """A name by which the source finds a value."""
        name = f"_{len(self._names)}"
        self._names[name] = value
        return name

    def plain(self, schema: Schema) -> Schema:
        """The schema itself, where it is only named the one that was met under that name."""
        if isinstance(schema, str):
            return self._kinds.get(schema, {"type": schema})
        if isinstance(schema, dict) and "name" in schema:
            self._kinds[schema["name"]] = schema
        return schema

    def add(self, lines: list[str]) -> None:
        self._lines.extend(lines)

    def function(self, schema: Schema) -> str:
        """The name of a record's function; a record may hold itself in no schema of the bus."""
        known = self._of_record.get(schema["name"])
        if known is None:
            known = self._of_record[schema["name"]] = f"record_{len(self._of_record)}"
            self.add(self.record(schema, known))
        return known

    def record(self, schema: Schema, name: str) -> list[str]:
        raise NotImplementedError

    def compiled(self, schema: Schema) -> Any:
        name = self.function(self.plain(schema))
        exec("\n".join(self._lines), self._names)  # source of our own schemas only
        return self._names[name]


class _Reader(_Source):
    def __init__(self, any_text: bool) -> None:
        super().__init__()
        self._texts = texts_of(any_text)
        self._any_text = any_text
        self._names |= {"long": read_long, "length": _length, "uuid_of": uuid_of, "moment": _moment}
        self._names |= {"double": _DOUBLE.unpack_from, "NotTaken": NotTaken}

    def built(self, schema: Schema) -> Read:
        found: Read = self.compiled(schema)
        return found

    def record(self, schema: Schema, name: str) -> list[str]:
        lines = [f"def {name}(raw, at):"]
        members = []
        for number, field in enumerate(schema["fields"]):
            lines += self.value(field["type"], f"v{number}", " ", SEVERAL_LINES in field)
            members.append(f"{field['name']!r}: v{number}")
        return [*lines, f" return {{{', '.join(members)}}}, at"]

    def value(self, schema: Schema, to: str, pad: str, lines: bool) -> list[str]:
        """Lines that read a value into a variable."""
        if isinstance(schema, list):
            (inner,) = [branch for branch in schema if branch != "null"]
            present = 2 * schema.index(inner)
            return [
                f"{pad}b = raw[at]; at += 1",
                f"{pad}if b == {2 - present}: {to} = None",
                f"{pad}elif b == {present}:",
                *self.value(inner, to, pad + " ", lines),
                f"{pad}else: raise NotTaken",
            ]
        schema = self.plain(schema)
        logical = schema.get("logicalType")
        kind = schema["type"]
        if logical is not None:
            return self.logical(schema, to, pad)
        if kind == "record":
            return [f"{pad}{to}, at = {self.function(schema)}(raw, at)"]
        if kind == "array":
            item, out = f"{to}i", f"{to}l"
            return [
                f"{pad}n{to} = raw[at]; at += 1",
                f"{pad}{to} = []",
                f"{pad}if n{to}:",
                f"{pad} if n{to} & 1 or n{to} > 127: raise NotTaken",
                f"{pad} {out} = {to}.append",
                f"{pad} for _ in range(n{to} >> 1):",
                *self.value(schema["items"], item, pad + "  ", lines),
                f"{pad}  {out}({item})",
                f"{pad} if raw[at]: raise NotTaken",
                f"{pad} at += 1",
            ]
        if kind == "enum":
            symbols = {2 * index: symbol for index, symbol in enumerate(schema["symbols"][:_ONE_BYTE])}
            return [f"{pad}{to} = {self.name(symbols)}[raw[at]]; at += 1"]
        if kind == "fixed":
            return [f"{pad}e = at + {schema['size']}; {to} = raw[at:e]; at = e"]
        if isinstance(kind, dict | list) or kind in self._kinds:
            return self.value(kind, to, pad, lines)
        return self.primitive(kind, to, pad, lines)

    def primitive(self, kind: str, to: str, pad: str, lines: bool) -> list[str]:
        match kind:
            case "string":
                check = self.name(self._texts[lines])
                good = f"'\\0' not in {to}" if self._any_text else f"{to}.isprintable()"
                return [
                    *_length_lines(pad),
                    f"{pad}{to} = raw[at:e].decode(); at = e",
                    f"{pad}if not ({good}): {check}({to})",
                ]
            case "bytes":
                return [*_length_lines(pad), f"{pad}{to} = raw[at:e]; at = e"]
            case "long":
                return [f"{pad}{to}, at = long(raw, at)"]
            case "int":
                return [
                    f"{pad}{to}, at = long(raw, at)",
                    f"{pad}if not -2147483648 <= {to} < 2147483648: raise NotTaken",
                ]
            case "boolean":
                return [
                    f"{pad}b = raw[at]; at += 1",
                    f"{pad}if b > 1: raise NotTaken",
                    f"{pad}{to} = b == 1",
                ]
            case "double":
                return [f"{pad}{to} = double(raw, at)[0]; at += 8"]
        raise ValueError(f"no reader of {kind}")

    def logical(self, schema: Schema, to: str, pad: str) -> list[str]:
        plain = {key: value for key, value in schema.items() if key not in ("logicalType", "name")}
        lines = self.value(plain, to, pad, False)
        match schema["logicalType"]:
            case "timestamp-millis":
                return [*lines, f"{pad}{to} = moment({to})"]
            case "uuid" if schema["type"] == "fixed":
                return [*lines, f"{pad}{to} = uuid_of({to})"]
        return [*lines, f"{pad}{to} = {self.name(logical_from_raw(schema))}({to})"]


def _length_lines(pad: str) -> list[str]:
    """Lines that read a length and set `e` to where it ends."""
    return [
        f"{pad}n = raw[at]",
        f"{pad}if n < 128 and not n & 1: at += 1; e = at + (n >> 1)",
        f"{pad}else: n, at = length(raw, at); e = at + n",
    ]


def _length(raw: bytes, at: int) -> tuple[int, int]:
    length, at = read_long(raw, at)
    if length < 0:
        raise NotTaken
    return length, at


@lru_cache(maxsize=4096)
def _moment(raw: int) -> datetime:
    if not FIRST_MS <= raw < END_MS:
        raise NotTaken
    return to_datetime(raw)


class _Writer(_Source):
    def __init__(self) -> None:
        super().__init__()
        self._names |= {"long": _long_bytes, "NotTaken": NotTaken, "double": _DOUBLE.pack}

    def built(self, schema: Schema) -> Write:
        found: Write = self.compiled(schema)
        return found

    def record(self, schema: Schema, name: str) -> list[str]:
        lines = [f"def {name}(out, value):"]
        for field in schema["fields"]:
            key = repr(field["name"])
            absent = "default" in field and field["default"] is None
            lines.append(f" v = value.get({key})" if absent else f" v = value[{key}]")
            lines += self.value(field["type"], " ")
        return lines

    def value(self, schema: Schema, pad: str, of: str = "v") -> list[str]:
        """Lines that append the value of a variable."""
        if isinstance(schema, list):
            (inner,) = [branch for branch in schema if branch != "null"]
            present = 2 * schema.index(inner)
            return [
                f"{pad}if {of} is None: out.append({2 - present})",
                f"{pad}else:",
                f"{pad} out.append({present})",
                *self.value(inner, pad + " ", of),
            ]
        schema = self.plain(schema)
        kind = schema["type"]
        if kind == "record":
            return [f"{pad}{self.function(schema)}(out, {of})"]
        if kind == "array":
            item = f"{of}i"
            return [
                f"{pad}if {of}:",
                f"{pad} out += long(len({of}))",
                f"{pad} for {item} in {of}:",
                *self.value(schema["items"], pad + "  ", item),
                f"{pad}elif {of} is None: raise NotTaken",
                f"{pad}out.append(0)",
            ]
        if kind == "enum":
            indices = {symbol: _long_bytes(index) for index, symbol in enumerate(schema["symbols"])}
            return [f"{pad}out += {self.name(indices)}[{of}]"]
        if kind == "fixed":
            return [f"{pad}if len({of}) != {schema['size']}: raise NotTaken", f"{pad}out += {of}"]
        if isinstance(kind, dict | list) or kind in self._kinds:
            return self.value(kind, pad, of)
        return self.primitive(kind, pad, of)

    def primitive(self, kind: str, pad: str, of: str) -> list[str]:
        match kind:
            case "string" | "bytes":
                said = f"{pad}b = {of}.encode()" if kind == "string" else f"{pad}b = {of}"
                return [
                    said,
                    f"{pad}n = len(b)",
                    f"{pad}if n < {_ONE_BYTE}: out.append(n << 1)",
                    f"{pad}else: out += long(n)",
                    f"{pad}out += b",
                ]
            case "int" | "long":
                return [f"{pad}out += long({of})"]
            case "boolean":
                return [f"{pad}out.append(1 if {of} is True else 0 if {of} is False else -1)"]
            case "double":
                return [f"{pad}out += double({of})"]
        raise ValueError(f"no writer of {kind}")


@lru_cache(maxsize=8192, typed=True)
def _long_bytes(number: int) -> bytes:
    """A whole number of 64 bits as Avro writes it."""
    if not -(1 << 63) <= number < 1 << 63:
        raise NotTaken
    rest = (number << 1) ^ (number >> 63)
    out = bytearray()
    while rest > 0x7F:
        out.append(rest & 0x7F | 0x80)
        rest >>= 7
    out.append(rest)
    return bytes(out)
