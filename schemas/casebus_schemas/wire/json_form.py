"""Between an event's data and JSON, led by the Avro schema: decimals as text, dates ISO, digests hex."""

import base64
import binascii
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID

from casebus_schemas.catalogue.catalog import EventSchema
from casebus_schemas.catalogue.limits import SEVERAL_LINES
from casebus_schemas.errors import UsageError
from casebus_schemas.times import (
    POSSIBLE_YEARS,
    is_possible,
    parse_utc_text,
    to_datetime,
    to_moment,
    utc_text,
)

from .control_characters import EXPECTED, EXPECTED_IN_LINES, control_in

Definitions = Mapping[str, Any]
Pointer = str | tuple["Pointer", str | int]
"""A JSON pointer (RFC 6901) as text, or one with the step below it: written out only where it is shown."""
Read = Callable[[Any, Pointer], Any]

MOST_PROBLEMS = 50
"""So many problems of one input are named: a program's mistake repeats itself in every item of a list."""

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")
_EXPECTED_YEARS = f"a year from {POSSIBLE_YEARS.start} to {POSSIBLE_YEARS.stop - 1}"
_SURROGATE = re.compile("[\ud800-\udfff]")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")
_DECIMAL = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.([0-9]+))?\Z")


class DoorProblem(UsageError):
    """An input that does not fit; `pointer` is the JSON pointer (RFC 6901) of the place.

    `also` are the other problems of the same input, as far as they were looked for. `zh` is `detail`
    in Chinese where that is not made of the clauses of texts/errors.yaml, `law` are articles for it.
    """

    also: "tuple[DoorProblem, ...]" = ()
    zh: str | None = None
    law: tuple[str, ...] = ()

    def __init__(
        self,
        pointer: Pointer,
        message: str,
        *,
        found: object = None,
        expected: object = None,
        remedy: str | None = None,
    ) -> None:
        self.pointer = _written(pointer)
        super().__init__(f"{self.pointer or '/'}: {message}", found=found, expected=expected, remedy=remedy)

    @property
    def every(self) -> "tuple[DoorProblem, ...]":
        """This problem and the others of the same input."""
        return (self, *self.also)


def together(problems: Sequence[DoorProblem]) -> DoorProblem:
    """The first of the problems, which carries the others."""
    first = problems[0]
    first.also = tuple(problems[1:MOST_PROBLEMS])
    return first


def shown(value: Any) -> str:
    """A JSON value as an error shows it, cut short."""
    if isinstance(value, list | dict):
        return f"a list of {len(value)}" if isinstance(value, list) else f"an object of {len(value)} fields"
    text = repr(value)
    return text if len(text) <= 100 else text[:97] + "..."


def step(pointer: Pointer, key: str | int) -> Pointer:
    """The pointer one step further down."""
    return pointer, key


def _written(pointer: Pointer) -> str:
    keys = []
    while not isinstance(pointer, str):
        pointer, key = pointer
        keys.append(str(key).replace("~", "~0").replace("/", "~1"))
    return "/".join([pointer, *reversed(keys)])


_readers: dict[int, tuple[Any, Read]] = {}


def from_json(schema: EventSchema, value: Any, pointer: str = "") -> dict[str, Any]:
    """Data for the codec from parsed JSON, all fields present. A time may be an aware datetime already.

    Fields with a default may be absent, unknown ones are an error. Raises DoorProblem with the pointer, what
    was found and what was expected.
    """
    # By identity: the schema is kept beside its reader, so that no other can come to its place.
    built = _readers.get(id(schema.schema))
    if built is None:
        built = _readers[id(schema.schema)] = schema.schema, _Reading(schema.definitions).of(schema.annotated)
    data: dict[str, Any] = built[1](value, pointer)
    return data


def to_json(schema: EventSchema, data: Mapping[str, Any]) -> dict[str, Any]:
    """JSON of data as the codec gives them, every field written: the inverse of `from_json`."""
    written: dict[str, Any] = _write(schema.schema, data, schema.definitions)
    return written


def reader_of(annotated: Any, named: Definitions) -> Read:
    """A function that reads JSON by an inlined schema with its limits, as `from_json` does for an event's."""
    return _Reading(named).of(annotated)


def written(schema: Any, data: Any, named: Definitions) -> Any:
    """JSON of data by an inlined schema: the inverse of `reader_of`."""
    return _write(schema, data, named)


