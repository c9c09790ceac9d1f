"""A JSON file that is a statement with signatures over its canonical bytes."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from casebus_schemas.errors import UsageError
from casebus_schemas.evidence import ed25519

MOST_BYTES = 1 << 20
"""A request is some 6 kB, an excerpt with its certificates some 10."""

Sign = Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True)
class SignedFile:
    """`statement` is a JSON object without fractions; `signatures` are raw Ed25519 ones, by who signed."""

    kind: str
    statement: Mapping[str, Any]
    signatures: Mapping[str, bytes]

    @property
    def message(self) -> bytes:
        """What is signed: the kind, and the statement with sorted names and no spaces."""
        return signed_message(self.kind, self.statement)

    @property
    def number(self) -> str:
        """What two people compare by telephone: 128 bits of the message's SHA-256, in groups of four."""
        return spoken(sha256(self.message).digest())

    def is_signed_by(self, part: str, public: bytes) -> bool:
        """Whether that part's signature is by the key."""
        return ed25519.verify(public, self.signatures.get(part, b""), self.message)

    def to_bytes(self) -> bytes:
        """The file, to be read by people too."""
        body = {
            "casebus": self.kind,
            "statement": self.statement,
            "signatures": {part: raw.hex() for part, raw in self.signatures.items()},
        }
        return (json.dumps(body, indent=1, ensure_ascii=False) + "\n").encode()


def signed_message(kind: str, statement: Mapping[str, Any]) -> bytes:
    """The bytes that are signed, domain `casebus/<kind>/v1`."""
    text = json.dumps(statement, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return f"casebus/{kind}/v1\n{text}".encode()


def signed(kind: str, statement: Mapping[str, Any], signers: Mapping[str, Sign]) -> SignedFile:
    """The statement signed by each of the signers."""
    message = signed_message(kind, statement)
    return SignedFile(kind, statement, {part: sign(message) for part, sign in signers.items()})


def read_signed(kind: str, raw: bytes) -> SignedFile:
    """The parts of a file of that kind; whose the signatures are is for the caller to ask.

    Raises UsageError for other bytes.
    """
    try:
        if len(raw) > MOST_BYTES:
            raise ValueError(f"{len(raw)} bytes")
        body = json.loads(raw)
        if body["casebus"] != kind:
            raise ValueError(f"a file of the kind {str(body['casebus'])[:40]!r}")
        statement = body["statement"]
        if not isinstance(statement, dict):
            raise ValueError("a statement that is no object")
        signatures = {str(part): bytes.fromhex(text) for part, text in body["signatures"].items()}
        found = SignedFile(kind, statement, signatures)
        found.message.decode()  # half a surrogate has no bytes
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UsageError(
            "not a file of this kind",
            found=str(error)[:200],
            expected=f"a casebus {kind} file as it was written",
        ) from error
    return found


def spoken(raw: bytes) -> str:
    """The first 16 bytes in hexadecimal, in groups of four digits."""
    text = raw[:16].hex()
    return "-".join(text[at : at + 4] for at in range(0, 32, 4))
