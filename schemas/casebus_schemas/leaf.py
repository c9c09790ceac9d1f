"""The ledger leaf: what the ledger says of one Kafka record (docs/records.md 2, pinned)."""

import hashlib
import re
from struct import pack

from .records import Headers, Record

NO_SEQ = 2**64 - 1
NO_PRODUCER = b"\xff" * 8

_SEQ = re.compile(rb"[1-9][0-9]{0,19}\Z")
_ZEROS = bytes(32)
_sha256 = hashlib.sha256


def encode_headers(headers: Headers) -> bytes:
    """All headers in record order; a null value has length -1, an empty one 0."""
    parts = [pack(">I", len(headers))]
    for name, value in headers:
        raw = name.encode("utf-8", "surrogateescape")
        if value is None:
            parts.append(pack(f">I{len(raw)}si", len(raw), raw, -1))
        else:
            parts.append(pack(f">I{len(raw)}si", len(raw), raw, len(value)) + value)
    return b"".join(parts)


def producer_tag(headers: Headers) -> bytes:
    """First 8 bytes of SHA-256 of the first `casebus-producer` header; ff x 8 if absent, null or empty."""
    for name, value in headers:
        if name == "casebus-producer":
            return _sha256(value).digest()[:8] if value else NO_PRODUCER
    return NO_PRODUCER


def leaf_seq(headers: Headers) -> int:
    """The first `casebus-seq` header as a number; 2^64-1 if it is absent or not a decimal below that."""
    for name, value in headers:
        if name == "casebus-seq":
            if value and _SEQ.match(value):
                return min(int(value), NO_SEQ)
            return NO_SEQ
    return NO_SEQ


def leaf(record: Record, headers: bytes | None = None) -> bytes:
    """Leaf bytes of a record; `headers` may pass the already encoded headers."""
    topic = record.topic.encode()
    key, value = record.key, record.value
    encoded = encode_headers(record.headers) if headers is None else headers
    return pack(
        f">BB{len(topic)}sIQBqB32sBI32s32s8sQ",
        1,
        len(topic),
        topic,
        record.partition,
        record.offset,
        record.timestamp_type,
        record.timestamp_ms,
        key is not None,
        _ZEROS if key is None else _sha256(key).digest(),
        value is not None,
        0 if value is None else len(value),
        _ZEROS if value is None else _sha256(value).digest(),
        _sha256(encoded).digest(),
        producer_tag(record.headers),
        leaf_seq(record.headers),
    )


def leaf_hash(leaf_bytes: bytes) -> bytes:
    """RFC 6962 leaf hash: SHA-256(00 | leaf)."""
    return _sha256(b"\0" + leaf_bytes).digest()
