"""A checkpoint of the ledger as it is shown: its note with the witnesses' lines, and what it seals."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from casebus_schemas.errors import UsageError
from casebus_schemas.evidence.checkpoint import Checkpoint
from casebus_schemas.evidence.epoch import EpochLeaf
from casebus_schemas.evidence.signed_note import NoteSignature, SignedNote, VerifierKey
from casebus_schemas.evidence.trust_policy import TrustPolicy
from casebus_schemas.times import utc_text
from casebus_services.ledger.ledger_database import Database

from .epoch_check import Trusted
from .ledger_rows import snapshot


@dataclass(frozen=True, slots=True)
class ShownCheckpoint:
    """A stored checkpoint. `problem` says why it is not believed; None if it is, or no key was brought."""

    note: SignedNote
    checkpoint: Checkpoint
    epoch: EpochLeaf
    cosigned: tuple[tuple[str, int], ...]
    """Who cosigned, by the name of the key, and when: seconds since 1970 UTC."""
    problem: str | None

    def to_json(self) -> dict[str, Any]:
        """As a JSON object."""
        return {
            "origin": self.checkpoint.origin,
            "size": self.checkpoint.size,
            "root": self.checkpoint.root.hex(),
            "sealed_at": utc_text(self.epoch.sealed_at_ms),
            "logs": self.epoch.head_count,
            "note": str(self.note),
            "cosignatures": [{"name": name, "at": utc_text(at * 1000)} for name, at in self.cosigned],
            "problem": self.problem,
        }


def read_checkpoint(
    database: Database, size: int | None, log: VerifierKey | None, policy: TrustPolicy | None
) -> ShownCheckpoint:
    """The checkpoint of that size, without one the latest; judged by the policy, else by the log's key.

    Raises UsageError if there is none.
    """
    with snapshot(database) as rows:
        found = rows.checkpoint(size)
        if found is None:
            raise UsageError(
                "no such checkpoint",
                found="none" if size is None else f"size {size}",
                expected="a ledger with sealed epochs" if size is None else "a size that was sealed",
                remedy="see the sealer: casebus doctor",
            )
        at, note_text, leaf = found
        lines = [(row, NoteSignature.parse(row.line)) for row in rows.cosignatures_of(at)]
    own = SignedNote.parse(note_text.encode())
    note = own.with_signatures(line for _, line in lines)
    cosigned = tuple((row.name, row.timestamp) for row, _ in lines)
    problem = None
    if policy is not None:
        problem = policy.judge(note).problem
    elif log is not None and not own.is_signed_by(log):
        problem = f"not signed by {log}"
    return ShownCheckpoint(note, Checkpoint.parse(note.text), EpochLeaf.parse(leaf), cosigned, problem)


def read_policy(file: Path | None) -> TrustPolicy | None:
    """The policy that whoever verifies has brought. Raises UsageError if the file is none."""
    if file is None:
        return None
    try:
        return TrustPolicy.parse(file.read_bytes(), str(file))
    except OSError as error:
        raise UsageError(
            f"cannot read {file}", found=error.strerror, expected="a tlog-policy file"
        ) from error


def trusted_by(policy: TrustPolicy | None, vkey: str | None, origin: str | None = None) -> Trusted:
    """The keys to verify with: the policy's, else the key that connection.json names for the log.

    Raises UsageError for a text that is no verifier key.
    """
    if policy is not None:
        logs = [one.key for one in policy.logs if origin in (None, one.key.name)]
        witnesses = {name: one.key for name, one in policy.witnesses.items()}
        return Trusted(logs[0] if logs else None, witnesses)
    return Trusted(log_key(vkey))


def log_key(vkey: str | None) -> VerifierKey | None:
    """The log's verifier key as it is written. Raises UsageError for another text."""
    if vkey is None:
        return None
    try:
        return VerifierKey.parse(vkey)
    except ValueError as error:
        raise UsageError("the log's verifier key", found=str(error), expected="name+key id+base64") from error
