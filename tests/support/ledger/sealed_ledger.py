"""A small ledger in memory, sealed in epochs, signed and cosigned: proofs without a database."""

from dataclasses import dataclass, field
from hashlib import sha256

from casebus_schemas.evidence.checkpoint import Checkpoint
from casebus_schemas.evidence.cosignature import Cosigner
from casebus_schemas.evidence.epoch import EpochLeaf, EpochTree, LogHead, epoch_of, log_origin
from casebus_schemas.evidence.event_proof import EventProof
from casebus_schemas.evidence.leaf import encode_headers, leaf, leaf_hash
from casebus_schemas.evidence.merkle import EMPTY_ROOT, LeafHashes, inclusion_proof, root_of
from casebus_schemas.evidence.signed_note import NoteSigner, SignedNote
from casebus_schemas.evidence.trust_policy import TrustPolicy, policy_text
from casebus_schemas.wire.records import Record, TopicPartition
from support.ledger.ledgers import record

LEDGER = "ledger.example/bus"
WITNESSES = ("spp", "mps", "csrc", "audit")
SEALED_MS = 1_669_000_000_000
COSIGNED_S = 1_669_000_001


def seed(name: str) -> bytes:
    """A seed of its own for each name."""
    return sha256(f"sealed ledger {name}".encode()).digest()


SIGNER = NoteSigner(LEDGER, seed("log"))
COSIGNERS = {name: Cosigner(f"{name}.example/witness", seed(name)) for name in WITNESSES}


def policy(threshold: int = 3) -> TrustPolicy:
    """The reader's policy: this ledger, any `threshold` of four witnesses."""
    keys = {name: cosigner.key for name, cosigner in COSIGNERS.items()}
    return TrustPolicy.parse(policy_text([SIGNER.key], keys, threshold).encode())


@dataclass
class SealedLedger:
    """Records by partition, and the epochs sealed over them."""

    records: dict[TopicPartition, list[Record]] = field(default_factory=dict)
    epochs: list[EpochLeaf] = field(default_factory=list)
    heads: list[EpochTree] = field(default_factory=list)

    def add(self, topic: str, partition: int, count: int) -> None:
        """Appends made-up records."""
        run = self.records.setdefault(TopicPartition(topic, partition), [])
        run += [record(len(run) + at, topic=topic, partition=partition) for at in range(count)]

    def hashes(self, place: TopicPartition, size: int | None = None) -> list[bytes]:
        """Leaf hashes of a log."""
        return [leaf_hash(leaf(one)) for one in self.records[place][:size]]

    def seal(self) -> EpochLeaf:
        """One epoch over all records."""
        heads = [
            LogHead(log_origin(LEDGER, *place), len(run), root_of(self.hashes(place)), len(run), len(run))
            for place, run in self.records.items()
        ]
        previous = root_of([epoch.hash() for epoch in self.epochs]) if self.epochs else EMPTY_ROOT
        self.epochs.append(epoch_of(len(self.epochs) + 1, previous, heads, SEALED_MS + len(self.epochs)))
        self.heads.append(EpochTree(heads))
        return self.epochs[-1]

    def note(self, *witnesses: str) -> SignedNote:
        """The newest checkpoint with cosignatures of these witnesses."""
        root = root_of([epoch.hash() for epoch in self.epochs])
        text = str(Checkpoint(LEDGER, len(self.epochs), root))
        lines = [COSIGNERS[name].cosign(text, COSIGNED_S) for name in witnesses]
        return SIGNER.signed(text).with_signatures(lines)

    def prove(
        self, topic: str, partition: int, index: int, note: SignedNote, *, headers: bool = True
    ) -> EventProof:
        """Proof of an entry by the first epoch that holds it."""
        place = TopicPartition(topic, partition)
        origin = log_origin(LEDGER, *place)
        number, tree = next(
            (at + 1, tree)
            for at, tree in enumerate(self.heads)
            for head in tree.heads
            if head.origin == origin and head.size > index
        )
        head = tree.heads[tree.index(origin)]
        one = self.records[place][index]
        epochs = LeafHashes([epoch.hash() for epoch in self.epochs])
        return EventProof(
            leaf=leaf(one),
            headers=encode_headers(one.headers) if headers else None,
            index=index,
            path=tuple(inclusion_proof(index, head.size, LeafHashes(self.hashes(place, head.size)))),
            head=head,
            head_index=tree.index(origin),
            head_path=tuple(tree.inclusion(origin)),
            epoch=self.epochs[number - 1],
            epoch_path=tuple(inclusion_proof(number - 1, len(self.epochs), epochs)),
            note=note,
        )


def example() -> SealedLedger:
    """Five logs, five epochs; csrc.referral/0 grows in each."""
    ledger = SealedLedger()
    for number in range(5):
        ledger.add("csrc.referral", 0, 7)
        if number < 4:
            ledger.add(("mps.record", "spp.key", "bus.admission", "csrc.referral")[number], 3, 2 + number)
        ledger.seal()
    return ledger
