"""The records on `receipt.<agency>` that say admitted or refused. No I/O."""

from io import BytesIO
from struct import pack
from typing import Any
from uuid import UUID

import fastavro

from casebus_schemas.admission.receipts import ADMITTED, REFUSED
from casebus_schemas.admission.verdict import Admission
from casebus_schemas.agencies import agency_of_topic
from casebus_schemas.catalogue.catalog import Catalog, EventSchema
from casebus_schemas.catalogue.topology import receipt
from casebus_schemas.wire.headers import CONTENT_TYPE
from casebus_schemas.wire.ids import bus_id
from casebus_schemas.wire.records import Headers, Outgoing

from .outputs import text_of_time
from .rules import Judgement

_SOURCE = b"/bus/router"
_MOST_TEXT = 100


class ReceiptWriter:
    """Writes receipts straight as raw Avro: a quarter of the time of the codec's strict conversion."""

    def __init__(self, catalog: Catalog) -> None:
        self._schemas = {
            "admitted": catalog.latest(ADMITTED),
            "refused": catalog.latest(REFUSED),
        }
        self._fixed = {verdict: _fixed_headers(schema) for verdict, schema in self._schemas.items()}

    def write(self, judgement: Judgement, admission: Admission) -> Outgoing:
        """The receipt of a judgement; a repeat of the same attempt has the same `ce_id`."""
        origin = admission.origin
        data: dict[str, Any] = {
            "stage": admission.verdict,
            "event": _event(judgement),
            "origin": {"topic": origin.topic, "partition": origin.partition, "offset": origin.offset},
            "at": admission.admitted_at_ms,
        }
        if judgement.admitted:
            data["notices"] = [
                {"agency": told.agency, "role": told.role, "notice": told.notice.bytes}
                for told in admission.recipients
            ]
        else:
            data["code"], data["detail"] = judgement.code, judgement.detail
        schema = self._schemas[admission.verdict]
        out = BytesIO(pack(">BI", 0, schema.id))
        out.seek(5)
        fastavro.schemaless_writer(out, schema.raw, data)
        causes = () if judgement.digest is None else (judgement.digest,)
        own_id = bus_id(schema.type, f"{origin}/{admission.attempt}", causes)
        headers = (
            *self._fixed[admission.verdict],
            ("ce_id", str(own_id).encode()),
            ("ce_time", text_of_time(admission.admitted_at_ms)),
        )
        chain = None if judgement.headers is None else judgement.headers.subject.encode()
        return Outgoing(receipt(agency_of_topic(origin.topic)), 0, chain, out.getvalue(), headers)


def _fixed_headers(schema: EventSchema) -> Headers:
    return (
        ("ce_specversion", b"1.0"),
        ("ce_source", _SOURCE),
        ("ce_type", schema.type.encode()),
        ("ce_dataschema", schema.dataschema.encode()),
        ("content-type", CONTENT_TYPE.encode()),
    )


def _event(judgement: Judgement) -> dict[str, Any]:
    """The event as far as its headers say; nothing of headers that cannot be read and may not be repeated."""
    headers = judgement.headers
    if headers is not None:
        return {
            "id": str(headers.id),
            "type": headers.type,
            "chain": headers.subject,
            "digest": judgement.digest,
        }
    if not judgement.kept:
        return {"id": None, "type": None, "chain": None, "digest": None}
    return {
        "id": _uuid(_first(judgement.record.headers, "ce_id")),
        "type": _first(judgement.record.headers, "ce_type"),
        "chain": _first(judgement.record.headers, "ce_subject"),
        "digest": None,
    }


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