def moment_from_text(text: Any, pointer: Pointer) -> datetime:
    """Aware UTC datetime of an ISO time with offset. Raises DoorProblem."""
    try:
        if not isinstance(text, str):
            raise ValueError("not text")
        time_ms = parse_utc_text(text)
    except (ValueError, OverflowError) as error:
        raise DoorProblem(
            pointer,
            "not a time",
            found=shown(text),
            expected="ISO 8601 with an offset, such as 2016-10-18T00:00:00+08:00",
        ) from error
    if not is_possible(time_ms):
        raise DoorProblem(pointer, "not a possible time", found=shown(text), expected=_EXPECTED_YEARS)
    return to_datetime(time_ms)


def moment_to_text(moment: datetime) -> str:
    """ISO text in UTC, with milliseconds where there are any."""
    return utc_text(to_moment(moment))


def uuid_from_text(text: Any, pointer: Pointer) -> UUID:
    """UUID of its lower-case text. Raises DoorProblem."""
    if not is_uuid(text):
        raise DoorProblem(pointer, "not a UUID", found=shown(text), expected="a lower-case UUID")
    return UUID(text)


def is_uuid(text: Any) -> bool:
    """Whether it is the lower-case text of a UUID."""
    return isinstance(text, str) and _UUID.match(text) is not None


class _Reading:
    """Builds functions that read the values of a schema; they name all that is wrong."""

    def __init__(self, named: Definitions) -> None:
        self._named = named
        self._built: dict[str, Read] = {}

    def of(self, schema: Any, lines: bool = False) -> Read:
        if isinstance(schema, list):
            (inner,) = [branch for branch in schema if branch != "null"]
            read = self.of(inner, lines)
            return lambda value, pointer: None if value is None else read(value, pointer)
        if isinstance(schema, str):
            if schema in self._built:
                return self._built[schema]
            schema = self._named.get(schema, {"type": schema})
        kind = schema.get("logicalType", schema["type"])
        if kind == "record":
            built = self._record(schema)
        elif kind == "array":
            built = self._array(schema, lines)
        elif kind == "string":
            built = partial(_text, lines)
        else:
            built = partial(_READERS[kind], schema)
        if "name" in schema:
            self._built[schema["name"]] = built
        return built

    def _array(self, schema: Any, lines: bool) -> Read:
        item = self.of(schema["items"], lines)

        def read(value: Any, pointer: Pointer) -> list[Any]:
            if not isinstance(value, list):
                raise DoorProblem(pointer, "not a list", found=shown(value), expected="a list")
            data: list[Any] = []
            problems: list[DoorProblem] = []
            for at, one in enumerate(value):
                try:
                    data.append(item(one, (pointer, at)))
                except DoorProblem as problem:
                    problems.extend(problem.every)
                    if len(problems) >= MOST_PROBLEMS:
                        break
            if problems:
                raise together(problems)
            return data

        return read

    def _record(self, schema: Any) -> Read:
        names = [field["name"] for field in schema["fields"]]
        known = frozenset(names)
        fields = [
            (
                field["name"],
                self.of(field["type"], SEVERAL_LINES in field),
                field.get("default", _ABSENT),
                field.get("doc"),
            )
            for field in schema["fields"]
        ]

        def read(value: Any, pointer: Pointer) -> dict[str, Any]:
            if not isinstance(value, dict):
                raise DoorProblem(pointer, "not an object", found=shown(value), expected="an object")
            problems = []
            if not value.keys() <= known:
                problems = [
                    DoorProblem((pointer, key), "unknown field", found=shown(key), expected=", ".join(names))
                    for key in value
                    if key not in known
                ]
            data = {}
            for name, read_field, default, doc in fields:
                try:
                    if name in value:
                        data[name] = read_field(value[name], (pointer, name))
                    elif default is _ABSENT:
                        problems.append(DoorProblem((pointer, name), "missing", expected=doc))
                    else:
                        data[name] = [] if default == [] else default
                except DoorProblem as problem:
                    problems.extend(problem.every)
            if problems:
                raise together(problems)
            return data

        return read


_ABSENT = object()


def _write(schema: Any, data: Any, named: Definitions) -> Any:
    if data is None:
        return None
    if isinstance(schema, list):
        (schema,) = [branch for branch in schema if branch != "null"]
    if isinstance(schema, str):
        schema = named.get(schema, {"type": schema})
    kind = schema.get("logicalType", schema["type"])
    if kind == "record":
        return {
            field["name"]: _write(field["type"], data[field["name"]], named) for field in schema["fields"]
        }
    if kind == "array":
        return [_write(schema["items"], item, named) for item in data]
    writer = _WRITERS.get(kind)
    return data if writer is None else writer(schema, data)


