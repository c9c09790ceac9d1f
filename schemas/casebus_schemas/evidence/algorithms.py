"""The algorithms of keys: number, name, and what each can do; who reads a signature chooses by the number.

A key has one algorithm, since its id is made of number and public key, and one purpose, its role.
"""

import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

from casebus_schemas.sealed.public_keys import X25519, check_encryption_key

from . import ed25519, sm2


class Private(Protocol):
    """A private key that signs."""

    @property
    def public(self) -> bytes:
        """Its public key."""

    def sign(self, message: bytes) -> bytes:
        """The signature, 64 bytes."""


@dataclass(frozen=True, slots=True)
class SignatureAlgorithm:
    """An algorithm of signatures.

    `number` stands in signature blocks and key ids, `name` in key events. `verify` takes public key,
    signature, message and never raises; `check_public` raises ValueError for what may not be registered;
    `missing` says what to install where it cannot be used.
    """

    number: int
    name: str
    title: str
    public_length: int
    verify: Callable[[bytes, bytes, bytes], bool]
    check_public: Callable[[bytes], None]
    private: Callable[[str], Private]
    """A private key from the text of its file. Raises ValueError."""
    make: Callable[[], str]
    """The text of a file with a new private key. Raises ValueError."""
    missing: Callable[[], str | None]


def _ed25519_from(text: str) -> Private:
    return ed25519.PrivateKey(bytes.fromhex(text))


def _sm2_from(text: str) -> Private:
    word, _, numbers = text.partition(" ")
    private, _, public = numbers.partition(" ")
    if word != SM2.name:
        raise ValueError("not an SM2 key")
    return sm2.PrivateKey(bytes.fromhex(private), bytes.fromhex(public))


def _new_sm2() -> str:
    private, public = sm2.new_key()
    return f"{SM2.name} {private.hex()} {public.hex()}"


ED25519 = SignatureAlgorithm(
    1,
    "ed25519",
    "Ed25519",
    ed25519.PUBLIC_LENGTH,
    ed25519.verify,
    ed25519.check_public_key,
    _ed25519_from,
    lambda: secrets.token_hex(ed25519.SEED_LENGTH),
    lambda: None,
)
SM2 = SignatureAlgorithm(
    2,
    "sm2",
    "SM2",
    sm2.PUBLIC_LENGTH,
    sm2.verify,
    sm2.check_public_key,
    _sm2_from,
    _new_sm2,
    sm2.missing,
)
SIGNATURES: Mapping[int, SignatureAlgorithm] = MappingProxyType({one.number: one for one in (ED25519, SM2)})
"""By number. 3 is kept for signatures of Merkle batches."""

_OF_ROLE = {"event": (ED25519, SM2), "witness": (ED25519,), "log": (ED25519,)}
"""Checkpoints and cosignatures are Ed25519 by their formats (C2SP)."""


def by_name(name: str) -> SignatureAlgorithm:
    """The algorithm of signatures of that name. Raises ValueError naming those there are."""
    found = next((one for one in SIGNATURES.values() if one.name == name), None)
    if found is None:
        raise ValueError(f"algorithm {name}, expected {_names(SIGNATURES.values())}")
    return found


def by_number(number: int) -> SignatureAlgorithm:
    """The algorithm of that number. Raises ValueError for an unknown one, or one that cannot be used here."""
    found = SIGNATURES.get(number)
    if found is None:
        known = " or ".join(f"{one.number} ({one.title})" for one in SIGNATURES.values())
        raise ValueError(f"signature algorithm {number}, expected {known}")
    if (lacking := found.missing()) is not None:
        raise ValueError(f"signature algorithm {number}: {lacking}")
    return found


def registered(role: str, name: str, public: bytes) -> int:
    """The algorithm's number of a key that is announced with this role.

    Raises ValueError where the role has another algorithm, or the public key may not be registered.
    """
    if role == "encrypt":
        if name != "x25519":
            raise ValueError(f"algorithm {name}, expected x25519")
        check_encryption_key(public)
        return X25519
    fitting = _OF_ROLE.get(role, ())
    found = next((one for one in fitting if one.name == name), None)
    if found is None:
        raise ValueError(f"algorithm {name}, expected {_names(fitting)}")
    found.check_public(public)
    return found.number


def of_public_key(public: bytes) -> SignatureAlgorithm:
    """The algorithm that has public keys of this length, the key looked at. Raises ValueError."""
    for one in SIGNATURES.values():
        if one.public_length == len(public):
            one.check_public(public)
            return one
    lengths = " or ".join(f"{one.public_length} ({one.title})" for one in SIGNATURES.values())
    raise ValueError(f"a public key of {len(public)} bytes, expected {lengths}")


def _names(algorithms: Iterable[SignatureAlgorithm]) -> str:
    return " or ".join(one.name for one in algorithms)
