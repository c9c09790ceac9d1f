"""Receipts: what the bus says of an agency's record, as it stands in Kafka and as JSON."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from casebus_schemas.admission.proof import forged_receipt
from casebus_schemas.admission.receipt_bytes import Entry
from casebus_schemas.admission.receipts import (
    UNREADABLE,
    EventRef,
    ReceiptWriter,
    event_ref,
    published_receipt,
    receipt_json,
)
from casebus_schemas.admission.verdict import Admission, Origin, Recipient
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.wire.codec import decode
from casebus_schemas.wire.headers import EventHeaders, digest_of
from casebus_schemas.wire.records import Outgoing
from casebus_schemas.wire.signing import SigningKey
from support.events.signed_events import Speaker, keyring_of, seed_of, stored

CATALOG = Catalog.load()
WRITER = ReceiptWriter(CATALOG, "/bus/router", SigningKey(seed_of("router")), "router-1.1")
EVENT = EventRef(str(UUID(int=1)), "referral.submitted", str(UUID(int=2)), b"\3" * 32)
EVENT_JSON = {
    "id": str(UUID(int=1)),
    "type": "referral.submitted",
    "chain": str(UUID(int=2)),
    "digest": "03" * 32,
}
ORIGIN = Origin("csrc.referral", 3, 41)
ORIGIN_JSON = {"topic": "csrc.referral", "partition": 3, "offset": 41}
AT = datetime(2022, 9, 9, 1, 2, 3, 500_000, tzinfo=UTC)
AT_MS = 1_662_685_323_500
KEY = EVENT_JSON["chain"].encode()
ENTRY = Entry("csrc.referral/3", 17, AT_MS, b"\5" * 32, 18, b"\6" * 32)


def _admission(verdict: str = "admitted", **changes: Any) -> Admission:
    fields: dict[str, Any] = {
        "origin": ORIGIN,
        "attempt": 1,
        "verdict": verdict,
        "code": None,
        "detail": None,
        "digest": b"\3" * 32,
        "recipients": (),
        "catalogue": "c",
        "keyring": "k",
        "admitted_at_ms": AT_MS,
    }
    return Admission(**{**fields, **changes})


def _said(record: Outgoing) -> dict[str, Any]:
    schema, data = decode(CATALOG, record.value)
    headers = dict(record.headers)
    assert headers["ce_type"] == schema.type.encode()
    assert headers["ce_dataschema"] == schema.dataschema.encode()
    assert headers["ce_time"] == b"2022-09-09T01:02:03.500Z"
    assert (record.topic, record.partition) == ("receipt.csrc", 0)
    return receipt_json(CATALOG, data)


def test_admitted() -> None:
    """An admitted receipt names the notices sent."""
    told = _admission(recipients=(Recipient("mps", "to", UUID(int=9)),))
    (record,) = WRITER.written([WRITER.verdict(EVENT, told)])
    assert record.key == KEY
    assert _said(record) == {
        "stage": "admitted",
        "event": EVENT_JSON,
        "origin": ORIGIN_JSON,
        "notices": [{"agency": "mps", "role": "to", "notice": str(UUID(int=9))}],
        "at": "2022-09-09T01:02:03.500Z",
    }


def test_refused() -> None:
    """A refused receipt has code and detail, and says nothing of an event that could not be read."""
    told = _admission("refused", code="bad-headers", detail="what to do", digest=None)
    assert _said(*WRITER.written([WRITER.verdict(UNREADABLE, told)])) == {
        "stage": "refused",
        "event": {"id": None, "type": None, "chain": None, "digest": None},
        "origin": ORIGIN_JSON,
        "code": "bad-headers",
        "detail": "what to do",
        "at": "2022-09-09T01:02:03.500Z",
    }


def test_ledgered() -> None:
    """A ledgered receipt names log and index."""
    assert _said(*WRITER.written([WRITER.ledgered(EVENT, ORIGIN, ENTRY, AT_MS)])) == {
        "stage": "ledgered",
        "event": EVENT_JSON,
        "origin": ORIGIN_JSON,
        "log": "csrc.referral/3",
        "index": 17,
        "appended_at": "2022-09-09T01:02:03.500Z",
        "leaf": "05" * 32,
        "size": 18,
        "root": "06" * 32,
        "at": "2022-09-09T01:02:03.500Z",
    }


def test_a_repeat_has_the_same_id_and_another_attempt_another() -> None:
    """The id follows from what is told of, not from when: a reader drops what a crash made twice."""
    first, again, other = (
        WRITER.verdict(EVENT, one).id
        for one in (_admission(), _admission(admitted_at_ms=AT_MS + 7), _admission(attempt=2))
    )
    assert first == again != other


@pytest.mark.parametrize("value", [b"\xff\xfe", b"x" * 101, "a\u202eb".encode(), b"a\x1b[2J", None], ids=repr)
def test_a_receipt_repeats_no_abuse(value: bytes | None) -> None:
    """Of headers that cannot be read, only short printable text is repeated."""
    headers = (("ce_id", value), ("ce_type", value), ("ce_subject", b"plain"))
    assert event_ref(headers, None, b"\1" * 32) == EventRef(None, None, "plain", None)


def test_published() -> None:
    """The first stage is said by the publisher alone and gives the record's place flat."""
    assert published_receipt(EVENT, ORIGIN, AT) == {
        "stage": "published",
        "event": EVENT_JSON,
        **ORIGIN_JSON,
        "at": "2022-09-09T01:02:03.500Z",
    }


def test_b8_receipts_are_signed_by_the_bus_as_a_stream() -> None:
    """Each is the next of its stream, on the event's chain, or on a chain of its own where it has none."""
    writer = ReceiptWriter(CATALOG, "/bus/ledger", SigningKey(seed_of("router")), "ledger-1.7")
    told = _admission("refused", code="bad-headers", detail="x", digest=None)
    drafts = [writer.verdict(EVENT, _admission()), writer.verdict(UNREADABLE, told)]
    records = [stored(one, at) for at, one in enumerate(writer.written(drafts))]
    keyring = keyring_of(Speaker("bus", key=SigningKey(seed_of("router"))))
    assert [forged_receipt(record, keyring) for record in records] == [None, None]
    first, second = (EventHeaders.parse(record.headers) for record in records)
    assert (first.subject, second.subject) == (EVENT.chain, str(second.id))
    assert (first.seq, second.seq, second.prev) == (1, 2, digest_of(records[0]))
    writer.renew("ledger-1.8")
    assert EventHeaders.parse(writer.written(drafts)[0].headers).seq == 1
    changed = records[0]._replace(value=(records[0].value or b"")[:-1] + b"x")
    assert "does not fit" in str(forged_receipt(changed, keyring))
    assert "no key of bus" in str(forged_receipt(records[0], keyring_of(Speaker("csrc"))))