def _text(lines: bool, value: Any, pointer: Pointer) -> str:
    if not isinstance(value, str):
        raise DoorProblem(pointer, "not text", found=shown(value), expected="text")
    if value.isprintable():
        return value
    found = control_in(value, lines)
    if found is None and not value.isascii() and _SURROGATE.search(value):
        found = "a lone surrogate"
    if found is not None:
        expected = EXPECTED_IN_LINES if lines else EXPECTED
        raise DoorProblem(pointer, "a character that no text may hold", found=found, expected=expected)
    return value


def _symbol(schema: Any, value: Any, pointer: Pointer) -> str:
    if not isinstance(value, str) or value not in schema["symbols"]:
        raise DoorProblem(
            pointer, "unknown value", found=shown(value), expected="one of " + ", ".join(schema["symbols"])
        )
    return value


def _flag(schema: Any, value: Any, pointer: Pointer) -> bool:
    if not isinstance(value, bool):
        raise DoorProblem(pointer, "not a truth value", found=shown(value), expected="true or false")
    return value


def _whole(bits: int) -> Callable[[Any, Any, Pointer], int]:
    bound = 1 << (bits - 1)

    def read(schema: Any, value: Any, pointer: Pointer) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not -bound <= value < bound:
            raise DoorProblem(
                pointer, "not a whole number", found=shown(value), expected=f"a whole number of {bits} bits"
            )
        return value

    return read


def _number(schema: Any, value: Any, pointer: Pointer) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= 1e300:
        raise DoorProblem(pointer, "not a number", found=shown(value), expected="a finite number")
    return float(value)


def _decimal(schema: Any, value: Any, pointer: Pointer) -> Decimal:
    found = _DECIMAL.match(value) if isinstance(value, str) else None
    scale, digits = schema["scale"], schema["precision"]
    if found is None or len(found[1] or "") > scale:
        raise DoorProblem(
            pointer,
            "not an amount",
            found=shown(value),
            expected=f'decimal text with at most {scale} fraction digits, such as "46190000.00"',
        )
    if len(value) > digits + 2 or abs(Decimal(value)) >= Decimal(10) ** (digits - scale):
        raise DoorProblem(
            pointer, "too large an amount", found=shown(value), expected=f"at most {digits} digits in all"
        )
    # The sum drops the sign of -0.00, which would not come back the same.
    return Decimal(value).quantize(Decimal(1).scaleb(-scale)) + 0


def _day(schema: Any, value: Any, pointer: Pointer) -> date:
    try:
        if not isinstance(value, str) or not _DATE.match(value):
            raise ValueError("not a date")
        day = date.fromisoformat(value)
    except ValueError as error:
        raise DoorProblem(
            pointer, "not a date", found=shown(value), expected="an existing day, such as 2016-10-18"
        ) from error
    if day.year not in POSSIBLE_YEARS:
        raise DoorProblem(pointer, "not a possible day", found=shown(value), expected=_EXPECTED_YEARS)
    return day


def _hex(schema: Any, value: Any, pointer: Pointer) -> bytes:
    size = schema["size"]
    if not isinstance(value, str) or not re.fullmatch(f"[0-9a-f]{{{2 * size}}}", value):
        raise DoorProblem(
            pointer, "not a digest", found=shown(value), expected=f"{2 * size} lower-case hexadecimal digits"
        )
    return bytes.fromhex(value)


def _base64(schema: Any, value: Any, pointer: Pointer) -> bytes:
    try:
        if not isinstance(value, str):
            raise ValueError("not text")
        return base64.b64decode(value, validate=True)
    except (ValueError, binascii.Error) as error:
        raise DoorProblem(pointer, "not base64", found=shown(value), expected="standard base64") from error


_READERS: dict[str, Callable[[Any, Any, Pointer], Any]] = {
    "enum": _symbol,
    "boolean": _flag,
    "int": _whole(32),
    "long": _whole(64),
    "double": _number,
    "decimal": _decimal,
    "date": _day,
    "timestamp-millis": lambda schema, value, pointer: (
        value if isinstance(value, datetime) else moment_from_text(value, pointer)
    ),
    "uuid": lambda schema, value, pointer: uuid_from_text(value, pointer),
    "fixed": _hex,
    "bytes": _base64,
}

_WRITERS: dict[str, Callable[[Any, Any], Any]] = {
    "decimal": lambda schema, value: f"{value:.{schema['scale']}f}",
    "date": lambda schema, value: value.isoformat(),
    "timestamp-millis": lambda schema, value: moment_to_text(value),
    "uuid": lambda schema, value: str(value),
    "fixed": lambda schema, value: value.hex(),
    "bytes": lambda schema, value: base64.b64encode(value).decode(),
}
