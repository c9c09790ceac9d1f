"""What a witness is asked to cosign (C2SP tlog-witness, `add-checkpoint`): old size, consistency proof, note.

The same bytes are the body of the HTTP request and the value of a record on bus.checkpoint.
"""

from dataclasses import dataclass

from .checkpoint import Checkpoint, base64_hash, decimal
from .signed_note import MAX_NOTE_BYTES, SignedNote, base64_text

MAX_PROOF = 63
"""Lines of a consistency proof; no tree of 2^63 leaves needs more."""
MAX_SUBMISSION_BYTES = MAX_NOTE_BYTES
MEDIA_TYPE_SIZE = "text/x.tlog.size"
"""Of the answer 409, whose body is the size that the witness last cosigned."""

_OLD = b"old "


@dataclass(frozen=True, slots=True)
class Submission:
    """A checkpoint, and the proof that it extends the tree of `old_size` leaves."""

    old_size: int
    proof: tuple[bytes, ...]
    note: SignedNote

    @classmethod
    def parse(cls, raw: bytes) -> "Submission":
        """Reads the body strictly. Raises ValueError saying what was found and expected."""
        if len(raw) > MAX_SUBMISSION_BYTES:
            raise ValueError(f"a body of {len(raw)} bytes, expected at most {MAX_SUBMISSION_BYTES}")
        head, empty_line, note = raw.partition(b"\n\n")
        lines = head.split(b"\n")
        if not empty_line or not lines[0].startswith(_OLD):
            raise ValueError("expected lines 'old SIZE' and of a proof, an empty line, and a checkpoint")
        if len(lines) - 1 > MAX_PROOF:
            raise ValueError(f"a proof of {len(lines) - 1} lines, expected at most {MAX_PROOF}")
        try:
            size, *proof = (line.decode("ascii") for line in lines)
        except UnicodeDecodeError as error:
            raise ValueError("old size and proof are not ASCII") from error
        return cls(
            decimal(size.removeprefix("old "), "old size"),
            tuple(base64_hash(line, "proof line") for line in proof),
            SignedNote.parse(note),
        )

    @property
    def new_size(self) -> int:
        """Size of the checkpoint. Raises ValueError if the note is none."""
        return Checkpoint.parse(self.note.text).size

    def to_bytes(self) -> bytes:
        """The body; the inverse of `parse`. Raises ValueError if it cannot be sent."""
        if self.old_size < 0 or len(self.proof) > MAX_PROOF:
            raise ValueError(
                f"old size {self.old_size}, {len(self.proof)} proof lines; expected from 0, up to {MAX_PROOF}"
            )
        head = "".join(f"{line}\n" for line in (f"old {self.old_size}", *map(base64_text, self.proof)))
        return f"{head}\n{self.note}".encode()
