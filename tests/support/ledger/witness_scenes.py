"""Witnesses in a test: a ledger's policy, states in a folder, and topics that are lists."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from casebus_consumers.witness.cosigning import Cosigning
from casebus_consumers.witness.key_file import STATE, enrol, key_name, load_key
from casebus_consumers.witness.state import State
from casebus_schemas.evidence.epoch import LogHead
from casebus_schemas.evidence.leaf import leaf, leaf_hash
from casebus_schemas.evidence.merkle import root_of
from casebus_schemas.evidence.signed_note import SignedNote
from casebus_schemas.evidence.trust_policy import TrustPolicy, policy_text
from casebus_schemas.wire.records import Headers, Record, TopicPartition
from support.ledger.head_logs import ORIGIN, SEALED_MS, Sealed, signer

CHECKPOINT = "bus.checkpoint"
WITNESSES = ("spp", "mps", "csrc", "audit")
TOPICS = tuple(f"{witness}.cosignature" for witness in WITNESSES)
MINE = TopicPartition("csrc.referral", 3)


def record(topic: str, offset: int, value: bytes, headers: Headers = (), partition: int = 0) -> Record:
    """A record as Kafka gives it."""
    return Record(topic, partition, offset, SEALED_MS, 1, ORIGIN.encode(), value, headers)


@dataclass
class View:
    """What one reader is shown: bus.checkpoint, cosignatures, and the records of one partition."""

    sealed: Sealed = field(default_factory=Sealed)
    said: list[Record] = field(default_factory=list)

    def say(self, *values: bytes) -> None:
        """Records on the partition that mirrors copy."""
        for value in values:
            self.said.append(record(MINE.topic, len(self.said), value, partition=MINE.partition))

    def head(self, size: int | None = None) -> LogHead:
        """The head of that partition's log."""
        count = len(self.said) if size is None else size
        root = root_of([leaf_hash(leaf(one)) for one in self.said[:count]])
        return LogHead(f"{ORIGIN}/{MINE.topic}/{MINE.partition}/1", count, root, count, count)

    def seal(self, *values: bytes) -> None:
        """Says these and seals an epoch over all that was said."""
        self.say(*values)
        self.sealed.seal([self.head()])

    def checkpoints(self, first: int = 1) -> list[Record]:
        """The records of bus.checkpoint from an epoch on."""
        return [
            record(CHECKPOINT, number - 1, *self.sealed.record(number))
            for number in range(first, len(self.sealed.epochs) + 1)
        ]


def policy(folder: Path, *, mirror: bool = False, threshold: int = 3) -> TrustPolicy:
    """The policy over the log's key and those of all witnesses, whose folders are made."""
    keys = {}
    for witness in WITNESSES:
        name = key_name(ORIGIN, witness, mirror=mirror)
        enrol(folder / witness, name)
        keys[witness] = load_key(folder / witness, name).key
    return TrustPolicy.parse(policy_text([signer().key], keys, threshold).encode())


def witness(
    folder: Path, name: str, rules: TrustPolicy, readable: Collection[TopicPartition] | None = None
) -> Cosigning:
    """A witness as it starts, from its key and state."""
    key = load_key(folder / name, key_name(ORIGIN, name, mirror=readable is not None))
    return Cosigning(State(folder / name / STATE, str(key.key)), key, rules, readable, lambda: 1_700_000_000)


def read(one: Cosigning, records: Sequence[Record]) -> None:
    """Gives records to a witness, as its program does."""
    one.read(records, CHECKPOINT, TOPICS)


def cosigned(one: Cosigning) -> SignedNote:
    """The note that the witness would publish."""
    assert one.last is not None
    return one.last.whole


def heard(note: SignedNote, who: str, offset: int = 0) -> Record:
    """A record on a witness's topic."""
    return record(f"{who}.cosignature", offset, note.to_bytes())
