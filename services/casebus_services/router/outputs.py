"""What the router writes for one judgement: admission, notices, receipt, dead letter. No I/O."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from hashlib import sha256

from casebus_schemas.admission.notice_records import ADMITTED_AT, NOTICE, ORIGIN, ROLE
from casebus_schemas.admission.receipts import UNREADABLE, Draft, ReceiptWriter, event_ref
from casebus_schemas.admission.verdict import BUS_HEADERS, HEADER, Admission, Origin, text_of_notice
from casebus_schemas.agencies import agency_of_topic
from casebus_schemas.catalogue.topology import ADMISSION, dead_letter, inbox
from casebus_schemas.evidence.leaf import encode_headers
from casebus_schemas.times import utc_text
from casebus_schemas.wire.base64url import base64url_bytes
from casebus_schemas.wire.records import Headers, Outgoing, Record
from casebus_schemas.wire.signing import SigningKey, admission_message
from casebus_schemas.wire.stream_head import StreamHead
from casebus_services.two_threads import Halves

from .judgement import Judgement

_, _PRODUCER, _SEQ, _PREV, _SIG = BUS_HEADERS
_DELIVERY_PARTITION = 0
"""Inbox, receipts and dead letters have one partition each: sequence = offset."""


LARGEST = (1024 + 64) * 1024
"""`max.message.bytes` of the bus's own topics."""
_AROUND = 128
"""Bytes of a batch around one record, at most."""


def sendable(outputs: Sequence[Outgoing]) -> Sequence[Outgoing]:
    """The outputs, each a record that the broker takes. Raises ValueError: what it refuses it always does.

    So one record of which something impossible follows is set aside before anything of it is sent.
    """
    for one in outputs:
        size = len(one.key or b"") + len(one.value or b"") + _AROUND + _headers_size(one)
        if size > LARGEST:
            raise ValueError(f"a record of more than {LARGEST} bytes for {one.topic}")
    return outputs


def _headers_size(one: Outgoing) -> int:
    if not one.headers:
        return 0
    names, values = zip(*one.headers, strict=True)
    if None in values:
        values = tuple(b"" if value is None else value for value in values)
    try:
        # Joined in C: so all are text and bytes, and no more are copied than go out.
        return len("".join(names)) + len(b"".join(values)) + 10 * len(values)
    except TypeError as error:
        raise ValueError(f"a header of {one.topic} that is no text or no bytes") from error


class AdmissionWriter:
    """Signs admissions, each as the next of its stream (this incarnation, bus.admission, partition).

    Keeps every stream's head: one instance a start of the process, used by one thread. After outputs have
    failed it must not be used any more, since readers would see a gap.
    """

    def __init__(self, key: SigningKey, producer: str, halves: Halves) -> None:
        self._key = key
        self._producer = producer
        self._producer_text = producer.encode()
        self._heads: dict[int, StreamHead] = {}
        self._halves = halves

    def write_all(self, judged: Iterable[tuple[Judgement, Admission]]) -> list[Outgoing]:
        """The admission records, in the order given, on the partition numbers of their origins."""
        unsigned = [self._unsigned(judgement, admission) for judgement, admission in judged]
        blocks = self._halves.map(self._sign, [message for *_, message in unsigned])
        return [
            Outgoing(ADMISSION, partition, key, value, (*headers, (_SIG, block)))
            for (partition, key, value, headers, _), block in zip(unsigned, blocks, strict=True)
        ]

    def _sign(self, message: bytes) -> bytes:
        return base64url_bytes(self._key.sign(message))

    def _unsigned(self, judgement: Judgement, admission: Admission) -> "_Unsigned":
        """The record but for its signature, and the message to sign; moves the stream's head."""
        partition = judgement.record.partition
        head = self._heads.get(partition, _FIRST)
        key, value, headers = _repeated(judgement)
        said = admission.to_json()
        seq = head.seq + 1
        message = admission_message(
            producer=self._producer,
            seq=seq,
            prev=head.digest,
            topic=ADMISSION,
            partition=partition,
            key=key,
            value=value,
            admission=said,
        )
        ours = (
            *headers,
            (HEADER, said),
            (_PRODUCER, self._producer_text),
            (_SEQ, b"%d" % seq),
            (_PREV, base64url_bytes(head.digest)),
        )
        self._heads[partition] = StreamHead(seq, sha256(message).digest())
        return partition, key, value, ours, message

    def as_now(self) -> Callable[[], None]:
        """A function that brings the streams' heads back to where they are now, for outputs never sent."""
        heads = dict(self._heads)

        def back() -> None:
            self._heads = heads

        return back


_Unsigned = tuple[int, bytes | None, bytes | None, Headers, bytes]
"""Partition, key, value and headers of an admission record, and the message that its signature covers."""

