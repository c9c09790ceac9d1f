"""Between Avro's raw values and Python's: Decimal, date, aware UTC datetime, UUID."""

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from casebus_schemas.catalogue.limits import SEVERAL_LINES
from casebus_schemas.times import END_MS, EPOCH, FIRST_MS, MILLISECOND, POSSIBLE_YEARS, to_datetime

from .control_characters import EXPECTED, EXPECTED_IN_LINES, control_in
from .uuids import uuid_of

Convert = Callable[[Any], Any]
Schema = Any
Texts = tuple[Convert, Convert]
"""What holds of a text of one line, and of one of several."""

_EPOCH_DAY = date(1970, 1, 1).toordinal()
_LOGICAL = "logicalType"
_FIRST_DAY = date(POSSIBLE_YEARS.start, 1, 1).toordinal() - _EPOCH_DAY
_END_DAY = date(POSSIBLE_YEARS.stop, 1, 1).toordinal() - _EPOCH_DAY
_EXPECTED_YEARS = f"expected a year from {POSSIBLE_YEARS.start} to {POSSIBLE_YEARS.stop - 1}"


class Misfit(ValueError):
    """A decoded value that is none of its field's; `pointer` is the JSON pointer of the field."""

    def __init__(self, pointer: str, reason: str) -> None:
        super().__init__(f"{pointer}: {reason}")
        self.pointer = pointer
        self.reason = reason


def without_logical_types(schema: Schema) -> Schema:
    """The same schema with the same bytes, read and written as raw values."""
    if isinstance(schema, list):
        return [without_logical_types(branch) for branch in schema]
    if not isinstance(schema, dict):
        return schema
    dropped = {_LOGICAL, "precision", "scale"} if _LOGICAL in schema else set()
    kept = {key: value for key, value in schema.items() if key not in dropped}
    for key in ("type", "items", "values"):
        if key in kept:
            kept[key] = without_logical_types(kept[key])
    if "fields" in kept:
        kept["fields"] = [without_logical_types(field) for field in kept["fields"]]
    return kept


def from_raw(schema: Schema, *, any_text: bool = False) -> Convert | None:
    """A function from decoded raw values to Python's, None where they are the same.

    It changes records and arrays in place. The function raises Misfit for a value out of range, and for a
    text with control characters unless `any_text`; `several_lines` of a field allows it line feeds.
    """
    return _FromRaw(texts_of(any_text)).build(schema)


def to_raw(schema: Schema, *, any_text: bool = False) -> Convert:
    """A function from Python's values to raw ones, strict: fields that the schema does not have, missing
    fields without a default and values of another type raise ValueError or TypeError naming the place.

    Texts as for `from_raw`."""
    return _ToRaw(texts_of(any_text)).build(schema)


def _decimal_from(schema: Schema) -> Convert:
    scale, limit = schema["scale"], 10 ** schema["precision"]

    def convert(raw: bytes) -> Decimal:
        number = int.from_bytes(raw, "big", signed=True)
        if not 1 <= len(raw) <= 16 or abs(number) >= limit:
            raise ValueError(f"a decimal of {len(raw)} bytes, expected at most {schema['precision']} digits")
        return Decimal(number).scaleb(-scale)

    return convert


