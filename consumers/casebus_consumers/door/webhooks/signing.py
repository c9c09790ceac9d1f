"""Secrets and signatures of Standard Webhooks 1.0: `v1` by HMAC-SHA256, `v1a` by Ed25519."""

import hmac
import secrets
from base64 import b64decode, b64encode
from hashlib import sha256

from nacl.signing import SigningKey

from casebus_schemas.errors import UsageError

SYMMETRIC, PRIVATE, PUBLIC = "whsec_", "whsk_", "whpk_"
_BYTES = 32
"""Of a new secret; the specification wants 24 to 64."""


def new_secret(*, asymmetric: bool = False) -> str:
    """A new secret as text: `whsec_` for HMAC, `whsk_` for Ed25519."""
    return (PRIVATE if asymmetric else SYMMETRIC) + b64encode(secrets.token_bytes(_BYTES)).decode()


def for_the_receiver(secret: str) -> str:
    """What the receiver verifies with: the shared secret, or the public key `whpk_`."""
    if secret.startswith(SYMMETRIC):
        return secret
    return PUBLIC + b64encode(bytes(_key(secret).verify_key)).decode()


def signature(secret: str, id: str, timestamp_s: int, body: bytes) -> str:
    """The signature of a message under one secret, as `webhook-signature` lists it."""
    message = f"{id}.{timestamp_s}.".encode() + body
    if secret.startswith(SYMMETRIC):
        found = hmac.new(_bytes(secret, SYMMETRIC), message, sha256).digest()
        return "v1," + b64encode(found).decode()
    return "v1a," + b64encode(_key(secret).sign(message).signature).decode()


def _key(secret: str) -> SigningKey:
    return SigningKey(_bytes(secret, PRIVATE))


def _bytes(secret: str, begins: str) -> bytes:
    try:
        if not secret.startswith(begins):
            raise ValueError("another kind of secret")
        found = b64decode(secret.removeprefix(begins), validate=True)
        if (len(found) != _BYTES and begins == PRIVATE) or not 24 <= len(found) <= 64:
            raise ValueError(f"{len(found)} bytes")
        return found
    except ValueError as error:
        raise UsageError("no secret of a webhook", expected=f"{begins} and base64") from error
