"""The agency's door: CloudEvents JSON (docs/records.md 3) to an event's data and back."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from casebus_schemas.agencies import agency_of_source
from casebus_schemas.catalogue.catalog import Catalog, EventSchema
from casebus_schemas.errors import UsageError

from .headers import EventHeaders
from .json_form import DoorProblem, from_json, moment_from_text, moment_to_text, shown, step, uuid_from_text
from .json_form import to_json as data_to_json

__all__ = ["DoorEvent", "DoorProblem", "parse_event", "to_json"]

_REQUIRED = ("specversion", "type", "source", "time", "data")
_KNOWN = (*_REQUIRED, "id", "subject", "datacontenttype")


@dataclass(frozen=True, slots=True)
class DoorEvent:
    """An event as an agency's system hands it in.

    `id` is None where the sender's own message number stands for it, `subject` (the chain id) None where it
    is still to be found or minted. `time` is aware UTC; `data` is ready for the codec, with
    `envelope.occurred_at` = `time`.
    """

    type: str
    source: str
    id: UUID | None
    time: datetime
    subject: str | None
    data: dict[str, Any]

    @property
    def agency(self) -> str:
        """Agency of the source."""
        return agency_of_source(self.source)


def parse_event(event: object, catalog: Catalog) -> DoorEvent:
    """Reads one event of the door, by the newest schema of its type.

    Nothing is filled in for the sender but defaults that the schema names. Raises DoorProblem (a UsageError)
    with the JSON pointer, what was found and what was expected.
    """
    if not isinstance(event, dict):
        raise DoorProblem("", "not an event", found=shown(event), expected="a JSON object")
    for key in event:
        if key not in _KNOWN:
            raise DoorProblem(
                step("", key), "unknown attribute", found=shown(key), expected=", ".join(_KNOWN)
            )
    for key in _REQUIRED:
        if key not in event:
            raise DoorProblem(step("", key), "missing", expected=f"the attribute {key}")
    if event["specversion"] != "1.0":
        raise DoorProblem(
            "/specversion", "unknown version", found=shown(event["specversion"]), expected='"1.0"'
        )
    if event.get("datacontenttype", "application/json") != "application/json":
        raise DoorProblem(
            "/datacontenttype",
            "unknown content type",
            found=shown(event["datacontenttype"]),
            expected='"application/json"',
        )
    schema = _schema(event["type"], catalog)
    _check_source(event["source"])
    time = moment_from_text(event["time"], "/time")
    subject = event.get("subject")
    if subject is not None:
        uuid_from_text(subject, "/subject")
    data = from_json(schema, _with_time(schema, event["data"], time), "/data")
    return DoorEvent(
        type=schema.type,
        source=event["source"],
        id=_id(event, data),
        time=time,
        subject=subject,
        data=data,
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


def _check_source(source: object) -> None:
    try:
        if not isinstance(source, str):
            raise UsageError("not text")
        agency_of_source(source)
    except UsageError as error:
        raise DoorProblem(
            "/source",
            "not a source of this bus",
            found=shown(source),
            expected="/agency or /agency/unit of a member, such as /csrc/shanghai-office",
        ) from error


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
    return {**data, "envelope": {**envelope, "occurred_at": moment_to_text(time)}}


def _id(event: dict[str, Any], data: dict[str, Any]) -> UUID | None:
    if event.get("id") is not None:
        return uuid_from_text(event["id"], "/id")
    if data.get("envelope", {}).get("message_no") is None:
        raise DoorProblem(
            "/id",
            "missing",
            expected="a UUID, version 7",
            remedy="give an id, or the sender's own number as data.envelope.message_no",
        )
    return None
