"""What became of an agency's record (docs/records.md 4): receipts as records and as JSON."""

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from struct import pack
from typing import Any, NamedTuple
from uuid import UUID

from casebus_schemas.agencies import agency_of_topic
from casebus_schemas.catalogue.catalog import Catalog, EventSchema
from casebus_schemas.catalogue.topology import receipt
from casebus_schemas.times import utc_text
from casebus_schemas.wire.headers import CONTENT_TYPE, EventHeaders
from casebus_schemas.wire.ids import bus_id
from casebus_schemas.wire.json_form import moment_to_text
from casebus_schemas.wire.json_form import to_json as data_to_json
from casebus_schemas.wire.records import Headers, Outgoing

from .receipt_bytes import admitted_body, event_bytes, ledgered_body, refused_body
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

    A repeat has the same `ce_id`.
    """

    def __init__(self, catalog: Catalog, source: str) -> None:
        schemas = [catalog.latest(type) for type in (ADMITTED, REFUSED, LEDGERED)]
        self._frames = {schema.type: pack(">BI", 0, schema.id) for schema in schemas}
        self._fixed = {schema.type: _fixed_headers(schema, source) for schema in schemas}

    def verdict(self, event: EventRef, admission: Admission, key: bytes | None) -> Outgoing:
        """The receipt of an admission: admitted with the notices sent, or refused with code and detail."""
        origin, at_ms, about = admission.origin, admission.admitted_at_ms, event_bytes(*event)
        if admission.admitted:
            type, body = ADMITTED, admitted_body(about, origin, admission.recipients, at_ms)
        else:
            code, detail = admission.code or "", admission.detail or ""
            type, body = REFUSED, refused_body(about, origin, code, detail, at_ms)
        causes = () if admission.digest is None else (admission.digest,)
        return self._record(type, origin.topic, f"{origin}/{admission.attempt}", causes, at_ms, key, body)

    def ledgered(
        self, event: EventRef, origin: Origin, index: int, leaf_hash: bytes, at_ms: int, key: bytes | None
    ) -> Outgoing:
        """The receipt of entry `index` (from 0) of the log of the origin's topic and partition."""
        log = f"{origin.topic}/{origin.partition}"
        body = ledgered_body(event_bytes(*event), origin, log, index, at_ms)
        return self._record(LEDGERED, origin.topic, f"{log}/{index}", (leaf_hash,), at_ms, key, body)

    def _record(
        self,
        type: str,
        topic: str,
        name: str,
        causes: tuple[bytes, ...],
        at_ms: int,
        key: bytes | None,
        body: bytes,
    ) -> Outgoing:
        headers = (
            *self._fixed[type],
            ("ce_id", str(bus_id(type, name, causes)).encode()),
            ("ce_time", _text_of_time(at_ms)),
        )
        return Outgoing(
            receipt(agency_of_topic(topic)), _DELIVERY_PARTITION, key, self._frames[type] + body, headers
        )


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