def _decimal_to(schema: Schema) -> Convert:
    scale, limit = schema["scale"], 10 ** schema["precision"]

    def convert(value: Any) -> bytes:
        if not isinstance(value, Decimal) or not value.is_finite():
            raise TypeError(f"{value!r}, expected a finite Decimal")
        # Exact integers: Decimal's own arithmetic rounds, and its exponents may be huge.
        number, rest = 0, 0
        if value and -scale <= value.adjusted() < schema["precision"]:
            numerator, denominator = value.as_integer_ratio()
            number, rest = divmod(numerator * 10**scale, denominator)
        if bool(value) != bool(number) or rest or abs(number) >= limit:
            raise ValueError(
                f"{value}, expected at most {scale} fraction digits and {schema['precision']} digits in all"
            )
        return number.to_bytes((number.bit_length() + 8) // 8, "big", signed=True)

    return convert


def _moment_from(raw: int) -> datetime:
    if not FIRST_MS <= raw < END_MS:
        raise ValueError(f"a time of {raw} ms, {_EXPECTED_YEARS}")
    return to_datetime(raw)


def _moment_to(value: Any) -> int:
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise TypeError(f"{value!r}, expected an aware datetime")
    milliseconds, rest = divmod(value - EPOCH, MILLISECOND)
    if rest:
        raise ValueError(f"{value.isoformat()}, expected whole milliseconds")
    if not FIRST_MS <= milliseconds < END_MS:
        raise ValueError(f"{value.isoformat()}, {_EXPECTED_YEARS}")
    return milliseconds


def _day_from(raw: int) -> date:
    if not _FIRST_DAY <= raw < _END_DAY:
        raise ValueError(f"day {raw} after 1970-01-01, {_EXPECTED_YEARS}")
    return date.fromordinal(raw + _EPOCH_DAY)


def _day_to(value: Any) -> int:
    if not isinstance(value, date) or isinstance(value, datetime):
        raise TypeError(f"{value!r}, expected a date")
    if value.year not in POSSIBLE_YEARS:
        raise ValueError(f"{value.isoformat()}, {_EXPECTED_YEARS}")
    return value.toordinal() - _EPOCH_DAY


def _uuid_to(value: Any) -> bytes:
    if not isinstance(value, UUID):
        raise TypeError(f"{value!r}, expected a UUID")
    return value.bytes


def logical_from_raw(schema: Schema) -> Convert:
    """A function from the decoded raw value of a logical type to Python's. Raises ValueError out of range."""
    return _logical(schema, raw=False)


def _logical(schema: dict[str, Any], raw: bool) -> Convert:
    match schema[_LOGICAL]:
        case "decimal":
            return _decimal_to(schema) if raw else _decimal_from(schema)
        case "timestamp-millis":
            return _moment_to if raw else _moment_from
        case "date":
            return _day_to if raw else _day_from
        case "uuid":
            return _uuid_to if raw else uuid_of
        case other:
            raise ValueError(f"logical type {other!r} is not used on this bus")


class _FromRaw:
    def __init__(self, texts: Texts) -> None:
        self._texts = texts
        self._named: dict[str, Convert | None] = {}

    def build(self, schema: Schema, lines: bool = False) -> Convert | None:
        if isinstance(schema, str):
            return self._texts[lines] if schema == "string" else self._named.get(schema)
        if isinstance(schema, list):
            (inner,) = [branch for branch in schema if branch != "null"]
            # Only fields are optional here, and a record leaves out what is null.
            return self.build(inner, lines)
        if _LOGICAL in schema:
            built: Convert | None = _logical(schema, raw=False)
        elif schema["type"] == "array":
            built = self._array(schema, lines)
        elif schema["type"] == "record":
            built = self._record(schema)
        elif schema["type"] in ("enum", "fixed"):
            built = None
        else:
            built = self.build(schema["type"], lines)
        if "name" in schema:
            self._named[schema["name"]] = built
        return built

    def _array(self, schema: Schema, lines: bool) -> Convert | None:
        item = self.build(schema["items"], lines)
        if item is None:
            return None

        def apply(values: list[Any]) -> list[Any]:
            found: list[Any] = []
            try:
                for value in values:
                    found.append(item(value))  # a comprehension would not know the place
            except ValueError as error:
                raise _misfit(len(found), error) from error
            return found

        return apply

    def _record(self, schema: Schema) -> Convert | None:
        changed = [
            (field["name"], convert)
            for field in schema["fields"]
            if (convert := self.build(field["type"], SEVERAL_LINES in field)) is not None
        ]
        if not changed:
            return None

        def apply(record: dict[str, Any]) -> dict[str, Any]:
            name = ""
            try:
                for name, convert in changed:
                    value = record[name]
                    if value is not None:
                        record[name] = convert(value)
            except ValueError as error:
                raise _misfit(name, error) from error
            return record

        return apply


def _misfit(step: str | int, error: ValueError) -> Misfit:
    if isinstance(error, Misfit):
        return Misfit(f"/{step}{error.pointer}", error.reason)
    return Misfit(f"/{step}", str(error))


_ABSENT = object()


class _ToRaw:
    def __init__(self, texts: Texts) -> None:
        self._texts = texts
        self._named: dict[str, Convert] = {}

    def build(self, schema: Schema, lines: bool = False) -> Convert:
        if schema == "string":
            return _text(self._texts[lines])
        if isinstance(schema, str):
            return self._named[schema] if schema in self._named else _PLAIN[schema]
        if isinstance(schema, list):
            (inner,) = [branch for branch in schema if branch != "null"]
            convert = self.build(inner, lines)
            return lambda value: None if value is None else convert(value)
        kind = schema["type"]
        if _LOGICAL in schema:
            built: Convert = _logical(schema, raw=True)
        elif kind == "array":
            built = self._array(schema, lines)
        elif kind == "record":
            built = self._record(schema)
        elif kind == "enum":
            built = _one_of(frozenset(schema["symbols"]))
        elif kind == "fixed":
            built = _fixed(schema["size"])
        else:
            built = self.build(kind, lines)
        if "name" in schema:
            self._named[schema["name"]] = built
        return built

    def _array(self, schema: Schema, lines: bool) -> Convert:
        item = self.build(schema["items"], lines)

        def apply(values: Any) -> list[Any]:
            if not isinstance(values, list | tuple):
                raise TypeError(f"{type(values).__name__}, expected a list")
            return [item(value) for value in values]

        return apply

    def _record(self, schema: Schema) -> Convert:
        fields = [
            (field["name"], self.build(field["type"], SEVERAL_LINES in field), field.get("default", _ABSENT))
            for field in schema["fields"]
        ]
        names = frozenset(name for name, _, _ in fields)
        record_name = schema["name"]

        def apply(record: Any) -> dict[str, Any]:
            if not isinstance(record, dict):
                raise TypeError(f"{type(record).__name__}, expected a record {record_name}")
            if not record.keys() <= names:
                raise ValueError(f"unknown fields {sorted(record.keys() - names)} of {record_name}")
            raw = {}
            for name, convert, default in fields:
                value = record.get(name, default)
                if value is _ABSENT:
                    raise ValueError(f"{name} is missing, a field of {record_name}")
                try:
                    raw[name] = convert(value)
                except (TypeError, ValueError) as error:
                    raise type(error)(f"{name}: {error}") from error
            return raw

        return apply


def _one_of(symbols: frozenset[str]) -> Convert:
    def convert(value: Any) -> Any:
        if value not in symbols:
            raise ValueError(f"{value!r}, expected one of {', '.join(sorted(symbols))}")
        return value

    return convert


def _fixed(size: int) -> Convert:
    def convert(value: Any) -> Any:
        if not isinstance(value, bytes) or len(value) != size:
            raise TypeError(f"{value!r}, expected {size} bytes")
        return value

    return convert


def texts_of(any_text: bool) -> Texts:
    """What holds of texts of one line and of several; of a printable one it always holds."""
    return (_any_text, _any_text) if any_text else (_one_line, _lines)


def _text(judge: Convert) -> Convert:
    def convert(value: Any) -> Any:
        if not isinstance(value, str):
            raise TypeError(f"{value!r}, expected text")
        return judge(value)

    return convert


def _one_line(value: str) -> str:
    if not value.isprintable() and (found := control_in(value)):
        raise ValueError(f"{found}, expected {EXPECTED}")
    return value


def _lines(value: str) -> str:
    if not value.isprintable() and (found := control_in(value, several_lines=True)):
        raise ValueError(f"{found}, expected {EXPECTED_IN_LINES}")
    return value


def _any_text(value: str) -> str:
    # PostgreSQL cannot store it: admitted here, it would stop every reader with a database.
    if "\0" in value:
        raise ValueError("a NUL character in text")
    return value


def _bytes(value: Any) -> Any:
    if not isinstance(value, bytes):
        raise TypeError(f"{type(value).__name__}, expected bytes")
    return value


def _flag(value: Any) -> Any:
    if not isinstance(value, bool):
        raise TypeError(f"{value!r}, expected true or false")
    return value


def _number(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float) or value - value != 0:
        raise TypeError(f"{value!r}, expected a finite number")
    return float(value)


def _whole(bits: int) -> Convert:
    bound = 1 << (bits - 1)

    def convert(value: Any) -> Any:
        if not isinstance(value, int) or isinstance(value, bool) or not -bound <= value < bound:
            raise TypeError(f"{value!r}, expected a whole number of {bits} bits")
        return value

    return convert


_PLAIN: dict[str, Convert] = {
    "bytes": _bytes,
    "boolean": _flag,
    "int": _whole(32),
    "long": _whole(64),
    "double": _number,
}
