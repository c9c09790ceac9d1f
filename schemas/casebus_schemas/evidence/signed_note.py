"""Signed notes and verifier keys (C2SP signed-note 1.0.0): a text, an empty line, lines of signatures.

A note says nothing before one of its signatures was verified under a key that the reader brought himself;
`trust_policy.py` does both for checkpoints.
"""

import re
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Iterable
from dataclasses import dataclass, replace
from hashlib import sha256

from .ed25519 import PrivateKey, check_public_key, verify

ED25519 = 0x01
COSIGNATURE = 0x04
"""Timestamped Ed25519 cosignatures of checkpoints: cosignature.py."""
KEY_ID_LENGTH = 4
MAX_NOTE_BYTES = 1 << 20
MAX_SIGNATURES = 100
"""The specification asks for at least 16; these two are the limits of Go's reader."""

_DASH = "— "
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")


def base64_bytes(text: str) -> bytes:
    """Bytes of a standard base64 text. Raises ValueError unless it is the one text for these bytes."""
    try:
        raw = b64decode(text.encode("ascii"), validate=True)
    except (Base64Error, UnicodeEncodeError) as error:
        raise ValueError(f"not base64: {text[:60]!r}") from error
    if b64encode(raw).decode() != text:
        raise ValueError(f"not canonical base64: {text[:60]!r}")
    return raw


def base64_text(raw: bytes) -> str:
    """The standard base64 text of bytes."""
    return b64encode(raw).decode()


def check_key_name(name: str) -> None:
    """Raises ValueError for a name that is empty or holds a Unicode space, a plus, a control character."""
    if not name or "+" in name or _CONTROL.search(name) or any(sign.isspace() for sign in name):
        raise ValueError(f"key name {name[:80]!r}, expected one without spaces, plus or control characters")


def key_id(name: str, kind: int, public: bytes) -> bytes:
    """The 4 bytes that tell keys of one name apart: SHA-256(name | newline | type | public key)[:4]."""
    return sha256(name.encode() + b"\n" + bytes((kind,)) + public).digest()[:KEY_ID_LENGTH]


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key with its name and signature type (`ED25519` or `COSIGNATURE`); written as a vkey."""

    name: str
    kind: int
    public: bytes

    def __post_init__(self) -> None:
        """Raises ValueError for a bad name, another type, or a public key that may not be registered."""
        check_key_name(self.name)
        if self.kind not in (ED25519, COSIGNATURE):
            raise ValueError(f"signature type {self.kind:#04x}, expected 0x01 or 0x04 (Ed25519)")
        check_public_key(self.public)

    @property
    def key_id(self) -> bytes:
        """The key's 4 bytes."""
        return key_id(self.name, self.kind, self.public)

    @classmethod
    def parse(cls, text: str) -> "VerifierKey":
        """Reads `name+hex of key id+base64 of type and key`. Raises ValueError, also for another key id."""
        parts = text.split("+", 2)
        if len(parts) != 3:
            raise ValueError(f"verifier key {text[:80]!r}, expected name+key id+base64")
        name, identifier, encoded = parts
        raw = base64_bytes(encoded)
        if not raw:
            raise ValueError(f"verifier key {name!r} holds no signature type")
        key = cls(name, raw[0], raw[1:])
        if identifier != key.key_id.hex():
            raise ValueError(f"verifier key {name!r} has key id {identifier!r}, expected {key.key_id.hex()}")
        return key

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{base64_text(bytes((self.kind,)) + self.public)}"


