"""What became of an agency's record (docs/records.md 4): receipts as records and as JSON."""

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from casebus_schemas.agencies import agency_of_topic
from casebus_schemas.catalogue.catalog import Catalog, EventSchema
from casebus_schemas.catalogue.topology import receipt
from casebus_schemas.times import utc_text
from casebus_schemas.wire.codec import encode_raw
from casebus_schemas.wire.headers import CONTENT_TYPE, EventHeaders
from casebus_schemas.wire.ids import bus_id
from casebus_schemas.wire.json_form import moment_to_text
from casebus_schemas.wire.json_form import to_json as data_to_json
from casebus_schemas.wire.records import Headers, Outgoing

from .verdict import Admission, Origin

ADMITTED = "receipt.admitted"
REFUSED = "receipt.refused"
LEDGERED = "receipt.ledgered"
_DELIVERY_PARTITION = 0
"""A receipts' topic has one partition: sequence = offset."""
_MOST_TEXT = 100


class EventRef(NamedTuple):
    """The event that a receipt is about, as far as the record says it; `digest` is 32 bytes."""

    id: str | None
    type: str | None
    chain: str | None
    digest: bytes | None

    def data(self) -> dict[str, Any]:
        """As data of the codec."""
        return {"id": self.id, "type": self.type, "chain": self.chain, "digest": self.digest}


UNREADABLE = EventRef(None, None, None, None)
"""Of a record whose headers cannot be read or must not be repeated."""


def event_ref(headers: Headers, parsed: EventHeaders | None, digest: bytes | None) -> EventRef:
    """The event by its headers: `parsed`, or what stands in malformed ones and can be read."""
    if parsed is not None:
        return EventRef(str(parsed.id), parsed.type, parsed.subject, digest)
    return EventRef(
        id=_uuid(_first(headers, "ce_id")),
        type=_first(headers, "ce_type"),
        chain=_first(headers, "ce_subject"),
        digest=None,
    )


class ReceiptWriter:
    """Writes the records on `receipt.<agency>`; `source` is the service that says it (`/bus/router`).

    A repeat has the same `ce_id`. Data go straight into raw Avro: a quarter of the time of the codec's strict
    conversion.
    """

    def __init__(self, catalog: Catalog, source: str) -> None:
        self._schemas = {type: catalog.latest(type) for type in (ADMITTED, REFUSED, LEDGERED)}
        self._fixed = {type: _fixed_headers(schema, source) for type, schema in self._schemas.items()}

    def verdict(self, event: EventRef, admission: Admission, key: bytes | None) -> Outgoing:
        """The receipt of an admission: admitted with the notices sent, or refused with code and detail."""
        data = _data(admission.verdict, event, admission.origin, admission.admitted_at_ms)
        if admission.admitted:
            type = ADMITTED
            data["notices"] = [
                {"agency": told.agency, "role": told.role, "notice": told.notice.bytes}
                for told in admission.recipients
            ]
        else:
            type = REFUSED
            data["code"], data["detail"] = admission.code, admission.detail
        causes = () if admission.digest is None else (admission.digest,)
        return self._record(type, data, f"{admission.origin}/{admission.attempt}", causes, key)

    def ledgered(
        self, event: EventRef, origin: Origin, index: int, leaf_hash: bytes, at_ms: int, key: bytes | None
    ) -> Outgoing:
        """The receipt of entry `index` (from 0) of the log of the origin's topic and partition."""
        log = f"{origin.topic}/{origin.partition}"
        data = _data("ledgered", event, origin, at_ms)
        data["log"], data["index"] = log, index
        return self._record(LEDGERED, data, f"{log}/{index}", (leaf_hash,), key)

    def _record(
        self, type: str, data: dict[str, Any], name: str, causes: tuple[bytes, ...], key: bytes | None
    ) -> Outgoing:
        headers = (
            *self._fixed[type],
            ("ce_id", str(bus_id(type, name, causes)).encode()),
            ("ce_time", _text_of_time(data["at"])),
        )
        topic = receipt(agency_of_topic(data["origin"]["topic"]))
        return Outgoing(topic, _DELIVERY_PARTITION, key, encode_raw(self._schemas[type], data), headers)


def published_receipt(event: EventRef, origin: Origin, at: datetime) -> dict[str, Any]:
    """JSON of the stage that only `casebus publish` says: the broker has acknowledged the record."""
    digest = None if event.digest is None else event.digest.hex()
    return {
        "stage": "published",
        "event": {**event.data(), "digest": digest},
        "topic": origin.topic,
        "partition": origin.partition,
        "offset": origin.offset,
        "at": moment_to_text(at),
    }


def receipt_json(catalog: Catalog, data: Mapping[str, Any]) -> dict[str, Any]:
    """JSON of a receipt's data, as decoded from `receipt.<agency>`."""
    return data_to_json(catalog.latest(f"receipt.{data['stage']}"), data)


def _data(stage: str, event: EventRef, origin: Origin, at_ms: int) -> dict[str, Any]:
    place = {"topic": origin.topic, "partition": origin.partition, "offset": origin.offset}
    return {"stage": stage, "event": event.data(), "origin": place, "at": at_ms}


def _fixed_headers(schema: EventSchema, source: str) -> Headers:
    return (
        ("ce_specversion", b"1.0"),
        ("ce_source", source.encode()),
        ("ce_type", schema.type.encode()),
        ("ce_dataschema", schema.dataschema.encode()),
        ("content-type", CONTENT_TYPE.encode()),
    )


@lru_cache(maxsize=16)
def _text_of_time(time_ms: int) -> bytes:
    """All receipts of a slice have the same time."""
    return utc_text(time_ms).encode()


def _first(headers: Headers, name: str) -> str | None:
    """The first header of that name if it is short printable text: a receipt repeats no abuse."""
    value = next((value for found, value in headers if found == name), None)
    if value is None or len(value) > _MOST_TEXT:
        return None
    try:
        text = value.decode()
    except UnicodeDecodeError:
        return None
    return text if text.isprintable() else None


def _uuid(text: str | None) -> str | None:
    try:
        return None if text is None else str(UUID(text))
    except ValueError:
        return None
