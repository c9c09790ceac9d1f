"""The pinned bytes: each published vector is reproduced exactly (docs/records.md 1 and 2)."""

from hashlib import sha256
from uuid import UUID

from casebus_schemas.evidence.leaf import encode_headers, leaf, leaf_hash
from casebus_schemas.wire.headers import EventHeaders, digest_of, event_headers
from casebus_schemas.wire.partitioning import partition_of
from casebus_schemas.wire.records import Record
from casebus_schemas.wire.signing import (
    ZERO_DIGEST,
    SignedFields,
    SigningKey,
    admission_message,
    event_digest,
    event_message,
    parse_block,
    verify,
)

KEY = SigningKey(sha256(b"casebus test key 1").digest())
CHAIN = "7c0f2b52-93b1-8f0e-9c51-3a1f0e5d2c44"
VALUE = bytes.fromhex("00000186a16578616d706c6520626f6479")
FINGERPRINT = bytes.fromhex("cbeff1f5e940f03842f33e83f088fabfa1ef82b2851bfd3e63d5a1f44484efa3")
DIGEST = "d3dca306bb6fa24e057a9c984572c3d5427f70f1f45cd0ad83b5e31381493fc7"
SIGNATURE = (
    "91111d14fe2dd2bedb1e2a8afd62d3ca669f981bdaf11c6a1d25f9124dbcad6c"
    "c76455349e3fe9d592e1a4c80c770138c744d299cb6cf48642df97023fd0df0b"
)


def signed_fields() -> SignedFields:
    """The event of the published vector."""
    return SignedFields(
        producer="csrc-1.1",
        seq=1,
        prev=ZERO_DIGEST,
        topic="csrc.referral",
        partition=3,
        key=CHAIN,
        fingerprint=FINGERPRINT,
        content_type="application/avro",
        id=UUID("0190163d-8694-739b-aea5-966c26f8ad91"),
        type="referral.submitted",
        source="/csrc/shanghai-office",
        time_ms=1476720000000,
        value_sha256=sha256(VALUE).digest(),
    )


def test_public_key_and_key_id() -> None:
    """A seed gives the published public key and key id."""
    assert KEY.public.hex() == "4a82e29a7ee2c6b25467d76a958aab6ce66ffad002ff1f66260fbf9cd9d53c90"
    assert KEY.key_id.hex() == "83ba158bbb7ace510f907f6f8403b598f28e1eb8db7f409ececc715482ad55d7"


def test_partition_of_the_vector_key() -> None:
    """The chain id of the vector belongs to partition 3 of 4."""
    assert partition_of(CHAIN.encode(), 4) == 3


def test_fingerprint_of_the_example_text() -> None:
    """The vector's fingerprint is the digest of its example canonical form."""
    assert sha256(b"example canonical form").digest() == FINGERPRINT


def test_event_digest_and_signature() -> None:
    """The signed message of the vector has the published digest and signature."""
    fields = signed_fields()
    block = KEY.sign(event_message(fields))
    assert event_digest(fields).hex() == DIGEST
    assert block == b"\1\1" + KEY.key_id + bytes.fromhex(SIGNATURE)
    assert verify(parse_block(block), event_message(fields), KEY.public) is True


def test_a_changed_field_breaks_the_signature() -> None:
    """A signature does not hold for the same event on another topic."""
    block = parse_block(KEY.sign(event_message(signed_fields())))
    other = signed_fields()._replace(topic="csrc.clue")
    assert verify(block, event_message(other), KEY.public) is False


def test_digest_survives_the_headers() -> None:
    """The digest computed from a record's headers is that of the signed message."""
    fields = signed_fields()
    headers = event_headers(fields, KEY.sign(event_message(fields)))
    record = Record("csrc.referral", 3, 41, 1669000000123, 1, CHAIN.encode(), VALUE, headers)
    assert digest_of(record).hex() == DIGEST
    assert EventHeaders.parse(headers).to_kafka() == headers


def test_admission_message() -> None:
    """The bus's signature over the admission vector is the published one."""
    admission = b'{"origin":"csrc.referral/3/41","verdict":"admitted"}'
    message = admission_message(
        producer="router-1.1",
        seq=1,
        prev=ZERO_DIGEST,
        topic="bus.admission",
        partition=3,
        key=CHAIN.encode(),
        value=VALUE,
        admission=admission,
    )
    expected = "2699841106fd3652f0dbe011b3b880e334c5f7c4b3da66ae29a130fe1933f456"
    signature = (
        "50eeb22378214324998165a16a3a75bb6c38476fb9024a419cd4e4020b517a7e"
        "8656b8912483985193800957483b2b8fe4ea82653a8c44d58b03e2fa0dba5105"
    )
    assert sha256(message).hexdigest() == expected
    assert KEY.sign(message)[34:].hex() == signature


def leaf_record() -> Record:
    """The record of the published leaf vector."""
    headers = (
        ("ce_specversion", b"1.0"),
        ("casebus-producer", b"csrc-1.1"),
        ("casebus-seq", b"1"),
        ("empty", b""),
        ("null", None),
    )
    return Record("csrc.referral", 3, 41, 1669000000123, 1, CHAIN.encode(), VALUE, headers)


def test_leaf_headers() -> None:
    """Headers are encoded in order, null and empty apart."""
    assert encode_headers(leaf_record().headers).hex() == (
        "000000050000000e63655f7370656376657273696f6e00000003312e30"
        "0000001063617365"
        "6275732d70726f647563657200000008637372632d312e31"
        "0000000b636173656275732d7365710000000131"
        "00000005656d70747900000000000000046e756c6cffffffff"
    )


def test_leaf_hash() -> None:
    """The leaf of the vector has 154 bytes and the published hash."""
    made = leaf(leaf_record())
    assert len(made) == 154
    assert leaf_hash(made).hex() == "af83d0381e134050e56463ac4cb1f8587b982adff33ef7f6bfe5affc36772cf5"


def test_leaf_of_an_odd_record() -> None:
    """Absent key, value and producer are told apart from empty ones, and an odd number counts as none."""
    bare = Record("csrc.referral", 0, 0, 0, 1, None, None, (("casebus-seq", b"007"),))
    empty = bare._replace(key=b"", value=b"")
    assert leaf(bare)[-16:] == b"\xff" * 16
    assert leaf(bare) != leaf(empty)
