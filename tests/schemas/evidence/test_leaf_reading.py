"""Reading leaves and encoded headers back, as a verifier does."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casebus_schemas.evidence.leaf import (
    NO_PRODUCER,
    NO_SEQ,
    _readings,
    decode_headers,
    encode_headers,
    leaf,
    pack_leaf,
    parse_leaf,
    producer_tag,
    value_sha256_in,
)
from casebus_schemas.wire.records import Headers, Record

NAMES = st.binary(max_size=8).map(lambda raw: raw.decode("utf-8", "surrogateescape")) | st.sampled_from(
    ["casebus-seq", "casebus-producer", "ce_id"]
)
HEADERS = st.lists(st.tuples(NAMES, st.none() | st.binary(max_size=12)), max_size=5).map(tuple)
BYTES = st.none() | st.binary(max_size=40)
RECORDS = st.builds(
    Record,
    st.sampled_from(["csrc.referral", "bus.admission", "审计.key"]),
    st.integers(0, 2**32 - 1),
    st.integers(0, 2**63 - 1),
    st.integers(-1, 2**62),
    st.sampled_from([0, 1]),
    BYTES,
    BYTES,
    HEADERS,
)


@given(HEADERS)
def test_headers_round_trip(headers: tuple[tuple[str, bytes | None], ...]) -> None:
    """Encoded headers give back names, order, repetition, empty and null values."""
    assert decode_headers(encode_headers(headers)) == headers


@given(RECORDS)
def test_leaf_says_what_the_record_is(record: Record) -> None:
    """A leaf read back names the record's place, time, and the digests of its parts."""
    raw = leaf(record)
    fields = parse_leaf(raw)
    assert fields[:5] == (
        record.topic,
        record.partition,
        record.offset,
        record.timestamp_type,
        record.timestamp_ms,
    )
    assert fields.key_sha256 == (None if record.key is None else sha256(record.key).digest())
    assert fields.value_sha256 == (None if record.value is None else sha256(record.value).digest())
    assert fields.value_length == len(record.value or b"")
    assert fields.headers_sha256 == sha256(encode_headers(record.headers)).digest()
    assert fields.producer_tag == producer_tag(record.headers)
    assert pack_leaf(fields) == raw
    assert value_sha256_in(raw) == (fields.value_sha256 or bytes(32))


def test_leaf_of_a_bare_record() -> None:
    """A record without key, value and headers has a leaf without digests, producer and number."""
    fields = parse_leaf(leaf(Record("mps.key", 0, 0, 0, 1, None, None, ())))
    assert (fields.key_sha256, fields.value_length, fields.value_sha256) == (None, 0, None)
    assert (fields.producer_tag, fields.seq) == (NO_PRODUCER, NO_SEQ)


GOOD = leaf(Record("mps.key", 0, 0, 0, 1, None, b"x", ()))


@pytest.mark.parametrize(
    "raw",
    [b"", b"\1", GOOD[:-1], GOOD + b"\0", b"\2" + GOOD[1:], GOOD[:30] + b"\2" + GOOD[31:]],
    ids=["empty", "short", "truncated", "longer", "version 2", "key neither absent nor present"],
)
def test_not_a_leaf(raw: bytes) -> None:
    """Bytes that are not a leaf of version 1 are refused."""
    with pytest.raises(ValueError):
        parse_leaf(raw)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\0\0\0\1",
        encode_headers((("a", b"b"),))[:-1],
        encode_headers((("a", b"b"),)) + b"\0",
        b"\0\0\0\1\0\0\0\1a\xff\xff\xff\xfe",
        b"\xff\xff\xff\xff\0\0\0\0",
    ],
    ids=["empty", "count only", "truncated", "longer", "length -2", "huge count"],
)
def test_not_headers(raw: bytes) -> None:
    """Bytes that are not encoded headers are refused."""
    with pytest.raises(ValueError):
        decode_headers(raw)


@given(HEADERS, st.data())
def test_a_layout_that_is_known_changes_nothing(headers: Headers, data: st.DataObject) -> None:
    """Once headers of a layout were read, other bytes of that length are read as they would be at first."""
    raw = encode_headers(headers)
    assert decode_headers(raw) == headers
    at = data.draw(st.integers(0, len(raw) - 1))
    changed = raw[:at] + bytes((raw[at] ^ data.draw(st.integers(1, 255)),)) + raw[at + 1 :]
    known = outcome(changed)
    _readings.clear()
    assert outcome(changed) == known


def outcome(raw: bytes) -> Headers | str:
    """The headers read, or the error."""
    try:
        return decode_headers(raw)
    except ValueError as error:
        return str(error)
