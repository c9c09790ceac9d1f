"""The ledger leaf: what the ledger says of one Kafka record (docs/records.md 2, pinned)."""

import hashlib
import re
from collections.abc import Callable
from functools import lru_cache
from struct import Struct, pack
from struct import error as struct_error
from typing import NamedTuple

from casebus_schemas.wire.records import Headers, Record

NO_SEQ = 2**64 - 1
NO_PRODUCER = b"\xff" * 8

_SEQ = re.compile(rb"[1-9][0-9]{0,19}\Z")
_ZEROS = bytes(32)
_U32 = Struct(">I").unpack_from
_I32 = Struct(">i").unpack_from
_sha256 = hashlib.sha256


@lru_cache(maxsize=1024)
def encoded_name(name: str) -> bytes:
    """Length and name; cached because the bus's own dozen names make up almost all there are."""
    raw = name.encode("utf-8", "surrogateescape")
    return pack(">I", len(raw)) + raw


def encode_headers(headers: Headers) -> bytes:
    """All headers in record order; a null value has length -1, an empty one 0."""
    parts = [pack(">I", len(headers))]
    add = parts.append
    for name, value in headers:
        add(encoded_name(name))
        if value is None:
            add(b"\xff\xff\xff\xff")
        else:
            add(len(value).to_bytes(4, "big"))
            add(value)
    return b"".join(parts)


@lru_cache(maxsize=1024)
def tag_of_producer(producer: bytes) -> bytes:
    """First 8 bytes of SHA-256 of a producer's name."""
    return _sha256(producer).digest()[:8]


def producer_tag(headers: Headers) -> bytes:
    """First 8 bytes of SHA-256 of the first `casebus-producer` header; ff x 8 if absent, null or empty."""
    for name, value in headers:
        if name == "casebus-producer":
            return tag_of_producer(value) if value else NO_PRODUCER
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


class LeafFields(NamedTuple):
    """What a leaf says. An absent key or value has None as its digest."""

    topic: str
    partition: int
    offset: int
    timestamp_type: int
    timestamp_ms: int
    key_sha256: bytes | None
    value_length: int
    value_sha256: bytes | None
    headers_sha256: bytes
    producer_tag: bytes
    seq: int


@lru_cache(maxsize=256)
def _layout(topic_length: int) -> Struct:
    return Struct(f">BB{topic_length}sIQBqB32sBI32s32s8sQ")


def parse_leaf(raw: bytes) -> LeafFields:
    """Reads leaf bytes. Raises ValueError if they are not a version 1 leaf of exact length."""
    if len(raw) < 2 or raw[0] != 1:
        raise ValueError(f"not a leaf of version 1: {raw[:2].hex()}")
    layout = _layout(raw[1])
    if len(raw) != layout.size:
        raise ValueError(f"leaf of {len(raw)} bytes, expected {layout.size}")
    topic, partition, offset, at, at_ms, has_key, key, has_value, length, value, headers, tag, seq = (
        layout.unpack(raw)[2:]
    )
    if has_key > 1 or has_value > 1 or (not has_key and key != _ZEROS):
        raise ValueError("presence of key or value is neither 0 nor 1, or an absent key has a digest")
    if not has_value and (length or value != _ZEROS):
        raise ValueError("an absent value has a length or digest")
    if not has_key:
        key = None
    if not has_value:
        value = None
    place = _topic_of(topic)
    return _new_leaf(LeafFields, (place, partition, offset, at, at_ms, key, length, value, headers, tag, seq))


_new_leaf = tuple.__new__
"""As `LeafFields(...)`, at half the cost: bundles have ten thousands of them."""


@lru_cache(maxsize=1024)
def _topic_of(raw: bytes) -> str:
    return raw.decode()


@lru_cache(maxsize=8192)
def digest_of_key(key: bytes) -> bytes:
    """SHA-256 of a key. Keys are chain ids, and what is said of one chain comes together."""
    return _sha256(key).digest()


def pack_leaf(fields: LeafFields) -> bytes:
    """Leaf bytes that say this: the inverse of `parse_leaf`."""
    topic = fields.topic.encode()
    return _layout(len(topic)).pack(
        1,
        len(topic),
        topic,
        *fields[1:5],
        fields.key_sha256 is not None,
        fields.key_sha256 or _ZEROS,
        fields.value_sha256 is not None,
        fields.value_length,
        fields.value_sha256 or _ZEROS,
        *fields[8:],
    )


