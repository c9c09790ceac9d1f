"""The catalogue: event types with their authority and routing, schema versions by id and fingerprint."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files
from threading import Lock
from typing import Any

import fastavro

from casebus_schemas.agencies import BUS, Members
from casebus_schemas.errors import StopService, UsageError
from casebus_schemas.wire.canonical import fingerprint
from casebus_schemas.wire.compiled_avro import Write, compiled_reader, compiled_writer
from casebus_schemas.wire.logical import Convert, from_raw, to_raw, without_logical_types
from casebus_schemas.wire.strict_avro import Read, reader_of

from .avro_files import annotated, inlined
from .event_types import FILE, RECEIPTS, EventType, read_event_types
from .limits import NO_LIMITS, Limits, limits_of
from .schema_lock import LOCK_NAME, LockLine, lock_text, parse_lock

WORTH_COMPILING = 20
"""Values of a schema after which its functions are compiled: that takes as long as some fifty of them."""

__all__ = ["RECEIPTS", "Catalog", "EventSchema", "EventType"]


@dataclass(frozen=True, slots=True, eq=False)
class EventSchema:
    """One version of an event type's Avro schema.

    `id` is the bus-local alias in the frame, `fingerprint` (32 bytes) the identity. `schema` is the inlined
    schema as published; `raw` the same parsed without logical types, `read` its reader; `envelope_prefix`
    reads only the envelope (None for receipts of the bus, which have none). `annotated` is `schema` with the
    limits that its files name, `definitions` the named types inside it. `to_python` and `to_raw` convert
    between raw values and Python's. `limits` bound its lists and texts; what only the bus says has none.
    `often` does the same more quickly, once it has been done some times.
    """

    id: int
    type: str
    version: int
    fingerprint: bytes
    schema: Mapping[str, Any]
    annotated: Mapping[str, Any]
    definitions: Mapping[str, Any]
    raw: Any
    read: Read
    envelope_prefix: Any | None
    to_python: Convert
    to_raw: Convert
    limits: Limits
    often: "Often"

    @property
    def dataschema(self) -> str:
        """Text of the header `ce_dataschema`."""
        return "sha256:" + self.fingerprint.hex()


class Often:
    """Reads and writes values of a schema by compiled functions, which are made once that is worth it.

    Until then, and for what these do not take, there are the schema's own functions.
    """

    __slots__ = ("_any_text", "_read", "_readings", "_schema", "_write", "_writings")

    def __init__(self, schema: Any, any_text: bool) -> None:
        self._schema, self._any_text = schema, any_text
        self._readings = self._writings = 0
        self._read: Read | None = None
        self._write: Write | None = None

    @property
    def read(self) -> Read | None:
        """What reads Python's values, where this has been asked for often enough."""
        if self._read is None:
            self._readings += 1
            if self._readings > WORTH_COMPILING:
                self._read = compiled_reader(self._schema, any_text=self._any_text)
        return self._read

    @property
    def write(self) -> Write | None:
        """What appends raw values, where this has been asked for often enough."""
        if self._write is None:
            self._writings += 1
            if self._writings > WORTH_COMPILING:
                self._write = compiled_writer(without_logical_types(self._schema))
        return self._write


def _same(value: Any) -> Any:
    return value