@dataclass(frozen=True, slots=True)
class NoteSignature:
    """One line of signatures: whose it claims to be, and the bytes after the key id."""

    name: str
    key_id: bytes
    signature: bytes

    @classmethod
    def parse(cls, line: str) -> "NoteSignature":
        """Reads a line without its newline. Raises ValueError."""
        name, blank, encoded = line.removeprefix(_DASH).partition(" ")
        if not line.startswith(_DASH) or not blank:
            raise ValueError(f"signature line {line[:80]!r}, expected '— name base64'")
        check_key_name(name)
        raw = base64_bytes(encoded)
        if len(raw) <= KEY_ID_LENGTH:
            raise ValueError(f"signature of {name!r} has {len(raw)} bytes, expected a key id and a signature")
        return cls(name, raw[:KEY_ID_LENGTH], raw[KEY_ID_LENGTH:])

    def __str__(self) -> str:
        return f"{_DASH}{self.name} {base64_text(self.key_id + self.signature)}"

    def claims(self, key: VerifierKey) -> bool:
        """Whether the line says that it is by this key; only a verification shows it."""
        return self.name == key.name and self.key_id == key.key_id


@dataclass(frozen=True, slots=True)
class SignedNote:
    """A text that ends in a newline, and its lines of signatures, those of unknown keys too."""

    text: str
    signatures: tuple[NoteSignature, ...] = ()

    @classmethod
    def parse(cls, raw: bytes) -> "SignedNote":
        """Reads a note strictly. Raises ValueError for anything but text, empty line, signatures in UTF-8."""
        if len(raw) > MAX_NOTE_BYTES:
            raise ValueError(f"a note of {len(raw)} bytes, expected at most {MAX_NOTE_BYTES}")
        try:
            whole = raw.decode()
        except UnicodeDecodeError as error:
            raise ValueError("the note is not UTF-8") from error
        if found := _CONTROL.search(whole):
            raise ValueError(f"the note holds the control character {found[0]!r}")
        text, empty_line, lines = whole.rpartition("\n\n")
        if not empty_line or not lines.endswith("\n"):
            raise ValueError("a note is a text, an empty line, and lines of signatures that end in a newline")
        signatures = lines[:-1].split("\n")
        if len(signatures) > MAX_SIGNATURES:
            raise ValueError(f"a note with {len(signatures)} signatures, expected at most {MAX_SIGNATURES}")
        return cls(text + "\n", tuple(map(NoteSignature.parse, signatures)))

    def __str__(self) -> str:
        return f"{self.text}\n" + "".join(f"{line}\n" for line in self.signatures)

    def to_bytes(self) -> bytes:
        """The note as it is written; the inverse of `parse`."""
        return str(self).encode()

    def with_signatures(self, lines: Iterable[NoteSignature]) -> "SignedNote":
        """The note with these lines after its own; a line that it has already is not written twice."""
        return replace(self, signatures=tuple(dict.fromkeys((*self.signatures, *lines))))

    def is_signed_by(self, key: VerifierKey) -> bool:
        """Whether a line is by this key of type `ED25519` and holds.

        Raises ValueError if a line claims to be by the key and does not hold: such a note is refused whole.
        """
        if key.kind != ED25519:
            raise ValueError(f"{key.name!r} makes signatures of type {key.kind:#04x}, expected 0x01")
        claimed = [line for line in self.signatures if line.claims(key)]
        for line in claimed:
            if not verify(key.public, line.signature, self.text.encode()):
                raise ValueError(f"the signature of {key.name!r} does not hold for this note")
        return bool(claimed)


class NoteSigner:
    """Signs notes under a name with an Ed25519 key, from its seed of 32 bytes. Raises ValueError."""

    __slots__ = ("_private", "key")

    def __init__(self, name: str, seed: bytes) -> None:
        self._private = PrivateKey(seed)
        self.key = VerifierKey(name, ED25519, self._private.public)

    def sign(self, text: str) -> NoteSignature:
        """The signature line for a text that ends in a newline; the same one each time."""
        check_note_text(text)
        return NoteSignature(self.key.name, self.key.key_id, self._private.sign(text.encode()))

    def signed(self, text: str) -> SignedNote:
        """The note of this text with this one signature."""
        return SignedNote(text, (self.sign(text),))


def check_note_text(text: str) -> None:
    """Raises ValueError unless a note may have this text."""
    if not text.endswith("\n") or _CONTROL.search(text):
        raise ValueError("the text of a note ends in a newline and holds no other control characters")
