"""Signed messages: the exact bytes that agencies and the bus sign (docs/records.md 1, pinned)."""

import hashlib
from functools import lru_cache
from pathlib import Path
from struct import pack
from typing import NamedTuple
from uuid import UUID

from casebus_schemas.errors import UsageError
from casebus_schemas.evidence import ed25519
from casebus_schemas.evidence.key_file import read_seed

ZERO_DIGEST = bytes(32)
ED25519 = 1
BLOCK_LENGTH = 98

_U32 = ">I"
_U64 = ">Q"


def _text(value: str) -> bytes:
    raw = value.encode()
    return pack(">H", len(raw)) + raw


@lru_cache(maxsize=4096)
def _cached_text(value: str) -> bytes:
    return _text(value)


class SignedFields(NamedTuple):
    """What an event's signature covers. `time_ms` is milliseconds since 1970 UTC."""

    producer: str
    seq: int
    prev: bytes
    topic: str
    partition: int
    key: str
    fingerprint: bytes
    content_type: str
    id: UUID
    type: str
    source: str
    time_ms: int
    value_sha256: bytes


def event_message(fields: SignedFields) -> bytes:
    """The signed message of an event, domain `casebus/event/v1`."""
    return b"".join(
        (
            b"casebus/event/v1\n",
            _cached_text(fields.producer),
            pack(_U64, fields.seq),
            fields.prev,
            _cached_text(fields.topic),
            pack(_U32, fields.partition),
            _text(fields.key),
            fields.fingerprint,
            _cached_text(fields.content_type),
            fields.id.bytes,
            _cached_text(fields.type),
            _cached_text(fields.source),
            pack(">q", fields.time_ms),
            fields.value_sha256,
        )
    )


def event_digest(fields: SignedFields) -> bytes:
    """SHA-256 of the signed message: the identity of an event."""
    return hashlib.sha256(event_message(fields)).digest()


def admission_message(
    *,
    producer: str,
    seq: int,
    prev: bytes,
    topic: str,
    partition: int,
    key: bytes | None,
    value: bytes | None,
    admission: bytes,
) -> bytes:
    """The message that the bus signs on an admission record, domain `casebus/admission/v1`.

    Absent key or value: zeros for its digest.
    """
    sha = hashlib.sha256
    return admission_message_of(
        producer=producer,
        seq=seq,
        prev=prev,
        topic=topic,
        partition=partition,
        key_sha256=None if key is None else sha(key).digest(),
        value_sha256=None if value is None else sha(value).digest(),
        admission=admission,
    )


def admission_message_of(
    *,
    producer: str,
    seq: int,
    prev: bytes,
    topic: str,
    partition: int,
    key_sha256: bytes | None,
    value_sha256: bytes | None,
    admission: bytes,
) -> bytes:
    """The same from the digests of key and value, as a ledger leaf has them; None where absent."""
    return b"".join(
        (
            b"casebus/admission/v1\n",
            _cached_text(producer),
            pack(_U64, seq),
            prev,
            _cached_text(topic),
            pack(_U32, partition),
            b"\0" + ZERO_DIGEST if key_sha256 is None else b"\1" + key_sha256,
            b"\0" + ZERO_DIGEST if value_sha256 is None else b"\1" + value_sha256,
            hashlib.sha256(admission).digest(),
        )
    )


def key_id(public: bytes, alg: int = ED25519) -> bytes:
    """Key id: SHA-256(u8 algorithm | public key)."""
    return hashlib.sha256(bytes((alg,)) + public).digest()


class SigningKey:
    """An Ed25519 private key that makes signature blocks."""

    __slots__ = ("_private", "key_id", "public")

    def __init__(self, seed: bytes) -> None:
        if len(seed) != ed25519.SEED_LENGTH:
            raise UsageError("not an Ed25519 seed", found=f"{len(seed)} bytes", expected="32 bytes")
        self._private = ed25519.PrivateKey(seed)
        self.public = self._private.public
        self.key_id = key_id(self.public)

    @classmethod
    def from_file(cls, path: Path) -> "SigningKey":
        """Reads a seed of 64 hexadecimal digits. Raises UsageError as `read_seed` does."""
        return cls(read_seed(path))

    def sign(self, message: bytes) -> bytes:
        """Signature block of 98 bytes: version 1, algorithm 1, key id, Ed25519 signature."""
        return b"\1\1" + self.key_id + self._private.sign(message)


class SignatureBlock(NamedTuple):
    """A parsed signature block."""

    alg: int
    key_id: bytes
    signature: bytes


def parse_block(raw: bytes) -> SignatureBlock:
    """Parses a signature block. Raises ValueError saying what was found and expected."""
    if len(raw) != BLOCK_LENGTH:
        raise ValueError(f"signature block of {len(raw)} bytes, expected {BLOCK_LENGTH}")
    if raw[0] != 1:
        raise ValueError(f"signature block version {raw[0]}, expected 1")
    if raw[1] != ED25519:
        raise ValueError(f"signature algorithm {raw[1]}, expected {ED25519} (Ed25519)")
    return SignatureBlock(raw[1], raw[2:34], raw[34:])


def verify(block: SignatureBlock, message: bytes, public: bytes) -> bool:
    """Whether the block signs the message under the public key, by the one rule for Ed25519."""
    return ed25519.verify(public, block.signature, message)
