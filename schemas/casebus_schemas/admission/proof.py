"""Whether admissions are the router's, and events by whom they say: signatures read against a keyring."""

from collections.abc import Sequence
from hashlib import sha256
from typing import NamedTuple

from casebus_schemas.agencies import BUS, agency_of_source, agency_of_topic
from casebus_schemas.errors import BusError
from casebus_schemas.evidence.key_entry import BY_KAFKA, KeyEntry, Order
from casebus_schemas.texts.sentence import Sentence
from casebus_schemas.wire.base64url import from_base64url
from casebus_schemas.wire.headers import EventHeaders
from casebus_schemas.wire.records import Record
from casebus_schemas.wire.signing import (
    SignatureBlock,
    admission_message,
    event_message,
    parse_block,
    verify,
)
from casebus_schemas.wire.stream_head import Stream

from .keyring import Keyring
from .verdict import BUS_HEADERS

_BLOCK_BYTES, _DIGEST_BYTES = 98, 32
WRONG_SIGNATURE = Sentence("签名与内容不符", "the signature does not fit the content")


class UnknownKey(Sentence):
    """Why something is not proven, where its key may only not have been read yet."""


class Signed(NamedTuple):
    """A signature that is still to be checked: everything but the elliptic curve is in order.

    `doubt` says why it is in doubt though it fits: its key was in other hands by then.
    """

    block: SignatureBlock
    message: bytes
    public: bytes
    doubt: str | None = None

    def is_right(self) -> bool:
        """Whether the signature fits; most of it without the interpreter's lock."""
        return verify(self.block, self.message, self.public)


class Stamp(NamedTuple):
    """What the router appends to an admission: its stream, its number, the record before, its signature."""

    stream: Stream
    seq: int
    prev: bytes
    message: bytes
    digest: bytes
    block: SignatureBlock


def stamp_of(record: Record) -> Stamp:
    """The stamp of a record of bus.admission. Raises ValueError saying what is wrong with it."""
    ours = record.headers[-len(BUS_HEADERS) :]
    if tuple(name for name, _ in ours) != BUS_HEADERS:
        raise ValueError("the last headers are not " + ", ".join(BUS_HEADERS))
    said, producer, seq, prev, sig = (value or b"" for _, value in ours)
    number, name = int(seq.decode("ascii")), producer.decode("ascii")
    if number < 1:
        raise ValueError(f"number {number} in its stream")
    before = from_base64url(prev.decode("ascii"), _DIGEST_BYTES)
    message = admission_message(
        producer=name,
        seq=number,
        prev=before,
        topic=record.topic,
        partition=record.partition,
        key=record.key,
        value=record.value,
        admission=said,
    )
    return Stamp(
        Stream(name, record.topic, record.partition),
        number,
        before,
        message,
        sha256(message).digest(),
        parse_block(from_base64url(sig.decode("ascii"), _BLOCK_BYTES)),
    )


def forged_admissions(
    records: Sequence[Record], keyring: Keyring, order: Order = BY_KAFKA
) -> list[Sentence | None]:
    """Of each record of bus.admission why it is not the router's, None where it is.

    Each stamp holds the digest of the one before: a right signature vouches for the whole run before it, so
    that of a run only the last signature costs its elliptic curve.
    """
    problems: list[Sentence | None] = []
    vouched: set[bytes] = set()
    for record in reversed(records):
        try:
            stamp = stamp_of(record)
        except ValueError as error:  # UnicodeDecodeError among them
            problems.append(Sentence("没有总线的准入印记", f"no stamp of the router: {str(error)[:200]}"))
            continue
        found = bus_key(keyring, stamp.block, record, order)
        problem = None
        if isinstance(found, Sentence):
            problem = found
        elif stamp.digest not in vouched and not verify(stamp.block, stamp.message, found.public):
            problem = WRONG_SIGNATURE
        if problem is None:
            vouched.add(stamp.prev)
        problems.append(problem)
    problems.reverse()
    return problems


def bus_key(
    keyring: Keyring, block: SignatureBlock, record: Record, order: Order = BY_KAFKA
) -> KeyEntry | Sentence:
    """The key of the bus that signs this record of one of its own topics, or why there is none."""
    return _key(keyring, BUS, block, record, record.timestamp_ms, order)


def signed_event(
    record: Record, headers: EventHeaders, keyring: Keyring, now_ms: int | None, order: Order = BY_KAFKA
) -> Signed | Sentence:
    """An event at its original place, ready for its signature to be checked, or why it is not its speaker's.

    `now_ms` is the bus's clock when it was judged; None leaves the term of the key aside. `order` is what is
    known of the order of records, by which the end of a key is judged.
    """
    try:
        agency, speaker = agency_of_topic(record.topic), agency_of_source(headers.source)
        block = parse_block(headers.sig)
    except (BusError, ValueError) as error:
        return Sentence("发言单位或签名无法辨认", f"speaker or signature cannot be read: {error}")
    if speaker != agency:
        return Sentence(
            f"以 {speaker} 名义出现在 {record.topic}", f"in the name of {speaker} on {record.topic}"
        )
    if record.key != headers.subject.encode():
        return Sentence("记录键不是案件链", "the record's key is not the event's chain")
    found = _key(keyring, agency, block, record, now_ms, order)
    if isinstance(found, Sentence):
        return found
    message = event_message(headers.signed_fields(record.topic, record.partition, record.value))
    return Signed(block, message, found.public, found.doubt(record, order))


def forged_receipt(record: Record, keyring: Keyring) -> Sentence | None:
    """Why a record of `receipt.<agency>` is not the bus's; None if it is."""
    try:
        headers = EventHeaders.parse(record.headers)
        speaker, block = agency_of_source(headers.source), parse_block(headers.sig)
    except (BusError, ValueError) as error:
        return Sentence("没有总线的签名", f"not signed by the bus: {str(error)[:200]}")
    if speaker != BUS or record.key != headers.subject.encode():
        return Sentence("不是总线所发", f"in the name of {speaker}, or with another key than its chain")
    found = bus_key(keyring, block, record)
    if isinstance(found, Sentence):
        return found
    message = event_message(headers.signed_fields(record.topic, record.partition, record.value))
    return None if verify(block, message, found.public) else WRONG_SIGNATURE


def forged_event(
    record: Record, headers: EventHeaders, keyring: Keyring, now_ms: int | None, order: Order = BY_KAFKA
) -> Sentence | None:
    """Why the event is not by its speaker; arguments as for `signed_event`."""
    found = signed_event(record, headers, keyring, now_ms, order)
    if isinstance(found, Sentence):
        return found
    return None if found.is_right() else WRONG_SIGNATURE


def _key(
    keyring: Keyring,
    agency: str,
    block: SignatureBlock,
    record: Record,
    now_ms: int | None,
    order: Order,
) -> KeyEntry | Sentence:
    found = keyring.find(agency, block.key_id)
    if found is None:
        named = block.key_id.hex()[:16] + "…"
        return UnknownKey(f"密钥 {named} 不属于 {agency}", f"signed by {named}, which is no key of {agency}")
    if reason := found.why_not(record, now_ms, order):
        return Sentence("密钥当时无效", f"signed by {reason}")
    return found
