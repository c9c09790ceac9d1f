"""Between an event's data and JSON, led by the Avro schema: decimals as text, dates ISO, digests hex."""

import base64
import binascii
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from casebus_schemas.catalogue.catalog import EventSchema
from casebus_schemas.errors import UsageError
from casebus_schemas.times import (
    POSSIBLE_YEARS,
    is_possible,
    parse_utc_text,
    to_datetime,
    to_moment,
    utc_text,
)

Definitions = Mapping[str, Any]

MOST_PROBLEMS = 50
"""So many problems of one input are named: a program's mistake repeats itself in every item of a list."""

NOT_FACTS = ("envelope", "sealed")
"""The fields of an event's record that are not facts."""

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")
_EXPECTED_YEARS = f"a year from {POSSIBLE_YEARS.start} to {POSSIBLE_YEARS.stop - 1}"
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")
_DECIMAL = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.([0-9]+))?\Z")


class DoorProblem(UsageError):
    """An input that does not fit; `pointer` is the JSON pointer (RFC 6901) of the place.

    `also` are the other problems of the same input, as far as they were looked for.
    """

    also: "tuple[DoorProblem, ...]" = ()

    def __init__(
        self,
        pointer: str,
        message: str,
        *,
        found: object = None,
        expected: object = None,
        remedy: str | None = None,
    ) -> None:
        super().__init__(f"{pointer or '/'}: {message}", found=found, expected=expected, remedy=remedy)
        self.pointer = pointer

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


def step(pointer: str, key: str | int) -> str:
    """The pointer one step further down."""
    return f"{pointer}/{str(key).replace('~', '~0').replace('/', '~1')}"


def from_json(schema: EventSchema, value: Any, pointer: str = "") -> dict[str, Any]:
    """Data for the codec from parsed JSON, all fields present.

    Fields with a default may be absent, unknown ones are an error. Raises DoorProblem with the pointer, what
    was found and what was expected.
    """
    data: dict[str, Any] = _read(schema.schema, value, pointer, schema.definitions)
    return data


def facts_from_json(schema: EventSchema, value: Any, pointer: str = "") -> dict[str, Any]:
    """As `from_json`, for the facts alone: neither envelope nor sealed. Raises DoorProblem."""
    fields = [field for field in schema.schema["fields"] if field["name"] not in NOT_FACTS]
    return _read_record({**schema.schema, "fields": fields}, value, pointer, schema.definitions)


def to_json(schema: EventSchema, data: Mapping[str, Any]) -> dict[str, Any]:
    """JSON of data as the codec gives them, every field written: the inverse of `from_json`."""
    written: dict[str, Any] = _write(schema.schema, data, schema.definitions)
    return written


def moment_from_text(text: Any, pointer: str) -> datetime:
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


def uuid_from_text(text: Any, pointer: str) -> UUID:
    """UUID of its lower-case text. Raises DoorProblem."""
    if not is_uuid(text):
        raise DoorProblem(pointer, "not a UUID", found=shown(text), expected="a lower-case UUID")
    return UUID(text)


def is_uuid(text: Any) -> bool:
    """Whether it is the lower-case text of a UUID."""
    return isinstance(text, str) and _UUID.match(text) is not None


def _read(schema: Any, value: Any, pointer: str, named: Definitions) -> Any:
    if isinstance(schema, list):
        if value is None:
            return None
        (schema,) = [branch for branch in schema if branch != "null"]
    if isinstance(schema, str):
        schema = named.get(schema, {"type": schema})
    kind = schema.get("logicalType", schema["type"])
    if kind == "record":
        return _read_record(schema, value, pointer, named)
    if kind == "array":
        if not isinstance(value, list):
            raise DoorProblem(pointer, "not a list", found=shown(value), expected="a list")
        return _read_list(schema["items"], value, pointer, named)
    return _READERS[kind](schema, value, pointer)