class Catalog:
    """All event types and schemas of one installation; schemas are parsed when first asked for.

    Reading is thread-safe. `version` is a short hash of the lock, the list of types and the members.
    """

    def __init__(self, events_text: str, locked: str, members: Members | None = None) -> None:
        self.members = members or Members.load()
        """Who takes part; the roles of events.yaml stand for them."""
        read = (locked, events_text, self.members.version)
        self.version = sha256(b"\0".join(text.encode() for text in read)).hexdigest()[:12]
        listed = read_event_types(events_text, self.members)
        self._types = listed.types
        self.states = listed.states
        """What each state of a suspect and charge is called, from the first to the furthest."""
        self.quiet_days = listed.quiet_days
        """After how many days without an event a case in a state is asleep; none where it has ended."""
        lines = parse_lock(locked)
        self._by_id = {line.id: line for line in lines}
        self._by_fingerprint = {line.fingerprint: line for line in lines}
        self._latest: dict[str, LockLine] = {}
        for line in lines:
            newest = self._latest.get(line.type)
            if newest is None or newest.version < line.version:
                self._latest[line.type] = line
        self._schemas: dict[int, EventSchema] = {}
        self._building = Lock()

    @classmethod
    def load(cls) -> "Catalog":
        """The catalogue of this package, read once for the process."""
        return _load()

    @property
    def types(self) -> Mapping[str, EventType]:
        """All event types by name."""
        return self._types

    def event(self, type: str) -> EventType:
        """The event type. Raises UsageError if the bus does not know it; `types.get` asks without raising."""
        found = self._types.get(type)
        if found is None:
            raise _unknown(type)
        return found

    def correction_of(self, type: str, agency: str) -> str | None:
        """The type with which this agency corrects the facts of what it said; None where it has none."""
        event = self._types.get(type)
        correction = None if event is None or event.corrected_by is None else self._types[event.corrected_by]
        return correction.type if correction is not None and agency in correction.speakers else None

    def schemas(self) -> list[EventSchema]:
        """All schema versions in order of their ids."""
        return [self._schema(line) for line in self._by_id.values()]

    def schema_by_id(self, id: int) -> EventSchema | None:
        """The schema behind a frame's id, None if unknown."""
        schema = self._schemas.get(id)
        if schema is None and (line := self._by_id.get(id)) is not None:
            schema = self._schema(line)
        return schema

    def schema_by_fingerprint(self, fingerprint: bytes) -> EventSchema | None:
        """The schema of that identity, None if unknown."""
        line = self._by_fingerprint.get(fingerprint)
        return None if line is None else self._schema(line)

    def latest(self, type: str) -> EventSchema:
        """The newest schema version of an event type. Raises UsageError if the bus does not know the type."""
        line = self._latest.get(type)
        if line is None:
            raise _unknown(type)
        return self._schema(line)

    def _schema(self, line: LockLine) -> EventSchema:
        with self._building:
            if line.id not in self._schemas:
                self._schemas[line.id] = _built(line, self._of_bus_alone(line.type))
            return self._schemas[line.id]

    def _of_bus_alone(self, type: str) -> bool:
        event = self._types.get(type)
        return event is not None and event.speakers <= {BUS}


def _unknown(type: str) -> UsageError:
    return UsageError("unknown event type", found=repr(type[:100]), remedy="see `casebus schemas list`")


@cache
def _load() -> Catalog:
    events = (files("casebus_schemas") / FILE).read_text(encoding="utf-8")
    return Catalog(events, lock_text())


def _built(line: LockLine, of_bus_alone: bool) -> EventSchema:
    schema = inlined(line.type, line.version)
    found = fingerprint(schema)
    if found != line.fingerprint:
        raise StopService(
            f"the schema {line.type} version {line.version} is not the one that was locked",
            found=found.hex(),
            expected=f"{line.fingerprint.hex()} as in {LOCK_NAME}",
            remedy="install the package again",
        )
    whole = annotated(line.type, line.version)
    first = schema["fields"][0]
    prefix = {**schema, "fields": [first]} if first["name"] == "envelope" else None
    return EventSchema(
        id=line.id,
        type=line.type,
        version=line.version,
        fingerprint=line.fingerprint,
        schema=schema,
        annotated=whole,
        definitions=dict(_definitions(whole)),
        raw=_parsed(schema),
        read=reader_of(without_logical_types(schema)),
        envelope_prefix=None if prefix is None else _parsed(prefix),
        to_python=from_raw(whole, any_text=of_bus_alone) or _same,
        to_raw=to_raw(whole, any_text=of_bus_alone),
        limits=NO_LIMITS if of_bus_alone else limits_of(whole),
        often=Often(whole, of_bus_alone),
    )


def _definitions(schema: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(schema, list):
        for branch in schema:
            yield from _definitions(branch)
    elif isinstance(schema, dict):
        if "name" in schema:
            yield schema["name"], schema
        for field in schema.get("fields", ()):
            yield from _definitions(field["type"])
        yield from _definitions(schema.get("items"))


def _parsed(schema: Any) -> Any:
    return fastavro.parse_schema(without_logical_types(schema))
