"""The decision of a witness (C2SP tlog-witness): cosign, or refuse with a reason and an HTTP status."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from .checkpoint import Checkpoint
from .merkle import EMPTY_ROOT, verify_consistency
from .signed_note import SignedNote, VerifierKey
from .submission import Submission

OK, BAD_REQUEST, FORBIDDEN, NOT_FOUND, CONFLICT, UNPROCESSABLE = 200, 400, 403, 404, 409, 422

LogKeys = Mapping[str, Sequence[VerifierKey]]
"""By origin, the keys under which a log's checkpoints are believed."""


class Head(NamedTuple):
    """A size of a log and its root."""

    size: int
    root: bytes


NEVER = Head(0, EMPTY_ROOT)
"""What a witness holds of a log that it has never cosigned."""


class Accepted(NamedTuple):
    """To be cosigned. `note` holds the signatures of trusted keys of the log only."""

    checkpoint: Checkpoint
    note: SignedNote


class Declined(NamedTuple):
    """Not to be cosigned. `split`: its log has signed two roots of the size that the witness holds."""

    status: int
    reason: str
    split: bool = False
    checkpoint: Checkpoint | None = None
    """What the log has signed, as far as it was read."""
    note: SignedNote | None = None


def read_signed(note: SignedNote, logs: LogKeys) -> Accepted | Declined:
    """The checkpoint of a note that its log has signed: 404 for an unknown log, 403 without its signature.

    422 for the size 0 with another root than that of the empty tree, 400 for what is no checkpoint.
    """
    origin = note.text.partition("\n")[0]
    keys = logs.get(origin)
    if keys is None:
        return Declined(NOT_FOUND, f"no log of origin {origin[:100]!r} is known here")
    try:
        signed = [key for key in keys if note.is_signed_by(key)]
    except ValueError as error:
        return Declined(FORBIDDEN, str(error))
    if not signed:
        return Declined(FORBIDDEN, f"no signature by a key of {origin}, expected one of {_named(keys)}")
    own = tuple(line for line in note.signatures if any(line.claims(key) for key in signed))
    try:
        checkpoint = Checkpoint.parse(note.text)
    except ValueError as error:
        # An empty tree with a root of its own is a well formed line that no tree can have.
        empty = note.text.split("\n")[1:2] == ["0"]
        return Declined(UNPROCESSABLE if empty else BAD_REQUEST, str(error))
    return Accepted(checkpoint, SignedNote(note.text, own))


def decide(raw: bytes, logs: LogKeys, held: Mapping[str, Head]) -> Accepted | Declined:
    """What a witness that last cosigned the heads `held`, by origin, answers to a body of `add-checkpoint`.

    No I/O. Who cosigns stores the new head before the answer leaves, in one transaction with reading the old.
    """
    try:
        submission = Submission.parse(raw)
    except ValueError as error:
        return Declined(BAD_REQUEST, str(error))
    found = read_signed(submission.note, logs)
    if isinstance(found, Declined):
        return found
    own = held.get(found.checkpoint.origin, NEVER)
    problem = _problem(submission, found.checkpoint, own)
    return found if problem is None else problem._replace(checkpoint=found.checkpoint, note=found.note)


def _problem(submission: Submission, new: Checkpoint, own: Head) -> Declined | None:
    old = submission.old_size
    split = new.size == own.size and new.root != own.root
    if old > new.size:
        return Declined(BAD_REQUEST, f"old size {old} of a tree of {new.size}, expected no more")
    if old != own.size:
        return Declined(CONFLICT, f"old size {old}, expected {own.size}, the size last cosigned", split)
    if split:
        reason = f"root {new.root.hex()} of size {new.size}, cosigned was {own.root.hex()}"
        return Declined(UNPROCESSABLE, reason, split)
    if old == 0:
        proven = not submission.proof
    else:
        proven = verify_consistency(old, new.size, submission.proof, own.root, new.root)
    if proven:
        return None
    return Declined(
        UNPROCESSABLE, f"the proof does not show that the tree of {new.size} extends that of {old}"
    )


def _named(keys: Sequence[VerifierKey]) -> str:
    return ", ".join(f"{key.name}+{key.key_id.hex()}" for key in keys)
