"""Identifiers that the bus mints: all deterministic, so that nothing is ever invented twice."""

import hashlib
import hmac
import re
import unicodedata
from collections.abc import Sequence
from uuid import UUID, uuid5

from casebus_schemas.agencies import BUS

from .signing import SignedFields
from .uuids import uuid_of

_NAMESPACE = UUID("6a0f1c1e-8f4e-5d55-9d6b-0d5a3f4f7c21")
"""Namespace of every version 5 id of the bus; changing it would change all ids."""

_BRACKETS = str.maketrans(
    {"〔": "(", "〕": ")", "（": "(", "）": ")", "[": "(", "]": ")", "【": "(", "】": ")"}
)


_SHA1_OF_NAMESPACE = hashlib.sha1(_NAMESPACE.bytes)


def _uuid5(name: str) -> UUID:
    """As uuid.uuid5 in our namespace, in half the time: the router makes several for each event."""
    digest = _SHA1_OF_NAMESPACE.copy()
    digest.update(name.encode())
    raw = bytearray(digest.digest()[:16])
    raw[6] = raw[6] & 0x0F | 0x50
    raw[8] = raw[8] & 0x3F | 0x80
    return uuid_of(raw)


def uuid7(now_ms: int, randomness: bytes) -> UUID:
    """UUIDv7 of a time (milliseconds since 1970 UTC) and 10 random bytes (RFC 9562, 5.7)."""
    if len(randomness) != 10:
        raise ValueError(f"10 random bytes are needed, got {len(randomness)}")
    raw = bytearray(now_ms.to_bytes(6, "big") + randomness)
    raw[6] = raw[6] & 0x0F | 0x70
    raw[8] = raw[8] & 0x3F | 0x80
    return UUID(bytes=bytes(raw))


def message_uuid(agency: str, number: str) -> UUID:
    """Event id from the sender's own message number: the same number gives the same id (retry-safe)."""
    return _uuid5(f"message\n{agency}\n{number}")


def notice_id(said: SignedFields, recipient: str) -> UUID:
    """Notice id of an event for a recipient, from what is said alone (docs/records.md 5).

    Neither producer nor number is in it: who says it again under others tells nobody anything new. An id of
    the bus follows from what it announces.
    """
    agency = said.topic.partition(".")[0]
    if agency == BUS:
        return uuid5(said.id, recipient)
    what = f"{agency}\n{said.id}\n{said.type}\n{said.key}\n{said.value_sha256.hex()}"
    return _uuid5(f"notice\n{what}\n{recipient}")


def bus_id(rule: str, subject: str, causes: Sequence[bytes] = ()) -> UUID:
    """Id of what the bus itself says: rule, subject and the digests of the causing events."""
    listed = causes[0].hex() if len(causes) == 1 else "\n".join(sorted([cause.hex() for cause in causes]))
    return _uuid5(f"bus\n{rule}\n{subject}\n{listed}")


def normalise_reference(value: str) -> str:
    """A case reference in one spelling: NFKC, half-width brackets, no spaces, lower case."""
    text = unicodedata.normalize("NFKC", value).translate(_BRACKETS)
    return re.sub(r"\s+", "", text).lower()


def chain_id(secret: bytes, issuer: str, scheme: str, value: str) -> UUID:
    """Chain id: UUIDv8 from HMAC-SHA-256(agency secret, normalised first local reference).

    Retry-safe and, without the secret, not enumerable.
    """
    message = f"casebus/chain/v1\n{issuer}\n{scheme}\n{normalise_reference(value)}".encode()
    raw = bytearray(hmac.new(secret, message, hashlib.sha256).digest()[:16])
    raw[6] = raw[6] & 0x0F | 0x80
    raw[8] = raw[8] & 0x3F | 0x80
    return UUID(bytes=bytes(raw))
