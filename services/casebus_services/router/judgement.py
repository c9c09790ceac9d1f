"""The one judgement on a record: may it be admitted, and who is told. Pure.

In two steps, so that a caller can check signatures in bulk: `examine` does everything that needs no
elliptic curve, `conclude` takes the answer to the signature; `judge` is both.
"""

from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from typing import Any, Literal

from casebus_schemas.admission.keyring import ENCRYPT, Keyring
from casebus_schemas.admission.may_say import (
    addressable,
    clear_number,
    clear_numbers,
    level_s,
    name_holds_number,
    not_authorised,
    receipts_only,
    sealed,
    strangers,
    told,
    too_large,
)
from casebus_schemas.admission.problem import Problem
from casebus_schemas.admission.resident_ids import bytes_hold_resident_id, may_hold_resident_id
from casebus_schemas.admission.sense import nameless, senseless
from casebus_schemas.admission.verdict import Recipient, Role
from casebus_schemas.agencies import BUS
from casebus_schemas.catalogue.catalog import Catalog, EventSchema, EventType
from casebus_schemas.catalogue.topology import TopicSpec, topic
from casebus_schemas.errors import SECRET_CODES, RefusalCode, Refused
from casebus_schemas.evidence.key_entry import KeyEntry
from casebus_schemas.sealed.blob import SealedBytes
from casebus_schemas.times import to_moment
from casebus_schemas.wire.codec import decode
from casebus_schemas.wire.headers import MAX_HEADER_BYTES, EventHeaders
from casebus_schemas.wire.ids import notice_id
from casebus_schemas.wire.partitioning import partition_of
from casebus_schemas.wire.records import Record
from casebus_schemas.wire.signing import SignatureBlock, SignedFields, event_message, parse_block, verify

from . import refusals
from .refusals import MAX_RECORD_BYTES, Refusal, refusal

MAX_KEPT_BYTES = MAX_RECORD_BYTES + (32 << 10)
"""Beyond it, the record does not fit into the bus's own topics (64 KiB more, less our headers)."""
_EVENT_HEADERS = 12
_HEADER_BYTES = 900
"""Usual headers of an event: exact only where it could matter, since counting took 2 of 45 microseconds."""


