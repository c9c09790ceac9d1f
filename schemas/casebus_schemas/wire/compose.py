"""Composes a signed event: headers, signature and digest around an encoded value."""

from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID

from .headers import CONTENT_TYPE, event_headers
from .partitioning import partition_of
from .records import Outgoing
from .signing import SignedFields, SigningKey, event_message
from .stream_head import StreamHead


@dataclass(frozen=True, slots=True)
class Composed:
    """A signed event ready to be produced, its digest, and its stream's new head."""

    record: Outgoing
    digest: bytes
    head: StreamHead


def compose(
    *,
    value: bytes,
    fingerprint: bytes,
    id: UUID,
    type: str,
    source: str,
    time_ms: int,
    subject: str,
    topic: str,
    partitions: int,
    producer: str,
    head: StreamHead,
    key: SigningKey,
    traceparent: str | None = None,
) -> Composed:
    """Signs an event as the next of its stream.

    `value` is the framed Avro value, `time_ms` when it happened (milliseconds since 1970 UTC), `subject`
    the chain id, `partitions` the topic's partition count, `head` the stream's head before it.
    """
    partition = partition_of(subject.encode(), partitions)
    fields = SignedFields(
        producer,
        head.seq + 1,
        head.digest,
        topic,
        partition,
        subject,
        fingerprint,
        CONTENT_TYPE,
        id,
        type,
        source,
        time_ms,
        sha256(value).digest(),
    )
    message = event_message(fields)
    digest = sha256(message).digest()
    headers = event_headers(fields, key.sign(message), traceparent=traceparent)
    record = Outgoing(topic, partition, subject.encode(), value, headers)
    return Composed(record, digest, StreamHead(fields.seq, digest))
