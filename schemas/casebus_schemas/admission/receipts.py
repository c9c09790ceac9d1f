"""What became of an agency's record: admitted, refused, ledgered (docs/records.md 4), as data and as JSON."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.errors import RefusalCode
from casebus_schemas.wire.json_form import moment_to_text
from casebus_schemas.wire.json_form import to_json as data_to_json

from .verdict import Origin, Recipient

ADMITTED = "receipt.admitted"
REFUSED = "receipt.refused"
LEDGERED = "receipt.ledgered"


@dataclass(frozen=True, slots=True)
class EventRef:
    """The event that a receipt is about, as far as the record says it; `digest` is 32 bytes."""

    id: UUID | str | None
    type: str | None
    chain: str | None
    digest: bytes | None

    def data(self) -> dict[str, Any]:
        """As data of the codec."""
        id_ = None if self.id is None else str(self.id)
        return {"id": id_, "type": self.type, "chain": self.chain, "digest": self.digest}


def admitted_receipt(
    event: EventRef, origin: Origin, recipients: Iterable[Recipient], at: datetime
) -> dict[str, Any]:
    """Data of `receipt.admitted`: the record is admitted, these notices were sent."""
    notices = [{"agency": r.agency, "role": r.role, "notice": r.notice} for r in recipients]
    return {**_receipt("admitted", event, origin), "notices": notices, "at": at}


def refused_receipt(
    event: EventRef, origin: Origin, code: RefusalCode, detail: str, at: datetime
) -> dict[str, Any]:
    """Data of `receipt.refused`; `detail` says what was found, what was expected, what to do."""
    return {**_receipt("refused", event, origin), "code": code, "detail": detail, "at": at}


def ledgered_receipt(event: EventRef, origin: Origin, log: str, index: int, at: datetime) -> dict[str, Any]:
    """Data of `receipt.ledgered`: the record is entry `index` (from 0) of `log` (`topic/partition`)."""
    return {**_receipt("ledgered", event, origin), "log": log, "index": index, "at": at}


def published_receipt(event: EventRef, origin: Origin, at: datetime) -> dict[str, Any]:
    """JSON of the stage that only `casebus publish` says: the broker has acknowledged the record."""
    return {
        "stage": "published",
        "event": _event_json(event.data()),
        "topic": origin.topic,
        "partition": origin.partition,
        "offset": origin.offset,
        "at": moment_to_text(at),
    }


def receipt_json(catalog: Catalog, data: Mapping[str, Any]) -> dict[str, Any]:
    """JSON of a receipt's data, as made here or decoded from `receipt.<agency>`."""
    return data_to_json(catalog.latest(f"receipt.{data['stage']}"), data)


def _receipt(stage: str, event: EventRef, origin: Origin) -> dict[str, Any]:
    place = {"topic": origin.topic, "partition": origin.partition, "offset": origin.offset}
    return {"stage": stage, "event": event.data(), "origin": place}


def _event_json(event: Mapping[str, Any]) -> dict[str, Any]:
    digest = event["digest"]
    return {**event, "digest": None if digest is None else digest.hex()}