_FIRST = StreamHead()


@lru_cache(maxsize=16)
def text_of_time(time_ms: int) -> bytes:
    """A time as header text; all records of a slice have the same."""
    return utc_text(time_ms).encode()


def admission_of(
    judgement: Judgement, *, attempt: int, catalogue: str, keyring: str, admitted_at_ms: int
) -> Admission:
    """The admission that states a judgement."""
    record = judgement.record
    return Admission(
        origin=Origin(record.topic, record.partition, record.offset),
        attempt=attempt,
        verdict=judgement.verdict,
        code=judgement.code,
        detail=judgement.detail,
        digest=judgement.digest,
        recipients=judgement.recipients,
        catalogue=catalogue,
        keyring=keyring,
        admitted_at_ms=admitted_at_ms,
        original=None if judgement.kept else _digests(record),
    )


def notices(judgement: Judgement, admission: Admission) -> Iterator[Outgoing]:
    """One inbox record a recipient: the original, then why this agency hears of it."""
    record = judgement.record
    origin = str(admission.origin).encode()
    at = text_of_time(admission.admitted_at_ms)
    for recipient in judgement.recipients:
        ours = (
            (NOTICE, text_of_notice(recipient.notice).encode()),
            (ROLE, recipient.role.encode()),
            (ORIGIN, origin),
            (ADMITTED_AT, at),
        )
        yield Outgoing(
            inbox(recipient.agency), _DELIVERY_PARTITION, record.key, record.value, record.headers + ours
        )


def receipt_of(judgement: Judgement, admission: Admission, writer: ReceiptWriter) -> Draft:
    """The receipt for `receipt.<agency>`; it names nothing of headers that must not be repeated."""
    headers = judgement.headers
    if headers is not None or judgement.kept:
        event = event_ref(judgement.record.headers, headers, judgement.digest)
    else:
        event = UNREADABLE
    return writer.verdict(event, admission)


def dead_letter_of(judgement: Judgement, admission: Admission) -> Outgoing:
    """The refused record byte for byte, and the reason under the names that Kafka Connect and Spring use.

    Where the bytes must not or cannot be repeated: a null value, no original headers, and digests.
    All headers are text, also those that Spring writes as binary numbers.
    """
    record = judgement.record
    key, value, headers = _repeated(judgement)
    topic, partition, offset = record.topic, str(record.partition), str(record.offset)
    code, detail = judgement.code or "", judgement.detail or ""
    reasons = [
        ("casebus-error-code", code),
        ("casebus-origin", str(admission.origin)),
        ("casebus-attempt", str(admission.attempt)),
        ("__connect.errors.topic", topic),
        ("__connect.errors.partition", partition),
        ("__connect.errors.offset", offset),
        ("__connect.errors.connector.name", "casebus-router"),
        ("__connect.errors.stage", "TRANSFORMATION"),
        ("__connect.errors.class.name", "casebus_services.router.judgement"),
        ("__connect.errors.exception.class.name", f"casebus.{code}"),
        ("__connect.errors.exception.message", detail),
        ("kafka_dlt-original-topic", topic),
        ("kafka_dlt-original-partition", partition),
        ("kafka_dlt-original-offset", offset),
        ("kafka_dlt-original-timestamp", str(record.timestamp_ms)),
        ("kafka_dlt-original-timestamp-type", "LogAppendTime" if record.timestamp_type else "CreateTime"),
        ("kafka_dlt-exception-fqcn", f"casebus.{code}"),
        ("kafka_dlt-exception-message", detail),
    ]
    if admission.original is not None:
        names = ("casebus-key-sha256", "casebus-value-sha256", "casebus-headers-sha256")
        reasons.extend(zip(names, admission.original, strict=True))
    ours = tuple((name, text.encode()) for name, text in reasons)
    agency = agency_of_topic(topic)
    return Outgoing(dead_letter(agency), _DELIVERY_PARTITION, key, value, headers + ours)


def _repeated(judgement: Judgement) -> tuple[bytes | None, bytes | None, Headers]:
    """Key, value and headers of the original as far as they may be repeated.

    A key that is the event's chain id tells nothing secret and keeps the record with its chain.
    """
    record = judgement.record
    if judgement.kept:
        return record.key, record.value, record.headers
    parsed = judgement.headers
    is_chain = parsed is not None and record.key == parsed.subject.encode()
    return record.key if is_chain else None, None, ()


def _digests(record: Record) -> tuple[str, str, str]:
    return (
        sha256(record.key or b"").hexdigest(),
        sha256(record.value or b"").hexdigest(),
        sha256(encode_headers(record.headers)).hexdigest(),
    )
