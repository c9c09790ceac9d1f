"""Public encryption keys: their ids, and which bytes are none. Needs no key of anybody."""

from hashlib import sha256

from nacl.bindings import crypto_scalarmult

X25519 = 0x20
"""The number of the algorithm in key ids: that of the key encapsulation in RFC 9180."""
KEY_LENGTH = 32
_FIELD_PRIME = 2**255 - 19


def encryption_key_id(public: bytes) -> bytes:
    """Key id of an encryption key: SHA-256(32 | public key)."""
    return sha256(bytes((X25519,)) + public).digest()


def check_encryption_key(public: bytes) -> None:
    """Raises ValueError unless the bytes are the one form of a point with which a secret can be agreed."""
    if len(public) != KEY_LENGTH:
        raise ValueError(f"an X25519 public key of {len(public)} bytes, expected {KEY_LENGTH}")
    if int.from_bytes(public, "little") >= _FIELD_PRIME:
        raise ValueError(f"X25519 public key {public.hex()[:16]}… is not in its canonical form")
    try:
        crypto_scalarmult(bytes(KEY_LENGTH), public)
    except RuntimeError as error:
        raise ValueError(f"X25519 public key {public.hex()[:16]}… is a point of small order") from error
