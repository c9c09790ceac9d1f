"""Ed25519 by one rule: libsodium's strict one, so that no two auditors disagree about a signature.

A signature holds if S is canonical, neither the key nor R is of small order or not canonical, and
S*B = R + k*A without the cofactor. Keys are looked at once more where they are registered: there a key
outside the group of prime order is refused too. Libraries differ on such keys, never on honest ones.
"""

from nacl.bindings import (
    crypto_core_ed25519_is_valid_point,
    crypto_sign,
    crypto_sign_open,
    crypto_sign_seed_keypair,
)
from nacl.exceptions import CryptoError

PUBLIC_LENGTH = 32
SEED_LENGTH = 32
SIGNATURE_LENGTH = 64


def verify(public: bytes, signature: bytes, message: bytes) -> bool:
    """Whether these 64 bytes sign the message under the public key. Never raises for bytes of any length."""
    if len(public) != PUBLIC_LENGTH or len(signature) != SIGNATURE_LENGTH:
        return False
    try:
        crypto_sign_open(signature + message, public)
    except CryptoError:
        return False
    return True


def check_public_key(public: bytes) -> None:
    """Raises ValueError unless this is a canonical point of the group of prime order, not the neutral one.

    To be called wherever a key is registered: announced, put into a policy, handed to the operator.
    """
    if len(public) != PUBLIC_LENGTH:
        raise ValueError(f"an Ed25519 public key of {len(public)} bytes, expected {PUBLIC_LENGTH}")
    if not crypto_core_ed25519_is_valid_point(public):
        raise ValueError(
            f"Ed25519 public key {public.hex()[:16]}… is no canonical point of the group of prime order"
        )


class PrivateKey:
    """An Ed25519 private key made of its seed of 32 bytes. Raises ValueError for another length."""

    __slots__ = ("_secret", "public")

    def __init__(self, seed: bytes) -> None:
        if len(seed) != SEED_LENGTH:
            raise ValueError(f"an Ed25519 seed of {len(seed)} bytes, expected {SEED_LENGTH}")
        self.public, self._secret = crypto_sign_seed_keypair(seed)

    def sign(self, message: bytes) -> bytes:
        """The signature, 64 bytes; the same ones each time."""
        return crypto_sign(message, self._secret)[:SIGNATURE_LENGTH]
