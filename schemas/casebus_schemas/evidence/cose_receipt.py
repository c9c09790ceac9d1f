"""COSE receipts (RFC 9942, tree RFC9162_SHA256): what any reader of COSE verifies without our formats.

The signature covers the root, which the receipt does not hold: whoever verifies computes it. The bytes are
pinned in docs/records.md; what a receipt is in the terms of SCITT stands in ADR 20.
"""

from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from . import cbor
from .checkpoint import MAX_SIZE, Checkpoint
from .ed25519 import PUBLIC_LENGTH, PrivateKey, check_public_key, verify
from .epoch import is_origin
from .event_proof import FIRST_LINE, EventProof
from .merkle import HASH_LENGTH
from .signed_note import ED25519, SignedNote, base64_text

SIGN1_TAG = 18
EDDSA = -8
"""RFC 9053; the key's curve says that it is Ed25519."""
ALGORITHM, KEY_ID, CLAIMS, STRUCTURE, PROOFS = 1, 4, 15, 395, 396
"""Labels of headers: RFC 9052 (1, 4), RFC 9597 (15), RFC 9942 (395, 396)."""
ISSUER, SUBJECT, ISSUED_AT = 1, 2, 6
"""Claims of RFC 8392."""
TREE_SIZE = "casebus/tree-size"
"""Claim of ours: how many entries the root covers, which the proof outside of the signature only says."""
CHECKPOINT = "casebus/checkpoint"
"""Header of ours outside the signature: the cosigned checkpoint of a receipt of consistency."""
RFC9162_SHA256 = 1
INCLUSION, CONSISTENCY = -1, -2
MAX_BYTES = 1 << 20

_PEM_HEAD, _PEM_TAIL = "-----BEGIN PUBLIC KEY-----", "-----END PUBLIC KEY-----"
_SPKI = bytes.fromhex("302a300506032b6570032100")
"""What stands before the 32 bytes in the SubjectPublicKeyInfo of an Ed25519 key (RFC 8410)."""


@dataclass(frozen=True, slots=True)
class ReceiptKey:
    """The public key of a ledger's receipts, which signs nothing else. Raises ValueError for what is none."""

    public: bytes

    def __post_init__(self) -> None:
        check_public_key(self.public)

    @property
    def key_id(self) -> bytes:
        """As for every key of the bus: SHA-256(u8 algorithm | public key)."""
        return sha256(bytes((ED25519,)) + self.public).digest()

    @classmethod
    def parse(cls, text: str) -> "ReceiptKey":
        """Reads PEM of a SubjectPublicKeyInfo, as every COSE library takes it. Raises ValueError."""
        lines = text.strip().splitlines()
        if len(lines) < 3 or (lines[0], lines[-1]) != (_PEM_HEAD, _PEM_TAIL):
            raise ValueError(f"no public key, expected a PEM file that begins with {_PEM_HEAD}")
        try:
            raw = b64decode("".join(lines[1:-1]), validate=True)
        except Base64Error as error:
            raise ValueError("the public key is not base64") from error
        if not raw.startswith(_SPKI) or len(raw) != len(_SPKI) + PUBLIC_LENGTH:
            raise ValueError("the public key is of another kind, expected Ed25519")
        return cls(raw[len(_SPKI) :])

    def __str__(self) -> str:
        return f"{_PEM_HEAD}\n{base64_text(_SPKI + self.public)}\n{_PEM_TAIL}\n"


@dataclass(frozen=True, slots=True)
class Claims:
    """What the signature says of the tree: whose ledger, which log, how many entries, when it was sealed.

    `subject` is the log's origin: that of a partition's log, or the ledger's own for the head log.
    """

    issuer: str
    subject: str
    sealed_at_s: int
    size: int


@dataclass(frozen=True, slots=True)
class InclusionProof:
    """A leaf's place and path in a tree (RFC 9942 5.2)."""

    size: int
    index: int
    path: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class ConsistencyProof:
    """That a tree extends an older one (RFC 9942 5.3)."""

    old: int
    size: int
    path: tuple[bytes, ...]


