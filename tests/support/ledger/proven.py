"""A ledger in a database, sealed by the real sealer and cosigned by witnesses: for proofs."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from casebus_consumers.auditor.ledger_rows import reading
from casebus_consumers.auditor.proof_rows import ProofRows
from casebus_schemas.evidence.checkpoint import Checkpoint
from casebus_schemas.evidence.signed_note import SignedNote
from casebus_schemas.evidence.trust_policy import policy_text
from casebus_services.ledger.store import LedgerStore
from casebus_services.sealer.known import Line
from support.events.sealing import SIGNER, Sealing
from support.ledger.ledgers import batch
from support.ledger.sealed_ledger import COSIGNED_S, COSIGNERS
from support.ledger.signed_case import SignedCase

THREE = ("mps", "csrc", "audit")


class ProvenLedger:
    """A store that is sealed and cosigned."""

    def __init__(self, store: LedgerStore, folder: Path) -> None:
        self.store = store
        self.sealing = Sealing(store, folder)

    def seal(self, *witnesses: str) -> None:
        """An epoch over what is there, cosigned by these witnesses."""
        number = self.sealing.sealer.seal()
        assert number is not None
        text = SignedNote.parse(self.sealing.notes()[number].encode()).text
        root = Checkpoint.parse(text).root
        lines = [(COSIGNERS[name].key, COSIGNERS[name].cosign(text, COSIGNED_S)) for name in witnesses]
        self.sealing.epochs.add_cosignatures(
            [Line(number, root, key.name, key.key_id, COSIGNED_S, str(line)) for key, line in lines]
        )

    def take(self, case: SignedCase) -> None:
        """Appends all records of a case."""
        self.store.append([batch(records) for records in case.ledger.records.values()])

    @contextmanager
    def rows(self) -> Iterator[ProofRows]:
        """What proofs are read from."""
        with reading(self.store.database) as connection:
            yield ProofRows(connection)


def policy_file(folder: Path, threshold: int = 3) -> Path:
    """The reader's policy."""
    keys = {name: cosigner.key for name, cosigner in COSIGNERS.items()}
    file = folder / f"{threshold}.policy"
    file.write_text(policy_text([SIGNER.key], keys, threshold))
    return file
