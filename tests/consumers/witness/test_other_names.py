"""What stands on a witness's topic from a ledger of another name does not count as published."""

from hashlib import sha256

from casebus_consumers.witness.program import size_in
from casebus_schemas.evidence.checkpoint import Checkpoint
from casebus_schemas.evidence.signed_note import NoteSigner, SignedNote


def test_sizes_are_those_of_one_ledger() -> None:
    """A larger head of the ledger before, under its old name, holds back no cosignature of the new one."""
    for ledger, size in (("bus.example/one", 7), ("bus.example/two", 3)):
        note = NoteSigner(ledger, sha256(b"log").digest()).signed(str(Checkpoint(ledger, size, bytes(32))))
        assert (size_in(note, "bus.example/one"), size_in(note, "bus.example/two")) == (
            (7, 0) if ledger == "bus.example/one" else (0, 3)
        )
    assert size_in(SignedNote("something else\n"), "bus.example/one") == 0
