"""Receipts of a record as the services write them, for tests that stand in for the bus."""

from datetime import datetime
from hashlib import sha256

from casebus_schemas.admission.receipt_bytes import Entry
from casebus_schemas.admission.receipts import EventRef, ReceiptWriter, event_ref
from casebus_schemas.admission.verdict import Admission, Origin, Recipient
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.errors import RefusalCode
from casebus_schemas.evidence.leaf import leaf, leaf_hash
from casebus_schemas.times import to_moment
from casebus_schemas.wire.headers import EventHeaders, digest_of, fields_of
from casebus_schemas.wire.ids import notice_id
from casebus_schemas.wire.records import Outgoing, Record
from casebus_schemas.wire.signing import SigningKey
from support.events.signed_events import seed_of

_KEY = SigningKey(seed_of("router"))
ROUTER = ReceiptWriter(Catalog.load(), "/bus/router", _KEY, "router-1.1")
LEDGER = ReceiptWriter(Catalog.load(), "/bus/ledger", _KEY, "ledger-1.1")


def admitted(record: Record, at: datetime, *told: str) -> Outgoing:
    """The router's receipt of an admitted record, with a notice to each agency told."""
    ref = _ref(record)
    recipients = tuple(Recipient(agency, "to", notice_id(fields_of(record), agency)) for agency in told)
    return ROUTER.written([ROUTER.verdict(ref, _admission(record, at, ref.digest, recipients))])[0]


def refused(record: Record, at: datetime, code: RefusalCode, detail: str) -> Outgoing:
    """The router's receipt of a refused record."""
    ref = _ref(record)
    return ROUTER.written([ROUTER.verdict(ref, _admission(record, at, ref.digest, (), code, detail))])[0]


def ledgered(record: Record, at: datetime, index: int) -> Outgoing:
    """The ledger's receipt of a record."""
    hashed = leaf_hash(leaf(record))
    log, root = f"{record.topic}/{record.partition}", sha256(hashed).digest()
    entry = Entry(log, index, record.timestamp_ms, hashed, index + 1, root)
    return LEDGER.written([LEDGER.ledgered(_ref(record), _origin(record), entry, to_moment(at))])[0]


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
