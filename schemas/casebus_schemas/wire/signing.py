"""Signed messages: the exact bytes that agencies and the bus sign (docs/records.md 1, pinned)."""

import hashlib
from functools import lru_cache
from pathlib import Path
from struct import pack
from typing import NamedTuple
from uuid import UUID

from casebus_schemas.errors import UsageError
from casebus_schemas.evidence import algorithms
from casebus_schemas.evidence.key_file import check_private

ZERO_DIGEST = bytes(32)
ED25519 = algorithms.ED25519.number
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
    """A private key that makes signature blocks: Ed25519 from its seed, or another of the registry."""

    __slots__ = ("_head", "_private", "algorithm", "key_id", "public")

    def __init__(self, seed: bytes) -> None:
        self._take(algorithms.ED25519, seed.hex())

    @classmethod
    def parse(cls, text: str) -> "SigningKey":
        """Reads the text of a key file: 64 hexadecimal digits, or the name of an algorithm and its key.

        Raises ValueError for another text, and where the algorithm needs a package that is not installed.
        """
        word = text.split(" ", 1)[0]
        key = cls.__new__(cls)
        key._take(algorithms.by_name(word) if " " in text else algorithms.ED25519, text)
        return key

    def _take(self, algorithm: algorithms.SignatureAlgorithm, text: str) -> None:
        self.algorithm = algorithm
        self._private = algorithm.private(text)
        self.public = self._private.public
        self.key_id = key_id(self.public, algorithm.number)
        self._head = bytes((1, algorithm.number)) + self.key_id

    @classmethod
    def from_file(cls, path: Path) -> "SigningKey":
        """Reads a key file. Raises UsageError if it is missing, malformed or needs another package, and if
        others than its owner have any right to it.
        """
        check_private(path)
        try:
            return cls.parse(path.read_text(encoding="ascii").strip())
        except (OSError, ValueError) as error:
            raise UsageError(
                f"cannot read the signing key {path}",
                found=str(error) if isinstance(error, ValueError) else type(error).__name__,
                expected="a file of 64 hexadecimal digits, or 'sm2' and two numbers",
            ) from error

    def sign(self, message: bytes) -> bytes:
        """Signature block of 98 bytes: version 1, algorithm, key id, signature of 64 bytes."""
        return self._head + self._private.sign(message)


class SignatureBlock(NamedTuple):
    """A parsed signature block."""

    alg: int
    key_id: bytes
    signature: bytes


def parse_block(raw: bytes) -> SignatureBlock:
    """Parses a signature block. Raises ValueError for what is none, or needs a package that is not here."""
    if len(raw) != BLOCK_LENGTH:
        raise ValueError(f"signature block of {len(raw)} bytes, expected {BLOCK_LENGTH}")
    if raw[0] != 1:
        raise ValueError(f"signature block version {raw[0]}, expected 1")
    algorithms.by_number(raw[1])
    return SignatureBlock(raw[1], raw[2:34], raw[34:])


def verify(block: SignatureBlock, message: bytes, public: bytes) -> bool:
    """Whether the block signs the message under the public key, by its algorithm's one rule.

    The block's key id must be that of this key with this algorithm: no key is used with two.
    """
    algorithm = algorithms.SIGNATURES.get(block.alg)
    if algorithm is None or key_id(public, block.alg) != block.key_id:
        return False
    return algorithm.verify(public, block.signature, message)
