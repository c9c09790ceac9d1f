"""Sealed content once more, written from RFC 9180, RFC 5869 and docs/records.md 3 alone: for tests."""

import hashlib
import hmac
from struct import pack
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from nacl.bindings import crypto_scalarmult, crypto_scalarmult_base

AES_128_GCM, AES_256_GCM = (1, 16), (2, 32)
"""Id and key length of an AEAD."""
PLACE = (
    "csrc.referral",
    "7c0f2b52-93b1-8f0e-9c51-3a1f0e5d2c44",
    UUID("0190163d-8694-739b-aea5-966c26f8ad91"),
    "referral.submitted",
    "csrc",
)
"""Topic, chain, event id, type, speaker of the published vector."""


def extract(salt: bytes, ikm: bytes) -> bytes:
    """HKDF-Extract with SHA-256."""
    return hmac.new(salt or bytes(32), ikm, hashlib.sha256).digest()


def expand(prk: bytes, info: bytes, length: int) -> bytes:
    """HKDF-Expand with SHA-256."""
    out, block = b"", b""
    while len(out) < length:
        block = hmac.new(prk, block + info + bytes((len(out) // 32 + 1,)), hashlib.sha256).digest()
        out += block
    return out[:length]


def key_and_nonce(
    secret: bytes, enc: bytes, recipient: bytes, info: bytes, aead: tuple[int, int]
) -> tuple[bytes, bytes]:
    """Key and base nonce of HPKE's base mode with X25519 (RFC 9180, 4.1, 5.1); `secret`: the shared point."""
    kem = b"KEM" + pack(">H", 0x20)
    suite = b"HPKE" + pack(">HHH", 0x20, 1, aead[0])
    prk = extract(b"", b"HPKE-v1" + kem + b"eae_prk" + secret)
    shared = expand(prk, pack(">H", 32) + b"HPKE-v1" + kem + b"shared_secret" + enc + recipient, 32)
    ids = extract(b"", b"HPKE-v1" + suite + b"psk_id_hash")
    context = b"\0" + ids + extract(b"", b"HPKE-v1" + suite + b"info_hash" + info)
    secret = extract(shared, b"HPKE-v1" + suite + b"secret")
    key = expand(secret, pack(">H", aead[1]) + b"HPKE-v1" + suite + b"key" + context, aead[1])
    return key, expand(secret, pack(">H", 12) + b"HPKE-v1" + suite + b"base_nonce" + context, 12)


def opened(
    private: bytes, enc: bytes, ciphertext: bytes, info: bytes, aad: bytes, aead: tuple[int, int]
) -> bytes:
    """What HPKE's receiver reads as the first message."""
    public = crypto_scalarmult_base(private)
    key, nonce = key_and_nonce(crypto_scalarmult(private, enc), enc, public, info, aead)
    return AESGCM(key).decrypt(nonce, ciphertext, aad)


def wrapped(ephemeral: bytes, public: bytes, content: bytes, info: bytes) -> tuple[bytes, bytes]:
    """`enc` and ciphertext of HPKE's sender with a given ephemeral key and AES-256-GCM."""
    enc = crypto_scalarmult_base(ephemeral)
    key, nonce = key_and_nonce(crypto_scalarmult(ephemeral, public), enc, public, info, AES_256_GCM)
    return enc, AESGCM(key).encrypt(nonce, content, b"")


def text(value: str) -> bytes:
    """`str` of docs/records.md."""
    return pack(">H", len(value.encode())) + value.encode()


def place_bytes(place: tuple[str, str, UUID, str, str] = PLACE) -> bytes:
    """The bytes of an event's place."""
    topic, chain, event, type, speaker = place
    return text(topic) + text(chain) + event.bytes + text(type) + text(speaker)


def blob(content: bytes, data_key: bytes, readers: list[tuple[str, bytes, bytes]], nonce: bytes) -> bytes:
    """The bytes of `sealed` at PLACE; readers: name, public key and ephemeral key, in alphabetical order."""
    key = expand(data_key, b"casebus/event-key/v1\n" + place_bytes(), 32)
    head = (
        b"CBS\1\1"
        + hashlib.sha256(b"casebus/data-key/v1\n" + data_key).digest()[:16]
        + bytes((len(readers),))
    )
    for name, public, ephemeral in readers:
        enc, ciphertext = wrapped(
            ephemeral, public, key, b"casebus/sealed-key/v1\n" + place_bytes() + text(name)
        )
        key_id = hashlib.sha256(b"\x20" + public).digest()
        head += bytes((len(name),)) + name.encode() + key_id + enc + ciphertext
    size = 1024
    while size < len(content) + 1:
        size += size
    padded = content + b"\x80" + b"\0" * (size - len(content) - 1)
    whole = AESGCM(key).encrypt(nonce, padded, b"casebus/sealed/v1\n" + place_bytes() + head)
    return head + nonce + pack(">I", len(whole)) + whole
