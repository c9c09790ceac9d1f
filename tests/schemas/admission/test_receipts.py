"""Receipts: what the bus says of an agency's record, as data and as JSON."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from casebus_schemas.admission.receipts import (
    EventRef,
    admitted_receipt,
    ledgered_receipt,
    published_receipt,
    receipt_json,
    refused_receipt,
)
from casebus_schemas.admission.verdict import Origin, Recipient
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.wire.codec import decode, encode

CATALOG = Catalog.load()
EVENT = EventRef(UUID(int=1), "referral.submitted", str(UUID(int=2)), b"\3" * 32)
EVENT_JSON = {
    "id": str(UUID(int=1)),
    "type": "referral.submitted",
    "chain": str(UUID(int=2)),
    "digest": "03" * 32,
}
ORIGIN = Origin("csrc.referral", 3, 41)
ORIGIN_JSON = {"topic": "csrc.referral", "partition": 3, "offset": 41}
AT = datetime(2022, 9, 9, 1, 2, 3, 500_000, tzinfo=UTC)


def _on_the_bus(data: dict[str, Any]) -> dict[str, Any]:
    schema = CATALOG.latest(f"receipt.{data['stage']}")
    return receipt_json(CATALOG, decode(CATALOG, encode(schema, data))[1])


def test_admitted() -> None:
    """An admitted receipt names the notices sent."""
    data = admitted_receipt(EVENT, ORIGIN, [Recipient("mps", "to", UUID(int=9))], AT)
    assert _on_the_bus(data) == {
        "stage": "admitted",
        "event": EVENT_JSON,
        "origin": ORIGIN_JSON,
        "notices": [{"agency": "mps", "role": "to", "notice": str(UUID(int=9))}],
        "at": "2022-09-09T01:02:03.500Z",
    }


def test_refused() -> None:
    """A refused receipt has code and detail, and says nothing of an event that could not be read."""
    data = refused_receipt(EventRef(None, None, None, None), ORIGIN, "bad-headers", "what to do", AT)
    assert _on_the_bus(data) == {
        "stage": "refused",
        "event": {"id": None, "type": None, "chain": None, "digest": None},
        "origin": ORIGIN_JSON,
        "code": "bad-headers",
        "detail": "what to do",
        "at": "2022-09-09T01:02:03.500Z",
    }


def test_ledgered() -> None:
    """A ledgered receipt names log and index."""
    data = ledgered_receipt(EVENT, ORIGIN, "csrc.referral/3", 17, AT)
    assert _on_the_bus(data) == {
        "stage": "ledgered",
        "event": EVENT_JSON,
        "origin": ORIGIN_JSON,
        "log": "csrc.referral/3",
        "index": 17,
        "at": "2022-09-09T01:02:03.500Z",
    }


def test_published() -> None:
    """The first stage is said by the publisher alone and gives the record's place flat."""
    assert published_receipt(EVENT, ORIGIN, AT) == {
        "stage": "published",
        "event": EVENT_JSON,
        **ORIGIN_JSON,
        "at": "2022-09-09T01:02:03.500Z",
    }
