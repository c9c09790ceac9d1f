"""Makes, from Kafka alone, the proof that an agency's own event is in the ledger: the bus need not help.

Read are the agency's own partition, every epoch on bus.checkpoint, and the witnesses' cosignatures. The proof
is the one that an auditor makes from the database (docs/records.md): `casebus ledger verify-proof` judges it.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from uuid import UUID

from casebus_schemas.agencies import WITNESSES
from casebus_schemas.catalogue.topology import CHECKPOINT, cosignature
from casebus_schemas.errors import UsageError
from casebus_schemas.evidence.checkpoint import Checkpoint
from casebus_schemas.evidence.epoch import EpochLeaf, EpochTree, LogHead, read_epoch_headers, with_changes
from casebus_schemas.evidence.event_proof import EventProof
from casebus_schemas.evidence.leaf import encode_headers, leaf, leaf_hash
from casebus_schemas.evidence.merkle import LeafHashes, inclusion_proof
from casebus_schemas.evidence.signed_note import NoteSignature, SignedNote
from casebus_schemas.evidence.submission import Submission
from casebus_schemas.wire.records import Record, TopicPartition

from ..config import KafkaLogin
from ..outbox.outbox import Outbox
from ..topic_reader import TopicReader

Suffices = Callable[[SignedNote], bool]
"""Whether a checkpoint with its cosignatures is good enough for a proof."""

_RECEIPT = """
SELECT r.log, r.idx FROM receipt r JOIN outbox o ON o.digest = r.digest
WHERE o.id = ? AND r.stage = 'ledgered' AND r.seq >= 0 ORDER BY r.seq DESC LIMIT 1
"""


def prove_sent(login: KafkaLogin, outbox: Outbox, event: UUID, suffices: Suffices) -> EventProof:
    """The proof of an own event, by the last receipt of the ledger on it.

    Raises UsageError if there is no such receipt, if Kafka no longer holds the agency's partition from its
    beginning, or if no checkpoint over the event is good enough yet; RetryLater if the broker is away.
    """
    with outbox.reading() as connection:
        found = connection.execute(_RECEIPT, (str(event),)).fetchone()
    if found is None:
        raise UsageError(
            f"no receipt of the ledger for event {event}",
            expected="an event that this agency sent and that was ledgered",
            remedy=f"casebus receipts --agency {outbox.agency} takes in what the bus has answered",
        )
    topic, _, partition = found[0].rpartition("/")
    place, index = TopicPartition(topic, int(partition)), found[1]
    topics = [topic, CHECKPOINT, *map(cosignature, WITNESSES)]
    with TopicReader(login, topics) as reader:
        if first := reader.first()[place]:
            raise UsageError(
                f"Kafka holds {topic}/{partition} only from offset {first}",
                expected="the whole partition",
                remedy="ask an auditor for `casebus ledger prove`",
            )
        ends = {at: end for at, end in reader.ends().items() if at.topic != topic or at == place}
        return proof_of(reader.read_to(ends), place, index, suffices)


def proof_of(records: Iterable[Record], place: TopicPartition, index: int, suffices: Suffices) -> EventProof:
    """The proof of the entry at an index of a partition's log, from the records of all the topics.

    Those of one topic come in order. Raises UsageError where they give none.
    """
    log, epochs, notes = _Log(place, index), _Epochs(place, index), _Notes()
    for record in records:
        if record.topic == place.topic:
            log.take(record)
        elif record.topic == CHECKPOINT:
            epochs.take(record, notes)
        else:
            notes.cosigned(record)
    if log.entry is None or epochs.first is None:
        raise UsageError(
            f"entry {index} of {place.topic}/{place.partition} is not sealed yet",
            found=f"{len(log.hashes)} records and {len(epochs.hashes)} epochs in Kafka",
            expected="an epoch over it",
            remedy="wait a second",
        )
    note = notes.newest(epochs.first.number, suffices)
    size = Checkpoint.parse(note.text).size
    head, tree = epochs.head, EpochTree(epochs.heads)
    return EventProof(
        leaf=leaf(log.entry),
        headers=encode_headers(log.entry.headers),
        index=index,
        path=tuple(inclusion_proof(index, head.size, LeafHashes(log.hashes[: head.size]))),
        head=head,
        head_index=tree.index(head.origin),
        head_path=tuple(tree.inclusion(head.origin)),
        epoch=epochs.first,
        epoch_path=tuple(inclusion_proof(epochs.first.number - 1, size, LeafHashes(epochs.hashes[:size]))),
        note=note,
    )


@dataclass
class _Log:
    place: TopicPartition
    index: int
    hashes: list[bytes] = field(default_factory=list)
    entry: Record | None = None

    def take(self, record: Record) -> None:
        if (record.topic, record.partition) == self.place:
            if len(self.hashes) == self.index:
                self.entry = record
            self.hashes.append(leaf_hash(leaf(record)))


class _Epochs:
    """All epochs in order; `first` is the one that held the entry first, `heads` are its heads."""

    def __init__(self, place: TopicPartition, index: int) -> None:
        self._name = f"/{place.topic}/{place.partition}/"
        self._index = index
        self.hashes: list[bytes] = []
        self.heads: list[LogHead] = []
        self.head: LogHead
        self.first: EpochLeaf | None = None

    def take(self, record: Record, notes: "_Notes") -> None:
        try:
            epoch, changed = read_epoch_headers(record.headers)
            note = Submission.parse(record.value or b"").note
        except ValueError:
            return  # what nobody signed says nothing
        if epoch.number != len(self.hashes) + 1:
            return  # a repeat
        self.hashes.append(epoch.hash())
        notes.published(note)
        if self.first is None:
            self.heads = with_changes(self.heads, changed)
            for head in changed:
                if self._name in head.origin and head.size > self._index:
                    self.head, self.first = head, epoch


class _Notes:
    """Checkpoints by size, with every line that a witness has put under them."""

    def __init__(self) -> None:
        self._notes: dict[int, SignedNote] = {}
        self._lines: dict[str, list[NoteSignature]] = {}

    def published(self, note: SignedNote) -> None:
        self._notes[Checkpoint.parse(note.text).size] = note

    def cosigned(self, record: Record) -> None:
        try:
            note = SignedNote.parse(record.value or b"")
        except ValueError:
            return
        self._lines.setdefault(note.text, []).extend(note.signatures)

    def newest(self, least: int, suffices: Suffices) -> SignedNote:
        for note in self._sufficient(least):
            if suffices(note):
                return note
        raise UsageError(
            "no checkpoint over the event is cosigned well enough",
            found=f"{sum(size >= least for size in self._notes)} checkpoints from epoch {least} on",
            expected="one that the policy accepts",
            remedy="wait for the witnesses",
        )

    def _sufficient(self, least: int) -> Iterator[SignedNote]:
        for size in sorted(self._notes, reverse=True):
            note = self._notes[size]
            if size >= least and note.text in self._lines:
                own = {str(line) for line in note.signatures}
                lines = {str(line): line for line in self._lines[note.text] if str(line) not in own}
                yield note.with_signatures(list(lines.values()))