class ReceiptSigner:
    """Signs roots as receipts, from a seed of 32 bytes. Who calls it has seen that the root is sealed."""

    __slots__ = ("_private", "key")

    def __init__(self, seed: bytes) -> None:
        self._private = PrivateKey(seed)
        self.key = ReceiptKey(self._private.public)

    def inclusion(self, proof: EventProof) -> bytes:
        """The receipt of an entry, with the proof to the cosigned checkpoint in a header of ours.

        Raises ValueError for a tree of one entry: RFC 9942 wants one hash at least in a path.
        """
        ledger = Checkpoint.parse(proof.note.text).origin
        head = proof.head
        if not proof.path:
            raise ValueError(f"{head.origin} held one entry: its root has no path, and a receipt needs one")
        claims = Claims(ledger, head.origin, proof.epoch.sealed_at_ms // 1000, head.size)
        value: cbor.Value = [head.size, proof.index, list(proof.path)]
        headers: dict[int | str, cbor.Value] = {
            PROOFS: {INCLUSION: [cbor.encode(value)]},
            FIRST_LINE: proof.to_bytes(),
        }
        return self._signed(claims, headers, head.root)

    def consistency(self, note: SignedNote, old: int, path: Sequence[bytes], sealed_at_ms: int) -> bytes:
        """The receipt that the head log of this checkpoint extends that of `old` epochs.

        Raises ValueError where there is nothing to show: equal sizes.
        """
        new = Checkpoint.parse(note.text)
        if not path:
            raise ValueError(f"no path from size {old} to {new.size}, and a receipt needs one")
        claims = Claims(new.origin, new.origin, sealed_at_ms // 1000, new.size)
        value: cbor.Value = [old, new.size, list(path)]
        headers: dict[int | str, cbor.Value] = {
            PROOFS: {CONSISTENCY: [cbor.encode(value)]},
            CHECKPOINT: note.to_bytes(),
        }
        return self._signed(claims, headers, new.root)

    def _signed(self, claims: Claims, headers: dict[int | str, cbor.Value], root: bytes) -> bytes:
        protected = cbor.encode(
            {
                ALGORITHM: EDDSA,
                KEY_ID: self.key.key_id,
                CLAIMS: {
                    ISSUER: claims.issuer,
                    SUBJECT: claims.subject,
                    ISSUED_AT: claims.sealed_at_s,
                    TREE_SIZE: claims.size,
                },
                STRUCTURE: RFC9162_SHA256,
            }
        )
        signature = self._private.sign(signed_bytes(protected, root))
        return cbor.encode(cbor.Tagged(SIGN1_TAG, [protected, headers, None, signature]))


def signed_bytes(protected: bytes, payload: bytes) -> bytes:
    """The Sig_structure of a COSE_Sign1 without external data (RFC 9052 4.4)."""
    return cbor.encode(["Signature1", protected, b"", payload])


@dataclass(frozen=True, slots=True)
class CoseReceipt:
    """A receipt as it was read; nothing of it counts before `signs` and a verification of the proof."""

    protected: bytes
    key_id: bytes
    claims: Claims
    proof: InclusionProof | ConsistencyProof
    signature: bytes
    carried: bytes | None
    """What our header holds: the event's tlog-proof, or the checkpoint; None for a foreign receipt."""

    @classmethod
    def parse(cls, raw: bytes) -> "CoseReceipt":
        """Reads a receipt of ours strictly. Raises ValueError saying what was found and expected."""
        if len(raw) > MAX_BYTES:
            raise ValueError(f"a receipt of {len(raw)} bytes, expected at most {MAX_BYTES}")
        whole = cbor.decode(raw)
        if not isinstance(whole, cbor.Tagged) or whole.tag != SIGN1_TAG:
            raise ValueError("no COSE_Sign1, expected CBOR tag 18")
        parts = whole.value
        if not isinstance(parts, list) or len(parts) != 4:
            raise ValueError("no COSE_Sign1, expected four parts")
        protected, headers, payload, signature = parts
        if payload is not None:
            raise ValueError("the receipt brings its own root, expected none: whoever verifies computes it")
        if not isinstance(protected, bytes) or not isinstance(signature, bytes):
            raise ValueError("protected headers or signature are no byte strings")
        key, claims = _protected(protected)
        proof, carried = _unprotected(headers)
        return cls(protected, key, claims, proof, signature, carried)

    def signs(self, key: ReceiptKey, root: bytes) -> bool:
        """Whether the receipt is by this key over this root."""
        return self.key_id == key.key_id and verify(
            key.public, self.signature, signed_bytes(self.protected, root)
        )


def is_receipt(raw: bytes) -> bool:
    """Whether a file looks like a receipt: it begins with the tag of COSE_Sign1."""
    return raw[:1] == bytes((0xC0 | SIGN1_TAG,))


def _protected(raw: bytes) -> tuple[bytes, Claims]:
    found = cbor.decode(raw)
    if not isinstance(found, dict) or set(found) != {ALGORITHM, KEY_ID, CLAIMS, STRUCTURE}:
        raise ValueError("protected headers, expected algorithm, key id, claims and kind of tree")
    if found[ALGORITHM] != EDDSA:
        raise ValueError(f"algorithm {found[ALGORITHM]!r}, expected {EDDSA} (EdDSA)")
    if found[STRUCTURE] != RFC9162_SHA256:
        raise ValueError(f"tree {found[STRUCTURE]!r}, expected {RFC9162_SHA256} (RFC9162_SHA256)")
    key, claims = found[KEY_ID], found[CLAIMS]
    if not isinstance(key, bytes) or not isinstance(claims, dict):
        raise ValueError("key id or claims of another kind")
    if set(claims) != {ISSUER, SUBJECT, ISSUED_AT, TREE_SIZE}:
        raise ValueError("claims, expected issuer, subject, time and size of the tree")
    issuer, subject = claims[ISSUER], claims[SUBJECT]
    if not isinstance(issuer, str) or not isinstance(subject, str):
        raise ValueError("issuer or subject is no text")
    if not is_origin(issuer) or not is_origin(subject):
        raise ValueError(f"issuer {issuer[:80]!r} or subject {subject[:80]!r}, expected origins of logs")
    return key, Claims(issuer, subject, _number(claims[ISSUED_AT]), _number(claims[TREE_SIZE]))


def _unprotected(headers: cbor.Value) -> tuple[InclusionProof | ConsistencyProof, bytes | None]:
    if not isinstance(headers, dict) or not isinstance(proofs := headers.get(PROOFS), dict):
        raise ValueError(f"no proofs, expected a map under label {PROOFS}")
    kinds = {INCLUSION: FIRST_LINE, CONSISTENCY: CHECKPOINT}
    kind, listed = next(iter(proofs.items())) if len(proofs) == 1 else (None, None)
    if kind not in kinds or not isinstance(listed, list) or len(listed) != 1:
        raise ValueError("expected one proof, of inclusion or of consistency")
    assert isinstance(kind, int)
    carried = headers.get(kinds[kind])
    if set(headers) - {PROOFS, kinds[kind]} or not isinstance(carried, bytes | None):
        raise ValueError("headers that no receipt of this ledger has")
    value = cbor.decode(listed[0]) if isinstance(listed[0], bytes) else None
    if not isinstance(value, list) or len(value) != 3 or not isinstance(value[2], list):
        raise ValueError("a proof is two numbers and a path")
    path = [one for one in value[2] if isinstance(one, bytes) and len(one) == HASH_LENGTH]
    if len(path) != len(value[2]) or not 1 <= len(path) <= 64:
        raise ValueError(f"a path of {len(value[2])}, expected 1 to 64 hashes of {HASH_LENGTH} bytes")
    first, second = _number(value[0]), _number(value[1])
    if kind == INCLUSION:
        return InclusionProof(first, second, tuple(path)), carried
    return ConsistencyProof(first, second, tuple(path)), carried


def _number(value: cbor.Value) -> int:
    if not isinstance(value, int) or not 0 <= value <= MAX_SIZE:
        raise ValueError(f"{str(value)[:40]}, expected a number from 0 to {MAX_SIZE}")
    return value