def value_sha256_in(leaf_bytes: bytes) -> bytes:
    """The value's digest as `leaf` has just computed it, 32 zero bytes for an absent value."""
    return leaf_bytes[-80:-48]


@lru_cache(maxsize=1024)
def _decoded_name(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")


class _Reading(NamedTuple):
    """Headers of certain names and lengths, read in one go: what stands between the values, and the names.

    The numbers are those of the headers that a leaf repeats; None where there is no such header.
    """

    unpack: Callable[[bytes], tuple[bytes, ...]]
    between: tuple[bytes, ...]
    names: tuple[str, ...]
    producer: int | None
    seq: int | None


_readings: dict[int, list[_Reading]] = {}
"""The last layouts seen, by their number of bytes: records of one type and sender have few."""
_MOST_LENGTHS, _MOST_READINGS = 2048, 4


def decode_headers(raw: bytes) -> Headers:
    """Reads what `encode_headers` wrote. Raises ValueError for any other bytes."""
    for reading in _readings.get(len(raw), ()):
        fields = reading.unpack(raw)
        # Number, names and lengths are those of the layout: then so is everything else.
        if fields[::2] == reading.between:
            return tuple(zip(reading.names, fields[1::2], strict=True))
    headers = _decode_any(raw)
    _remember(len(raw), headers)
    return headers


def repeated_in_leaf(raw: bytes) -> tuple[bytes, int, Headers]:
    """Producer tag and number of encoded headers, as a leaf repeats them, and the headers.

    Raises ValueError as `decode_headers` does.
    """
    for reading in _readings.get(len(raw), ()):
        fields = reading.unpack(raw)
        if fields[::2] == reading.between:
            values, tag, number = fields[1::2], NO_PRODUCER, NO_SEQ
            if reading.producer is not None and values[reading.producer]:
                tag = tag_of_producer(values[reading.producer])
            if reading.seq is not None and _SEQ.match(values[reading.seq]):
                number = min(int(values[reading.seq]), NO_SEQ)
            return tag, number, tuple(zip(reading.names, values, strict=True))
    headers = decode_headers(raw)
    return producer_tag(headers), leaf_seq(headers), headers


def leaf_layout(topic: bytes) -> Struct:
    """How a leaf of this topic is packed, its two first bytes and the topic included."""
    return _layout(len(topic))


def _remember(length: int, headers: Headers) -> None:
    lengths: list[int] = []
    between: list[bytes] = []
    for name, value in headers:
        if value is None:
            return
        between.append(encoded_name(name) + len(value).to_bytes(4, "big"))
        lengths.append(len(value))
    if not between:
        return
    between[0] = len(between).to_bytes(4, "big") + between[0]
    if len(_readings) >= _MOST_LENGTHS:
        _readings.clear()
    layout = "".join(f"{len(part)}s{size}s" for part, size in zip(between, lengths, strict=True))
    names = tuple(name for name, _ in headers)
    places = (names.index(one) if one in names else None for one in ("casebus-producer", "casebus-seq"))
    reading = _Reading(Struct(layout).unpack, tuple(between), names, *places)
    _readings.setdefault(length, []).insert(0, reading)
    del _readings[length][_MOST_READINGS:]


def _decode_any(raw: bytes) -> Headers:
    headers: list[tuple[str, bytes | None]] = []
    try:
        (count,) = _U32(raw, 0)
        at = 4
        for _ in range(count):
            (length,) = _U32(raw, at)
            at += 4
            name = _decoded_name(raw[at : at + length])
            at += length
            (length,) = _I32(raw, at)
            at += 4
            if length >= 0:
                headers.append((name, raw[at : at + length]))
                at += length
            elif length == -1:
                headers.append((name, None))
            else:
                raise ValueError(f"header of length {length}")
    except struct_error as error:
        raise ValueError(f"headers end too early: {error}") from error
    if at != len(raw):
        raise ValueError(f"{len(raw)} bytes of headers, expected {at}")
    return tuple(headers)