@dataclass(frozen=True, slots=True)
class Examined:
    """A record after all checks but that of its signature.

    `before` is a refusal that comes before the signature's in the order of checks, `after` one that comes
    behind it. `secret` outranks both: bytes that must not be repeated are not kept for any other reason.
    """

    record: Record
    headers: EventHeaders | None
    message: bytes | None
    digest: bytes | None
    signature: SignatureBlock | None
    signer: KeyEntry | None
    before: Refusal | None
    after: Refusal | None
    secret: Refusal | None
    recipients: tuple[Recipient, ...]
    size: int
    unsure: bool = False
    """Whether it could not be found out what must not be repeated."""

    @property
    def kept(self) -> bool:
        """Whether the record may be repeated on the bus's own topics, and is small enough."""
        return self.size <= MAX_KEPT_BYTES and not self.unsure

    @property
    def needs_signature(self) -> bool:
        """Whether the verdict depends on the signature."""
        return self.before is None and self.secret is None

    def check_signature(self) -> bool:
        """Whether the signature is right; 60 microseconds without the interpreter's lock."""
        if self.signature is None or self.signer is None or self.message is None:
            return False
        return verify(self.signature, self.message, self.signer.public)


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict on a record of `size` bytes; `kept` tells whether its bytes may be repeated."""

    record: Record
    verdict: Literal["admitted", "refused"]
    code: RefusalCode | None
    detail: str | None
    digest: bytes | None
    recipients: tuple[Recipient, ...]
    headers: EventHeaders | None
    size: int
    kept: bool

    @property
    def admitted(self) -> bool:
        """Whether the record is admitted."""
        return self.verdict == "admitted"


def judge(record: Record, catalog: Catalog, keyring: Keyring, partitions: int, now_ms: int) -> Judgement:
    """Judges a record of an agency's channel, or of a topic of the bus itself.

    `partitions` is N, `now_ms` the bus's clock. The checks stand in the order of the refusal codes; only the
    size comes first, and level S and personal data outrank all. Never raises for what a record holds.
    """
    examined = examine(record, catalog, keyring, partitions, now_ms)
    return conclude(examined, examined.needs_signature and examined.check_signature())


def examine(record: Record, catalog: Catalog, keyring: Keyring, partitions: int, now_ms: int) -> Examined:
    """All checks of a record but that of its signature; arguments as for `judge`."""
    headers: EventHeaders | None = None
    message: bytes | None = None
    data: dict[str, Any] | None = None
    signer: KeyEntry | None = None
    block: SignatureBlock | None = None
    before: Refusal | None = None
    after: Refusal | None = None
    bad_headers: Refused | None = None
    recipients: tuple[Recipient, ...] = ()
    digest: bytes | None = None
    said: SignedFields | None = None
    size = len(record.key or b"") + len(record.value or b"")
    try:
        headers = EventHeaders.parse(record.headers)
        size += _HEADER_BYTES if size < MAX_HEADER_BYTES else _size_of_headers(record)
        said = headers.signed_fields(record.topic, record.partition, record.value)
        message = event_message(said)
        digest = sha256(message).digest()
    except Refused as refused:
        bad_headers = refused
        size += _size_of_headers(record)
    try:
        if size > MAX_RECORD_BYTES:
            raise refusals.too_large(size)
        schema, data = decode(catalog, record.value)
        event, envelope = catalog.types[schema.type], data.get("envelope")
        if too_long := too_large(schema, data, record.value):
            raise too_long[0].refused()
        roles = told(envelope, event)
        if envelope is not None and not roles.keys() <= addressable(catalog):
            raise strangers(catalog, envelope)[0].refused()
        if envelope is not None and (problems := _senseless(catalog, event, schema, data, record)):
            raise problems[0].refused()
        if headers is None or said is None:
            raise bad_headers or refusals.bad_signature_block("no headers")
        if headers.fingerprint != schema.fingerprint or headers.type != schema.type:
            raise refusals.mismatch("type and schema", headers.type, schema.type)
        if envelope is None:
            raise receipts_only(event).refused()
        occurred = envelope["occurred_at"]
        if to_moment(occurred) != headers.time_ms:
            raise refusals.mismatch("ce_time and occurred_at", headers.time, occurred.isoformat())
        place = topic(record.topic, partitions)
        if place is None:
            raise refusals.misplaced("a topic that is none of this bus", record.topic, "a topic of an agency")
        _check_place(record, headers, place, event)
        if data.get("sealed") is not None:
            _check_sealed(catalog, event, place.agency, data, keyring)
        block = _block(headers)
        signer = _signer(record, place.agency, block, keyring, now_ms)
    except Refused as refused:
        before = refusal(refused)
    else:
        if problems := not_authorised(catalog, event, place.agency, headers.source):
            after = refusal(problems[0].refused())
        else:
            recipients = _recipients(roles, place.agency, said)
    bad_headers = None
    secret = _secret(record, headers, data) if size <= MAX_KEPT_BYTES else None
    return Examined(record, headers, message, digest, block, signer, before, after, secret, recipients, size)


def conclude(examined: Examined, signature_is_right: bool) -> Judgement:
    """The judgement, given whether the signature is right (asked only where `needs_signature`)."""
    refused = examined.secret or examined.before
    if refused is None and not signature_is_right:
        refused = refusal(refusals.bad_signature())
    if refused is None:
        refused = examined.after
    if refused is None:
        return Judgement(
            examined.record,
            "admitted",
            None,
            None,
            examined.digest,
            examined.recipients,
            examined.headers,
            examined.size,
            True,
        )
    return Judgement(
        record=examined.record,
        verdict="refused",
        code=refused.code,
        detail=refused.detail,
        digest=examined.digest,
        recipients=(),
        headers=examined.headers,
        size=examined.size,
        kept=examined.kept and refused.code not in SECRET_CODES,
    )


def _senseless(
    catalog: Catalog, event: EventType, schema: EventSchema, data: dict[str, Any], record: Record
) -> list[Problem]:
    """What means nothing, whoever says it; whose topic it stands on is who says it."""
    speaker = record.topic.partition(".")[0]
    return nameless(catalog, event, speaker, data["envelope"]) or senseless(schema, data)


# --- place ------------------------------------------------------------------------------------------------


def _check_place(record: Record, headers: EventHeaders, place: TopicSpec, event: EventType) -> None:
    if record.key is None:
        raise refusals.misplaced("a record without a key", "null", f"the chain id {headers.subject}")
    if record.key != headers.subject.encode():
        raise refusals.misplaced("the key is not the event's chain", _shown(record.key), headers.subject)
    expected = _partition(record.key, place.partitions)
    if record.partition != expected:
        raise refusals.misplaced("wrong partition", record.partition, f"{expected}, murmur2 of the key")
    if event.channel != place.channel:
        raise refusals.misplaced(
            f"{event.type} ({event.title_zh}) is not said on this channel", place.channel, event.channel
        )


@lru_cache(maxsize=16384)
def _partition(key: bytes, partitions: int) -> int:
    return partition_of(key, partitions)


# --- what is sealed --------------------------------------------------------------------------------------


def _check_sealed(
    catalog: Catalog, event: EventType, speaker: str, data: dict[str, Any], keyring: Keyring
) -> None:
    """The form, and that it is for recipients under keys that they have announced; never what it says."""
    if problems := sealed(catalog, event, speaker, data):
        raise problems[0].refused()
    for reader in SealedBytes.parse(data["sealed"]).readers:
        entry = keyring.find(reader.agency, reader.key_id)
        if entry is None or entry.role != ENCRYPT:
            raise refusals.unknown_encryption_key(reader.agency, reader.key_id)


# --- who speaks -------------------------------------------------------------------------------------------


def _block(headers: EventHeaders) -> SignatureBlock:
    try:
        return parse_block(headers.sig)
    except ValueError as error:
        raise refusals.bad_signature_block(str(error)) from error


def _signer(record: Record, agency: str, block: SignatureBlock, keyring: Keyring, now_ms: int) -> KeyEntry:
    entry = keyring.find(agency, block.key_id)
    if entry is None:
        holders = keyring.holders(block.key_id)
        raise refusals.unknown_key(
            agency, block.key_id, f"a key of {' and '.join(holders)}" if holders else "a key nobody announced"
        )
    if reason := entry.why_not(record, now_ms):
        raise refusals.unknown_key(agency, block.key_id, reason)
    return entry


# --- who is told ------------------------------------------------------------------------------------------


def _recipients(roles: dict[str, Role], sender: str, said: SignedFields) -> tuple[Recipient, ...]:
    """Who is told, each once; never the sender. `bus` may be named but has no inbox."""
    roles.pop(sender, None)
    roles.pop(BUS, None)
    return tuple(Recipient(agency, role, notice_id(said, agency)) for agency, role in roles.items())


# --- what must not be repeated ----------------------------------------------------------------------------


def _secret(record: Record, headers: EventHeaders | None, data: dict[str, Any] | None) -> Refusal | None:
    if data is not None and (found := level_s(data.get("envelope"))):
        return refusal(found.refused())
    value = record.value or b""
    if may_hold_resident_id(value):
        if data is not None:
            if problems := clear_numbers(data, value):
                return refusal(problems[0].refused())
        elif bytes_hold_resident_id(value):
            return refusal(clear_number("/data").refused())
    if headers is not None and _all_known(record, headers):
        # Every header was read and has a narrow form; only the names of unit and producer are free text.
        if name_holds_number(headers.source):
            return refusal(clear_number("/source").refused())
        return refusal(refusals.number_in_headers()) if name_holds_number(headers.producer) else None
    texts = [record.key or b"", *(text or b"" for _, text in record.headers)]
    names = [name.encode("utf-8", "surrogateescape") for name, _ in record.headers]
    if any(may_hold_resident_id(text) and bytes_hold_resident_id(text) for text in texts + names):
        return refusal(refusals.number_in_headers())
    return None


def secret_in(record: Record, catalog: Catalog) -> Refusal | None:
    """Whether a record holds what must not be repeated, looked for apart from all other checks."""
    try:
        _, data = decode(catalog, record.value)
    except Refused:
        data = None
    return _secret(record, None, data)


def _all_known(record: Record, headers: EventHeaders) -> bool:
    known = _EVENT_HEADERS + (headers.traceparent is not None)
    return len(record.headers) == known and record.key == headers.subject.encode()


# --- small readings ---------------------------------------------------------------------------------------


def _size_of_headers(record: Record) -> int:
    return sum(len(name) + len(value or b"") for name, value in record.headers)


def _shown(text: object) -> str:
    return repr(text)[:80]
