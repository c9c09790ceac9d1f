"""What became of an agency's record (docs/records.md 4): receipts as records and as JSON."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from struct import pack
from typing import Any, NamedTuple
from uuid import UUID

from casebus_schemas.agencies import agency_of_topic
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.catalogue.topology import receipt
from casebus_schemas.wire.headers import CONTENT_TYPE, EventHeaders, event_headers
from casebus_schemas.wire.ids import bus_id
from casebus_schemas.wire.json_form import moment_to_text
from casebus_schemas.wire.json_form import to_json as data_to_json
from casebus_schemas.wire.records import Headers, Outgoing
from casebus_schemas.wire.signing import SignedFields, SigningKey, event_message
from casebus_schemas.wire.stream_head import StreamHead

from .receipt_bytes import Entry, admitted_body, event_bytes, ledgered_body, refused_body
from .verdict import Admission, Origin

ADMITTED = "receipt.admitted"
REFUSED = "receipt.refused"
LEDGERED = "receipt.ledgered"
_DELIVERY_PARTITION = 0
"""A receipts' topic has one partition: sequence = offset."""
_MOST_TEXT = 100


class EventRef(NamedTuple):
    """The event that a receipt is about, as far as the record says it; `digest` is 32 bytes.

    `traceparent` is its trace context, which the receipt carries on.
    """

    id: str | None
    type: str | None
    chain: str | None
    digest: bytes | None
    traceparent: str | None = None

    def data(self) -> dict[str, Any]:
        """As data of the codec."""
        return {"id": self.id, "type": self.type, "chain": self.chain, "digest": self.digest}


UNREADABLE = EventRef(None, None, None, None)
"""Of a record whose headers cannot be read or must not be repeated."""


def event_ref(headers: Headers, parsed: EventHeaders | None, digest: bytes | None) -> EventRef:
    """The event by its headers: `parsed`, or what stands in malformed ones and can be read."""
    if parsed is not None:
        return EventRef(str(parsed.id), parsed.type, parsed.subject, digest, parsed.traceparent)
    return EventRef(
        id=_uuid(_first(headers, "ce_id")),
        type=_first(headers, "ce_type"),
        chain=_first(headers, "ce_subject"),
        digest=None,
    )


class Draft(NamedTuple):
    """A receipt before it is signed. `subject` is the chain of the event."""

    type: str
    topic: str
    id: UUID
    subject: str
    time_ms: int
    body: bytes
    traceparent: str | None = None


Map = Callable[[Callable[[bytes], bytes], Sequence[bytes]], Iterable[bytes]]
"""Maps a function over messages, in their order: one by one, or on several threads."""


class ReceiptWriter:
    """Writes the records on `receipt.<agency>`, signed by the bus, each the next of its producer's stream.

    `source` is the service that says it (`/bus/router`), `producer` an incarnation that is new at each start.
    A repeat has the same `ce_id`. Used by one thread; after outputs have failed `renew` begins new streams.
    """

    def __init__(self, catalog: Catalog, source: str, key: SigningKey, producer: str) -> None:
        self._schemas = {type: catalog.latest(type) for type in (ADMITTED, REFUSED, LEDGERED)}
        self._frames = {type: pack(">BI", 0, schema.id) for type, schema in self._schemas.items()}
        self._source = source
        self._key = key
        self._producer = producer
        self._heads: dict[str, StreamHead] = {}

    def renew(self, producer: str) -> None:
        """Begins the streams of another incarnation: nobody knows which of the last outputs were written."""
        self._producer = producer
        self._heads.clear()

    def verdict(self, event: EventRef, admission: Admission) -> Draft:
        """The receipt of an admission: admitted with the notices sent, or refused with code and detail."""
        origin, at_ms, about = admission.origin, admission.admitted_at_ms, event_bytes(*event[:4])
        if admission.admitted:
            type, body = ADMITTED, admitted_body(about, origin, admission.recipients, at_ms)
        else:
            code, detail = admission.code or "", admission.detail or ""
            type, body = REFUSED, refused_body(about, origin, code, detail, at_ms)
        causes = () if admission.digest is None else (admission.digest,)
        return self._draft(type, event, origin, f"{origin}/{admission.attempt}", causes, at_ms, body)

    def ledgered(self, event: EventRef, origin: Origin, entry: Entry, at_ms: int) -> Draft:
        """The receipt of an entry of the log of the origin's topic and partition."""
        body = ledgered_body(event_bytes(*event[:4]), origin, entry, at_ms)
        name = f"{entry.log}/{entry.idx}"
        return self._draft(LEDGERED, event, origin, name, (entry.leaf_hash,), at_ms, body)

    def written(self, drafts: Iterable[Draft], mapped: Map = map) -> list[Outgoing]:
        """The records of these receipts, in their order; `mapped` may sign on several threads."""
        unsigned, heads = [], dict(self._heads)
        for draft in drafts:
            head = heads.get(draft.topic, StreamHead())
            schema, value = self._schemas[draft.type], self._frames[draft.type] + draft.body
            fields = SignedFields(
                producer=self._producer,
                seq=head.seq + 1,
                prev=head.digest,
                topic=draft.topic,
                partition=_DELIVERY_PARTITION,
                key=draft.subject,
                fingerprint=schema.fingerprint,
                content_type=CONTENT_TYPE,
                id=draft.id,
                type=draft.type,
                source=self._source,
                time_ms=draft.time_ms,
                value_sha256=sha256(value).digest(),
            )
            message = event_message(fields)
            heads[draft.topic] = StreamHead(fields.seq, sha256(message).digest())
            unsigned.append((fields, value, draft.traceparent, message))
        blocks = list(mapped(self._key.sign, [message for *_, message in unsigned]))
        self._heads = heads
        return [
            Outgoing(
                fields.topic,
                fields.partition,
                fields.key.encode(),
                value,
                event_headers(fields, block, traceparent=trace),
            )
            for (fields, value, trace, _), block in zip(unsigned, blocks, strict=True)
        ]

    def _draft(
        self,
        type: str,
        event: EventRef,
        origin: Origin,
        name: str,
        causes: tuple[bytes, ...],
        at_ms: int,
        body: bytes,
    ) -> Draft:
        id = bus_id(type, name, causes)
        # Of a record that names no chain the receipt is a chain of its own.
        subject = _uuid(event.chain) or str(id)
        about = receipt(agency_of_topic(origin.topic))
        return Draft(type, about, id, subject, at_ms, body, event.traceparent)


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


_USUAL = re.compile("[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def _uuid(text: str | None) -> str | None:
    if text is not None and _USUAL.fullmatch(text):
        return text
    try:
        return None if text is None else str(UUID(text))
    except ValueError:
        return None
