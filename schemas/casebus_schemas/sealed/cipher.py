"""Seals and opens personal data: AES-256-GCM under a key of the event, that key by HPKE for each reader.

The event's key is derived from the speaker's data key of the case, so that the speaker can open and grant
what it said as long as it keeps that one key, and nobody who got one event's key can open another event.
"""

import secrets
from collections.abc import Mapping
from hashlib import sha256
from hmac import digest as hmac

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from casebus_schemas.errors import UsageError

from .blob import DATA_KEY_NAME, LEAST_PADDED, MOST_PADDED, NONCE, SealedBytes, Wrapped, head_of
from .place import Place, text
from .public_keys import KEY_LENGTH, encryption_key_id

MOST_CONTENT = MOST_PADDED - 1
_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
_END = b"\x80"


class DecryptionKey:
    """An agency's own X25519 private key. Raises UsageError for another length than 32 bytes."""

    __slots__ = ("_private", "key_id", "public")

    def __init__(self, raw: bytes) -> None:
        if len(raw) != KEY_LENGTH:
            raise UsageError("not an encryption key", found=f"{len(raw)} bytes", expected="32 bytes")
        self._private = X25519PrivateKey.from_private_bytes(raw)
        self.public = self._private.public_key().public_bytes_raw()
        self.key_id = encryption_key_id(self.public)

    def unwrap(self, reader: Wrapped, place: Place) -> bytes | None:
        """The event's key; None where this was not wrapped for this key at this place."""
        try:
            return _SUITE.decrypt(
                reader.enc + reader.key, self._private, info=_wrap_info(place, reader.agency)
            )
        except (InvalidTag, ValueError):
            return None

    def open_letter(self, sealed: bytes, place: bytes) -> bytes | None:
        """What was sealed for this key alone under that name of its place; None if it was not."""
        try:
            return _SUITE.decrypt(sealed, self._private, info=place)
        except (InvalidTag, ValueError):
            return None


def seal_letter(content: bytes, public: bytes, place: bytes) -> bytes:
    """A secret for one reader's public encryption key (HPKE, RFC 9180); `place` says what it is."""
    return _SUITE.encrypt(content, X25519PublicKey.from_public_bytes(public), info=place)


def data_key_name(data_key: bytes) -> bytes:
    """The name by which the bytes of `sealed` call a data key: says nothing of the key."""
    return sha256(b"casebus/data-key/v1\n" + data_key).digest()[:DATA_KEY_NAME]


def event_key(data_key: bytes, place: Place) -> bytes:
    """The key of one event: HKDF-Expand (RFC 5869) of the data key, 32 bytes."""
    return hmac(data_key, b"casebus/event-key/v1\n" + place.to_bytes() + b"\1", "sha256")


def seal(content: bytes, place: Place, data_key: bytes, readers: Mapping[str, bytes]) -> bytes:
    """The bytes of `sealed`: content for the agencies of `readers`, each with its public encryption key.

    Raises UsageError if the content is too large or nobody is to read it.
    """
    if len(content) > MOST_CONTENT:
        raise UsageError(
            "too much personal data for one event",
            found=f"{len(content):,} bytes",
            expected=f"at most {MOST_CONTENT:,}",
            remedy="say it in several events",
        )
    if not readers:
        raise UsageError("sealed content for nobody", expected="an agency that may read it")
    key = event_key(data_key, place)
    wrapped = tuple(_wrap(key, place, agency, readers[agency]) for agency in sorted(readers))
    name, nonce = data_key_name(data_key), secrets.token_bytes(NONCE)
    bound = _bound(place, head_of(name, wrapped))
    return SealedBytes(name, wrapped, nonce, AESGCM(key).encrypt(nonce, _padded(content), bound)).to_bytes()


def open_with(key: bytes, sealed: SealedBytes, place: Place) -> bytes | None:
    """The content, by the event's key; None where key, place or bytes are not those of the sealing."""
    try:
        padded = AESGCM(key).decrypt(sealed.nonce, sealed.ciphertext, _bound(place, sealed.head))
    except InvalidTag:
        return None
    content, end, zeros = padded.rpartition(_END)
    if not end or zeros.strip(b"\0"):
        raise UsageError("sealed content without the end of its padding", expected="80, then zeros")
    return content


def _wrap(key: bytes, place: Place, agency: str, public: bytes) -> Wrapped:
    whole = _SUITE.encrypt(key, X25519PublicKey.from_public_bytes(public), info=_wrap_info(place, agency))
    return Wrapped(agency, encryption_key_id(public), whole[:KEY_LENGTH], whole[KEY_LENGTH:])


def _wrap_info(place: Place, agency: str) -> bytes:
    return b"casebus/sealed-key/v1\n" + place.to_bytes() + text(agency)


def _bound(place: Place, head: bytes) -> bytes:
    return b"casebus/sealed/v1\n" + place.to_bytes() + head


def _padded(content: bytes) -> bytes:
    size = LEAST_PADDED
    while size <= len(content):
        size *= 2
    return content + _END + bytes(size - len(content) - 1)
