"""Receipts of a record as the services write them, for tests that stand in for the bus."""

from datetime import datetime
from hashlib import sha256

from casebus_schemas.admission.receipts import EventRef, ReceiptWriter, event_ref
from casebus_schemas.admission.verdict import Admission, Origin, Recipient
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.errors import RefusalCode
from casebus_schemas.times import to_moment
from casebus_schemas.wire.headers import EventHeaders, digest_of
from casebus_schemas.wire.ids import notice_id
from casebus_schemas.wire.records import Outgoing, Record

ROUTER = ReceiptWriter(Catalog.load(), "/bus/router")
LEDGER = ReceiptWriter(Catalog.load(), "/bus/ledger")


def admitted(record: Record, at: datetime, *told: str) -> Outgoing:
    """The router's receipt of an admitted record, with a notice to each agency told."""
    ref = _ref(record)
    recipients = tuple(Recipient(agency, "to", notice_id(ref.digest or b"", agency)) for agency in told)
    return ROUTER.verdict(ref, _admission(record, at, ref.digest, recipients), record.key)


def refused(record: Record, at: datetime, code: RefusalCode, detail: str) -> Outgoing:
    """The router's receipt of a refused record."""
    ref = _ref(record)
    return ROUTER.verdict(ref, _admission(record, at, ref.digest, (), code, detail), record.key)


def ledgered(record: Record, at: datetime, index: int) -> Outgoing:
    """The ledger's receipt of a record."""
    return LEDGER.ledgered(
        _ref(record), _origin(record), index, sha256(b"leaf").digest(), to_moment(at), record.key
    )


def _origin(record: Record) -> Origin:
    return Origin(record.topic, record.partition, record.offset)


def _ref(record: Record) -> EventRef:
    parsed = EventHeaders.parse(record.headers)
    return event_ref(record.headers, parsed, digest_of(record))


def _admission(
    record: Record,
    at: datetime,
    digest: bytes | None,
    recipients: tuple[Recipient, ...],
    code: RefusalCode | None = None,
    detail: str | None = None,
) -> Admission:
    return Admission(
        origin=_origin(record),
        attempt=1,
        verdict="refused" if code else "admitted",
        code=code,
        detail=detail,
        digest=digest,
        recipients=recipients,
        catalogue="test",
        keyring="test",
        admitted_at_ms=to_moment(at),
    )
