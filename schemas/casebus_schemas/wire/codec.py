"""Values on the bus: Confluent frame (00, schema id) and Avro body, to bytes and strictly back."""

import struct
from collections.abc import Callable
from io import BytesIO
from typing import Any

import fastavro
from fastavro.read import SchemaResolutionError

from casebus_schemas.catalogue.catalog import Catalog, EventSchema
from casebus_schemas.errors import Refused, UsageError

from .logical import Misfit

FRAME_LENGTH = 5
MAX_VALUE_BYTES = (1 << 20) - (16 << 10)
"""An agency's topic takes batches of 1 MiB (topics/agency.*.yaml): the rest is for key and headers."""

# All that fastavro's reader was seen or read to raise on damaged input.
_DAMAGE = (
    EOFError,
    ValueError,  # UnicodeDecodeError is one
    TypeError,
    LookupError,
    OverflowError,
    MemoryError,
    struct.error,
    SchemaResolutionError,
)


_NOT_WRITTEN = (ValueError, TypeError, LookupError, AttributeError, OverflowError, struct.error)


def encode(schema: EventSchema, data: dict[str, Any]) -> bytes:
    """Frame and body of an event's data.

    `data` holds Decimal, date, aware datetime, UUID, bytes, str, int, bool, list and dict as the schema says;
    fields with a default may be absent. Raises UsageError naming the field if it does not fit.
    """
    return encode_raw(schema, data, schema.to_raw)


def encode_raw(
    schema: EventSchema, data: dict[str, Any], to_raw: Callable[[Any], Any] = lambda raw: raw
) -> bytes:
    """As `encode`, for data that are raw already: times in milliseconds, UUIDs and digests as bytes."""
    try:
        value = _written(schema, to_raw(data))
    except (ValueError, TypeError, OverflowError, LookupError) as error:
        raise UsageError(f"the data do not fit {schema.type} version {schema.version}: {error}") from error
    if len(value) > MAX_VALUE_BYTES:
        raise UsageError(
            f"{schema.type} is too large",
            found=f"{len(value)} bytes",
            expected=f"at most {MAX_VALUE_BYTES}",
            remedy="leave files with the sender and name them as annexes",
        )
    return value


def _written(schema: EventSchema, raw: Any) -> bytes:
    frame = struct.pack(">BI", 0, schema.id)
    if (write := schema.often.write) is not None:
        body = bytearray(frame)
        try:
            write(body, raw)
        except _NOT_WRITTEN:
            pass  # fastavro says what is wrong, or takes it
        else:
            return bytes(body)
    out = BytesIO()
    out.write(frame)
    fastavro.schemaless_writer(out, schema.raw, raw)
    return out.getvalue()


def frame_id(value: bytes | None) -> int:
    """Schema id of a framed value. Raises Refused `bad-frame`."""
    if value is None or len(value) < FRAME_LENGTH or value[0] != 0:
        raise Refused(
            "bad-frame",
            "not a framed value",
            found="null" if value is None else f"{len(value)} bytes beginning {value[:FRAME_LENGTH].hex()}",
            expected="00 and a schema id of four bytes, then the Avro body",
        )
    id_: int = struct.unpack_from(">I", value, 1)[0]
    return id_


def schema_of(catalog: Catalog, value: bytes | None) -> EventSchema:
    """Schema of a framed value. Raises Refused `bad-frame`, `too-large` or `unknown-schema`."""
    id_ = frame_id(value)
    if value is not None and len(value) > MAX_VALUE_BYTES:
        raise Refused(
            "too-large", "the value is too large", found=len(value), expected=f"<= {MAX_VALUE_BYTES} bytes"
        )
    schema = catalog.schema_by_id(id_)
    if schema is None:
        raise Refused(
            "unknown-schema",
            "unknown schema id in the frame",
            found=id_,
            expected="an id of schemas.lock",
            remedy="update casebus, or register the schema first",
        )
    return schema


def decode(catalog: Catalog, value: bytes | None) -> tuple[EventSchema, dict[str, Any]]:
    """Schema and data of a framed value.

    The data hold Decimal (decimal), date, aware UTC datetime (timestamp), UUID (fixed of 16 bytes), bytes
    (digests, keys, sealed), str (also for enums), int, float, bool, None, list and dict, all fields present.
    Raises Refused `bad-frame`, `too-large`, `unknown-schema` or `bad-body`; bytes left over are `bad-body`.
    """
    schema = schema_of(catalog, value)
    assert value is not None  # schema_of refuses null
    data: dict[str, Any]
    if (read := schema.often.read) is not None:
        try:
            data, end = read(value, FRAME_LENGTH)
        except _DAMAGE:
            end = -1
        if end == len(value):
            return schema, data
    try:
        raw, end = schema.read(value, FRAME_LENGTH)
        data = schema.to_python(raw)
    except _DAMAGE as error:
        raise _damaged(schema, error) from error
    if end != len(value):
        raise Refused(
            "bad-body",
            f"bytes left over after {schema.type} version {schema.version}",
            found=f"{len(value) - end} bytes",
            expected="none",
        )
    return schema, data


def peek_envelope(catalog: Catalog, value: bytes | None) -> dict[str, Any]:
    """The envelope of a framed value, read alone and raw: `occurred_at` in milliseconds since 1970 UTC, UUIDs
    and digests as bytes. Empty for types without an envelope.

    Raises Refused as `decode` does, but sees only damage up to the envelope's end.
    """
    schema = schema_of(catalog, value)
    assert value is not None  # schema_of refuses null
    if schema.envelope_prefix is None:
        return {}
    body = BytesIO(value)
    body.seek(FRAME_LENGTH)
    try:
        prefix: Any = fastavro.schemaless_reader(body, schema.envelope_prefix, None)
    except _DAMAGE as error:
        raise _damaged(schema, error) from error
    envelope: dict[str, Any] = prefix["envelope"]
    return envelope


def _damaged(schema: EventSchema, error: BaseException) -> Refused:
    if isinstance(error, Misfit):
        return Refused(
            "bad-body",
            f"no {schema.type} version {schema.version}",
            found=error.reason[:200],
            pointer=_door_pointer(error.pointer),
        )
    return Refused(
        "bad-body",
        f"the body is no {schema.type} version {schema.version}",
        found=f"{type(error).__name__}: {str(error)[:200]}",
        expected="exactly one Avro record of that schema",
    )


def _door_pointer(pointer: str) -> str:
    """Where the agency said it (docs/records.md 3): the time is an attribute, all else in `data`."""
    return "/time" if pointer == "/envelope/occurred_at" else f"/data{pointer}"