def _read_record(schema: Any, value: Any, pointer: str, named: Definitions) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise DoorProblem(pointer, "not an object", found=shown(value), expected="an object")
    names = [field["name"] for field in schema["fields"]]
    problems = [
        DoorProblem(step(pointer, key), "unknown field", found=shown(key), expected=", ".join(names))
        for key in value
        if key not in names
    ]
    data = {}
    for field in schema["fields"]:
        name = field["name"]
        place = step(pointer, name)
        try:
            if name in value:
                data[name] = _read(field["type"], value[name], place, named)
            elif "default" not in field:
                problems.append(DoorProblem(place, "missing", expected=field["doc"]))
            else:
                data[name] = [] if field["default"] == [] else field["default"]
        except DoorProblem as problem:
            problems.extend(problem.every)
    if problems:
        raise together(problems)
    return data


def _read_list(schema: Any, items: list[Any], pointer: str, named: Definitions) -> list[Any]:
    data: list[Any] = []
    problems: list[DoorProblem] = []
    for index, item in enumerate(items):
        try:
            data.append(_read(schema, item, step(pointer, index), named))
        except DoorProblem as problem:
            problems.extend(problem.every)
            if len(problems) >= MOST_PROBLEMS:
                break
    if problems:
        raise together(problems)
    return data


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


def _text(schema: Any, value: Any, pointer: str) -> str:
    if not isinstance(value, str):
        raise DoorProblem(pointer, "not text", found=shown(value), expected="text")
    # PostgreSQL cannot store NUL in text, UTF-8 has no lone surrogates.
    if "\0" in value or any("\ud800" <= character <= "\udfff" for character in value):
        raise DoorProblem(
            pointer, "text that cannot be stored", found=shown(value), expected="text without NUL"
        )
    return value


def _symbol(schema: Any, value: Any, pointer: str) -> str:
    if not isinstance(value, str) or value not in schema["symbols"]:
        raise DoorProblem(
            pointer, "unknown value", found=shown(value), expected="one of " + ", ".join(schema["symbols"])
        )
    return value


def _flag(schema: Any, value: Any, pointer: str) -> bool:
    if not isinstance(value, bool):
        raise DoorProblem(pointer, "not a truth value", found=shown(value), expected="true or false")
    return value


def _whole(bits: int) -> Callable[[Any, Any, str], int]:
    bound = 1 << (bits - 1)

    def read(schema: Any, value: Any, pointer: str) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not -bound <= value < bound:
            raise DoorProblem(
                pointer, "not a whole number", found=shown(value), expected=f"a whole number of {bits} bits"
            )
        return value

    return read


def _number(schema: Any, value: Any, pointer: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= 1e300:
        raise DoorProblem(pointer, "not a number", found=shown(value), expected="a finite number")
    return float(value)


def _decimal(schema: Any, value: Any, pointer: str) -> Decimal:
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


def _day(schema: Any, value: Any, pointer: str) -> date:
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


def _hex(schema: Any, value: Any, pointer: str) -> bytes:
    size = schema["size"]
    if not isinstance(value, str) or not re.fullmatch(f"[0-9a-f]{{{2 * size}}}", value):
        raise DoorProblem(
            pointer, "not a digest", found=shown(value), expected=f"{2 * size} lower-case hexadecimal digits"
        )
    return bytes.fromhex(value)


def _base64(schema: Any, value: Any, pointer: str) -> bytes:
    try:
        if not isinstance(value, str):
            raise ValueError("not text")
        return base64.b64decode(value, validate=True)
    except (ValueError, binascii.Error) as error:
        raise DoorProblem(pointer, "not base64", found=shown(value), expected="standard base64") from error


_READERS: dict[str, Callable[[Any, Any, str], Any]] = {
    "string": _text,
    "enum": _symbol,
    "boolean": _flag,
    "int": _whole(32),
    "long": _whole(64),
    "double": _number,
    "decimal": _decimal,
    "date": _day,
    "timestamp-millis": lambda schema, value, pointer: moment_from_text(value, pointer),
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
