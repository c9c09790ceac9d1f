"""Cosignatures (C2SP tlog-cosignature, Ed25519): a witness says when it saw which head as the largest."""

from struct import pack, unpack

from .ed25519 import SIGNATURE_LENGTH, PrivateKey, verify
from .signed_note import COSIGNATURE, NoteSignature, SignedNote, VerifierKey, check_note_text

MAX_TIMESTAMP = 2**63 - 1


def cosigned_message(text: str, timestamp: int) -> bytes:
    """What a witness signs: a fixed line, the time in seconds since 1970 UTC, the checkpoint's text."""
    return f"cosignature/v1\ntime {timestamp}\n{text}".encode()


def cosigned_at(key: VerifierKey, line: NoteSignature, text: str) -> int | None:
    """When the witness of this key cosigned the text, in seconds since 1970 UTC; None if the line is not its.

    Raises ValueError if the line claims to be by the key and does not hold: such a note is refused whole.
    """
    if key.kind != COSIGNATURE:
        raise ValueError(f"{key.name!r} makes signatures of type {key.kind:#04x}, expected 0x04")
    if not line.claims(key):
        return None
    if len(line.signature) != 8 + SIGNATURE_LENGTH:
        raise ValueError(f"cosignature of {key.name!r} has {len(line.signature)} bytes, expected 72")
    (timestamp,) = unpack(">Q", line.signature[:8])
    if timestamp > MAX_TIMESTAMP or not verify(
        key.public, line.signature[8:], cosigned_message(text, timestamp)
    ):
        raise ValueError(f"the cosignature of {key.name!r} does not hold for this checkpoint")
    return int(timestamp)


def cosigned_times(key: VerifierKey, note: SignedNote) -> tuple[int, ...]:
    """Times of all cosignatures of this key on a note, in its order. Raises ValueError as `cosigned_at`."""
    found = (cosigned_at(key, line, note.text) for line in note.signatures)
    return tuple(time for time in found if time is not None)


class Cosigner:
    """A witness's key: cosigns texts of checkpoints that its owner has judged. Raises ValueError."""

    __slots__ = ("_private", "key")

    def __init__(self, name: str, seed: bytes) -> None:
        self._private = PrivateKey(seed)
        self.key = VerifierKey(name, COSIGNATURE, self._private.public)

    def cosign(self, text: str, timestamp: int) -> NoteSignature:
        """The line for a checkpoint's text at a time in seconds since 1970 UTC."""
        check_note_text(text)
        if not 0 <= timestamp <= MAX_TIMESTAMP:
            raise ValueError(f"time {timestamp}, expected seconds since 1970 up to {MAX_TIMESTAMP}")
        signature = self._private.sign(cosigned_message(text, timestamp))
        return NoteSignature(self.key.name, self.key.key_id, pack(">Q", timestamp) + signature)
