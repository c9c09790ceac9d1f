"""Head logs made in a test: a log's signed checkpoints and the bodies that a witness gets."""

from collections.abc import Sequence
from hashlib import sha256

from casebus_schemas.evidence.checkpoint import Checkpoint
from casebus_schemas.evidence.epoch import EpochLeaf, LogHead, changed_heads, epoch_headers, epoch_of
from casebus_schemas.evidence.leaf import leaf_hash
from casebus_schemas.evidence.merkle import LeafHashes, consistency_proof, root_of
from casebus_schemas.evidence.signed_note import NoteSigner, SignedNote
from casebus_schemas.evidence.submission import Submission
from casebus_schemas.wire.records import Headers

ORIGIN = "ledger.example/bus"
SEALED_MS = 1_669_000_000_000


def signer(origin: str = ORIGIN, seed: str = "log") -> NoteSigner:
    """A log's key, from a seed in words."""
    return NoteSigner(origin, sha256(seed.encode()).digest())


class LeafLog:
    """A log over leaf hashes, which signs any of its sizes."""

    def __init__(self, leaves: Sequence[bytes], log: NoteSigner | None = None) -> None:
        self.leaves = list(leaves)
        self.log = log or signer()

    @classmethod
    def of(cls, size: int, history: str = "", log: NoteSigner | None = None) -> "LeafLog":
        """A log of so many leaves; another history has other leaves."""
        return cls([leaf_hash(f"{history}{number}".encode()) for number in range(size)], log)

    def root(self, size: int) -> bytes:
        """Its root at a size."""
        return root_of(self.leaves[:size])

    def note(self, size: int) -> SignedNote:
        """The signed checkpoint of a size."""
        return self.log.signed(str(Checkpoint(self.log.key.name, size, self.root(size))))

    def proof(self, old: int, new: int) -> tuple[bytes, ...]:
        """That `new` extends `old`."""
        return tuple(consistency_proof(old, new, LeafHashes(self.leaves))) if old else ()

    def body(self, old: int, new: int) -> bytes:
        """What is sent to a witness that holds `old`."""
        return Submission(old, self.proof(old, new), self.note(new)).to_bytes()


class Sealed:
    """A head log of epochs, as a sealer makes it: each epoch's leaf, changed heads and checkpoint."""

    def __init__(self, log: NoteSigner | None = None) -> None:
        self.log = LeafLog([], log or signer())
        self.epochs: list[tuple[EpochLeaf, list[LogHead]]] = []
        self._heads: list[LogHead] = []

    def seal(self, heads: Sequence[LogHead], at_ms: int | None = None) -> EpochLeaf:
        """Seals an epoch over all these heads."""
        number = len(self.epochs) + 1
        at = SEALED_MS + 1000 * number if at_ms is None else at_ms
        leaf = epoch_of(number, self.log.root(number - 1), heads, at)
        self.epochs.append((leaf, changed_heads(self._heads, heads)))
        self._heads = list(heads)
        self.log.leaves.append(leaf.hash())
        return leaf

    def record(self, number: int) -> tuple[bytes, Headers]:
        """Value and headers of an epoch's record on bus.checkpoint."""
        leaf, changed = self.epochs[number - 1]
        return self.log.body(number - 1, number), epoch_headers(leaf, changed)

    def checkpoint(self, number: int) -> Checkpoint:
        """The checkpoint over so many epochs."""
        return Checkpoint(self.log.log.key.name, number, self.log.root(number))
