"""Holds the bus to its receipts: those that were kept, against the agency's own topics in Kafka."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from casebus_schemas.evidence.leaf import leaf, leaf_hash
from casebus_schemas.evidence.merkle import Frontier
from casebus_schemas.texts.sentence import Sentence
from casebus_schemas.wire.records import Record, TopicPartition

from ..config import KafkaLogin
from ..outbox.outbox import Outbox
from ..topic_reader import TopicReader

_KEPT = "SELECT DISTINCT log, idx, leaf, size, root FROM receipt WHERE stage = 'ledgered'"


@dataclass(slots=True)
class Said:
    """What kept receipts say of one log: leaves by index, roots by size."""

    leaves: dict[int, set[bytes]] = field(default_factory=dict)
    roots: dict[int, set[bytes]] = field(default_factory=dict)


@dataclass(slots=True)
class Verified:
    """How much was compared, and what does not agree."""

    leaves: int = 0
    roots: int = 0
    problems: list[tuple[str, Sentence]] = field(default_factory=list)


def verify_receipts(login: KafkaLogin, outbox: Outbox) -> Verified:
    """Recomputes each log that receipts were kept of, from its topic, which the agency may read.

    Each receipt's leaf must stand at its index and each root be that of the log at its size: so all roots are
    roots of one log that only grew. Raises RetryLater if the broker is away.
    """
    found = Verified()
    said = kept(outbox)
    if not said:
        return found
    with TopicReader(login, sorted({place.topic for place in said})) as reader:
        first, ends = reader.first(), reader.ends()
        logs = {place: LogCheck(place, one) for place, one in said.items()}
        for place in logs:
            if first.get(place, 0):
                gone = f"Kafka holds {place.topic}/{place.partition} only from offset {first[place]}"
                found.problems.append((_name(place), Sentence("主题开头已删除，无法复核", gone)))
        for record in reader.read_to(ends):
            if (log := logs.get(TopicPartition(record.topic, record.partition))) is not None:
                log.take(record)
    for place, log in sorted(logs.items()):
        if not first.get(place, 0):
            found.problems.extend((_name(place), problem) for problem in log.finish())
            found.leaves += len(said[place].leaves)
            found.roots += len(said[place].roots)
    return found


def kept(outbox: Outbox) -> dict[TopicPartition, Said]:
    """What the kept receipts say, by log."""
    found: dict[TopicPartition, Said] = {}
    with outbox.reading() as connection:
        for log, index, leaf_of, size, root in connection.execute(_KEPT):
            topic, _, partition = log.rpartition("/")
            said = found.setdefault(TopicPartition(topic, int(partition)), Said())
            said.leaves.setdefault(index, set()).add(bytes(leaf_of))
            said.roots.setdefault(size, set()).add(bytes(root))
    return found


class LogCheck:
    """Grows one log from its records and compares it where receipts say something of it."""

    def __init__(self, place: TopicPartition, said: Said) -> None:
        self._place = place
        self._said = said
        self._tree = Frontier()
        self._problems: list[Sentence] = []

    def take(self, record: Record) -> None:
        """The next record of the partition."""
        hashed = leaf_hash(leaf(record))
        index = self._tree.size
        if self._said.leaves.get(index, set()) - {hashed}:
            self._problems.append(
                Sentence(f"第 {index} 条与回执不符", f"entry {index} is another record than the receipt says")
            )
        self._tree.append(hashed)
        size = self._tree.size
        if (roots := self._said.roots.get(size)) and roots != {self._tree.root()}:
            self._problems.append(
                Sentence(f"大小 {size} 时根哈希与回执不符", f"at size {size} the log has another root")
            )

    def finish(self) -> Iterator[Sentence]:
        """What does not agree, at the end of the partition."""
        yield from self._problems
        sizes = [*self._said.roots, *(index + 1 for index in self._said.leaves)]
        if (beyond := max(sizes, default=0)) > self._tree.size:
            yield Sentence(
                f"回执称有 {beyond} 条，Kafka 只有 {self._tree.size} 条",
                f"receipts speak of {beyond} entries, Kafka holds {self._tree.size}",
            )


def _name(place: TopicPartition) -> str:
    return f"{place.topic}/{place.partition}"
