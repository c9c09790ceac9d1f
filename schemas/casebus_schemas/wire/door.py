"""The agency's door: CloudEvents JSON (docs/records.md 3) to an event's data and back."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from casebus_schemas.agencies import agency_of_source
from casebus_schemas.catalogue.catalog import Catalog, EventSchema
from casebus_schemas.errors import UsageError
from casebus_schemas.sealed.personal import read_personal

from .headers import EventHeaders, is_source, trace_context
from .json_form import (
    DoorProblem,
    from_json,
    is_uuid,
    moment_from_text,
    shown,
    step,
    together,
    uuid_from_text,
)
from .json_form import to_json as data_to_json

__all__ = ["DoorEvent", "DoorProblem", "parse_event", "to_json"]

_ANY_TIME = datetime(2000, 1, 1, tzinfo=UTC)
"""Stands for a time that is wrong while the rest of the data is looked through."""
_REQUIRED = ("specversion", "type", "source", "time", "data")
_KNOWN = (*_REQUIRED, "id", "subject", "datacontenttype", "traceparent")


@dataclass(frozen=True, slots=True)
class DoorEvent:
    """An event as an agency's system hands it in.

    `id` is None where the sender's own message number stands for it, `subject` (the chain id) None where it
    is still to be found or minted. `time` is aware UTC; `data` is ready for the codec, with
    `envelope.occurred_at` = `time`. `personal` are the facts that stood in `data.sealed` as an object; `data`
    holds null in their place. `traceparent` is the trace context that the event came with, None where it had
    none of the known form: it is carried on, and decides nothing.
    """

    type: str
    source: str
    id: UUID | None
    time: datetime
    subject: str | None
    data: dict[str, Any]
    personal: dict[str, Any] | None = field(default=None, repr=False)
    traceparent: str | None = None

    @property
    def agency(self) -> str:
        """Agency of the source."""
        return agency_of_source(self.source)


def parse_event(event: object, catalog: Catalog) -> DoorEvent:
    """Reads one event of the door, by the newest schema of its type.

    Nothing is filled in for the sender but defaults that the schema names. Raises DoorProblem (a UsageError)
    with the JSON pointer, what was found and what was expected; it carries all that is wrong.
    """
    if not isinstance(event, dict):
        raise DoorProblem("", "not an event", found=shown(event), expected="a JSON object")
    problems = list(_wrong_attributes(event))
    schema: EventSchema | None = None
    time = data = personal = None
    given, plain = _apart(event.get("data"))
    try:
        schema = _schema(event["type"], catalog) if "type" in event else None
    except DoorProblem as problem:
        problems.append(problem)
    try:
        time = moment_from_text(event["time"], "/time") if "time" in event else None
    except DoorProblem as problem:
        problems.append(problem)
    try:
        if schema is not None and "data" in event:
            data = from_json(schema, _with_time(schema, given, time or _ANY_TIME), "/data")
    except DoorProblem as problem:
        problems.extend(problem.every)
    try:
        personal = None if plain is None else read_personal(plain, _refs(given))
    except DoorProblem as problem:
        problems.extend(problem.every)
    try:
        id = _id(event)
    except DoorProblem as problem:
        problems.append(problem)
    if problems:
        raise together(problems)
    assert schema is not None
    assert time is not None
    assert data is not None
    return DoorEvent(
        type=schema.type,
        source=event["source"],
        id=id,
        time=time,
        subject=event.get("subject"),
        data=data,
        personal=personal,
        traceparent=trace_context(event.get("traceparent")),
    )


def _apart(data: object) -> tuple[object, object]:
    """The data with null where personal facts stand in clear, and these facts."""
    if not isinstance(data, dict) or not isinstance(data.get("sealed"), dict):
        return data, None
    return {**data, "sealed": None}, data["sealed"]


def _refs(data: object) -> list[str] | None:
    """The references of the suspects that the data list; None where they list none."""
    suspects = data.get("suspects") if isinstance(data, dict) else None
    if not isinstance(suspects, list):
        return None
    return [one["ref"] for one in suspects if isinstance(one, dict) and isinstance(one.get("ref"), str)]


def _wrong_attributes(event: dict[str, Any]) -> Iterator[DoorProblem]:
    """What is wrong with the attributes that say nothing of the data."""
    for key in event:
        if key not in _KNOWN:
            yield DoorProblem(
                step("", key), "unknown attribute", found=shown(key), expected=", ".join(_KNOWN)
            )
    for key in _REQUIRED:
        if key not in event:
            yield DoorProblem(step("", key), "missing", expected=f"the attribute {key}")
    if event.get("specversion", "1.0") != "1.0":
        yield DoorProblem(
            "/specversion", "unknown version", found=shown(event["specversion"]), expected='"1.0"'
        )
    if event.get("datacontenttype", "application/json") != "application/json":
        yield DoorProblem(
            "/datacontenttype",
            "unknown content type",
            found=shown(event["datacontenttype"]),
            expected='"application/json"',
        )
    if "source" in event and not _is_source(event["source"]):
        yield DoorProblem(
            "/source",
            "not a source of this bus",
            found=shown(event["source"]),
            expected="/agency or /agency/unit of a member, such as /csrc/shanghai-office",
        )
    if event.get("subject") is not None and not is_uuid(event["subject"]):
        yield DoorProblem(
            "/subject", "not a UUID", found=shown(event["subject"]), expected="a lower-case UUID"
        )


def to_json(headers: EventHeaders, data: dict[str, Any], catalog: Catalog | None = None) -> dict[str, Any]:
    """CloudEvents JSON of an event of the bus, `data` as the codec gives them; `subject` is filled.

    Raises UsageError if the catalogue does not know the schema that the headers name.
    """
    schema = (catalog or Catalog.load()).schema_by_fingerprint(headers.fingerprint)
    if schema is None:
        raise UsageError("unknown schema", found=headers.fingerprint.hex(), expected="one of schemas.lock")
    return event_json(
        schema, data, id=str(headers.id), source=headers.source, time=headers.time, subject=headers.subject
    )


def event_json(
    schema: EventSchema, data: dict[str, Any], *, id: str | None, source: str, time: str, subject: str | None
) -> dict[str, Any]:
    """CloudEvents JSON of data and attributes; `occurred_at` is said by `time` alone."""
    written = data_to_json(schema, data)
    if "envelope" in written:
        del written["envelope"]["occurred_at"]
    event = {
        "specversion": "1.0",
        "type": schema.type,
        "source": source,
        "id": id,
        "time": time,
        "subject": subject,
        "data": written,
    }
    if id is None:
        del event["id"]
    return event


def _schema(type: object, catalog: Catalog) -> EventSchema:
    if not isinstance(type, str) or type not in catalog.types:
        raise DoorProblem(
            "/type",
            "unknown event type",
            found=shown(type),
            expected="a type of events.yaml, such as referral.submitted",
            remedy="`casebus schemas list` shows all",
        )
    return catalog.latest(type)


def _is_source(source: object) -> bool:
    if not isinstance(source, str) or not is_source(source):
        return False
    try:
        agency_of_source(source)
    except UsageError:
        return False
    return True


def _with_time(schema: EventSchema, data: object, time: datetime) -> object:
    if schema.envelope_prefix is None or not isinstance(data, dict):
        return data
    envelope = data.get("envelope")
    if not isinstance(envelope, dict):
        return data
    if "occurred_at" in envelope:
        raise DoorProblem(
            "/data/envelope/occurred_at",
            "unknown field",
            found="a second statement of the time",
            expected="nothing here",
            remedy="say it as the attribute time",
        )
    return {**data, "envelope": {**envelope, "occurred_at": time}}


def _id(event: dict[str, Any]) -> UUID | None:
    if event.get("id") is not None:
        return uuid_from_text(event["id"], "/id")
    data = event.get("data")
    envelope = data.get("envelope") if isinstance(data, dict) else None
    if not isinstance(envelope, dict) or envelope.get("message_no") is None:
        raise DoorProblem(
            "/id",
            "missing",
            expected="a UUID, version 7",
            remedy="give an id, or the sender's own number as data.envelope.message_no",
        )
    return None
