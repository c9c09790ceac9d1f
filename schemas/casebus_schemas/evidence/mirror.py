"""What a mirror checks before it cosigns: every epoch's leaf and heads, and the logs that it reads itself.

A witness asks that the head log only grows. A mirror computes that log from the epochs, sees that no
partition's log shrinks or changes within its size, and computes the roots of those partitions that it may
read from Kafka's own records. No I/O: records and epochs are given to it in order.
"""

from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from casebus_schemas.wire.records import TopicPartition

from .checkpoint import Checkpoint
from .epoch import EpochLeaf, EpochTree, LogHead
from .merkle import Frontier

SLACK_MS = 30_000
"""How far Kafka's clock and the sealer's may differ before a record counts as hidden from an epoch."""
UNNAMED_MS = 600_000
"""How long the ledger may take to begin a partition's log."""


class Read(NamedTuple):
    """A record as the mirror has read it: where, Kafka's own time in ms since 1970 UTC, and its leaf hash."""

    offset: int
    timestamp_ms: int
    leaf_hash: bytes


class Awaited(NamedTuple):
    """Records that an epoch names and that Kafka has not shown yet."""

    place: TopicPartition
    have: int
    want: int


class Judged(NamedTuple):
    """What a mirror found in an epoch.

    `unproven`: leaf or heads are not those that the checkpoint stands for; nothing was taken in, as nobody
    signs them. `contradictions` are the log's own: nothing later can be judged against what was false.
    `silences` keep it from cosigning this epoch; a later one may say what this one did not.
    """

    unproven: str | None = None
    contradictions: tuple[str, ...] = ()
    silences: tuple[str, ...] = ()


class LogCopy:
    """One partition as the mirror knows it: the tree up to the last epoch, and what was read since."""

    __slots__ = ("frontier", "next_offset", "waiting")

    def __init__(self, frontier: Frontier | None = None, next_offset: int = 0) -> None:
        self.frontier = frontier or Frontier()
        self.next_offset = next_offset
        self.waiting: deque[Read] = deque()

    def problem(self, head: LogHead) -> str | None:
        """Moves the copy to where an epoch cuts the log; says in what it differs from what the epoch says.

        To be called with as many records as the head names, at least.
        """
        last = self.next_offset - 1
        while self.waiting and self.frontier.size < head.size:
            record = self.waiting.popleft()
            self.frontier.append(record.leaf_hash)
            last = record.offset
        if self.frontier.size != head.size:
            return f"size {head.size}, Kafka had {self.frontier.size} before"
        if self.frontier.root() != head.root:
            return (
                f"root {head.root.hex()} at size {head.size}, of Kafka's records {self.frontier.root().hex()}"
            )
        if last >= head.next_offset or (self.waiting and self.waiting[0].offset < head.next_offset):
            return f"next offset {head.next_offset} after {head.size} records, which end at {last}"
        self.next_offset = head.next_offset
        return None

    def hidden(self, end_offset: int, before_ms: int) -> Read | None:
        """The first record from `end_offset` on, if Kafka had it before that time."""
        found = next((one for one in self.waiting if one.offset >= end_offset), None)
        return found if found is not None and found.timestamp_ms < before_ms else None


class Mirror:
    """Follows the epochs of one ledger in order, with copies of the logs that may be read.

    `epochs` is the head log over the epochs so far, `heads` those of the last one, `logs` the copies, which
    stand where that epoch cut them.
    """

    def __init__(
        self,
        ledger: str,
        readable: Collection[TopicPartition],
        epochs: Frontier | None = None,
        heads: Iterable[LogHead] = (),
        logs: Mapping[TopicPartition, LogCopy] | None = None,
    ) -> None:
        self.ledger = ledger
        self.epochs = epochs or Frontier()
        self.heads: Sequence[LogHead] = tuple(heads)
        self.logs = {place: LogCopy() for place in readable} | dict(logs or {})

    def add(self, place: TopicPartition, records: Iterable[Read]) -> None:
        """Records of a readable partition, each once and in order."""
        self.logs[place].waiting.extend(records)

    def awaited(self, changed: Iterable[LogHead]) -> list[Awaited]:
        """Which records must be read before the next epoch can be judged."""
        found = []
        for head in changed:
            place = self.place_of(head)
            copy = None if place is None else self.logs.get(place)
            if place is not None and copy is not None:
                have = copy.frontier.size + len(copy.waiting)
                if have < head.size:
                    found.append(Awaited(place, have, head.size))
        return found

    def judge(self, leaf: EpochLeaf, changed: Sequence[LogHead], checkpoint: Checkpoint) -> Judged:
        """Takes the next epoch in; says what in it contradicts the epochs before, or Kafka's records."""
        epochs = self.epochs.copy()
        epochs.append(leaf.hash())
        if (checkpoint.size, checkpoint.root) != (epochs.size, epochs.root()):
            return Judged(
                f"checkpoint of size {checkpoint.size} with root {checkpoint.root.hex()}; its epoch, "
                f"after those followed, gives size {epochs.size} and {epochs.root().hex()}"
            )
        heads = {head.origin: head for head in self.heads}
        before = heads | {}
        heads |= {head.origin: head for head in changed}
        try:
            tree = EpochTree(heads.values())
        except ValueError as error:
            return Judged(f"epoch {leaf.number}: {error}")
        if (leaf.head_count, leaf.heads_root) != (len(tree.heads), tree.root):
            return Judged(
                f"epoch {leaf.number} of {leaf.head_count} heads with root {leaf.heads_root.hex()}, "
                f"its heads are {len(tree.heads)} with root {tree.root.hex()}"
            )
        found = [problem for head in changed for problem in self._of(head, before.get(head.origin))]
        if leaf.number != epochs.size or leaf.previous_root != self.epochs.root():
            found.append(f"epoch {leaf.number} over {leaf.previous_root.hex()}, expected {epochs.size}")
        self.epochs, self.heads = epochs, tree.heads
        return Judged(None, tuple(found), tuple(self._silences(leaf)))

    def place_of(self, head: LogHead) -> TopicPartition | None:
        """Topic and partition of a head's log; None for a log of no partition of this ledger."""
        prefix, name = self.ledger + "/", head.origin
        parts = name.removeprefix(prefix).rsplit("/", 2)
        if not name.startswith(prefix) or len(parts) != 3 or not parts[1].isdecimal():
            return None
        return TopicPartition(parts[0], int(parts[1]))

    def _of(self, head: LogHead, before: LogHead | None) -> Iterator[str]:
        if before is not None:
            if head.size < before.size or head.next_offset < before.next_offset:
                yield (
                    f"{head.origin}: size {head.size}, next {head.next_offset} after {before.size}, "
                    f"{before.next_offset}"
                )
                return
            if before.size == head.size and before.root != head.root:
                yield f"{head.origin}: root {head.root.hex()} of size {head.size}, was {before.root.hex()}"
        place = self.place_of(head)
        if place is None:
            yield f"{head.origin}: expected {self.ledger}/TOPIC/PARTITION/GENERATION"
        elif place in self.logs:
            problem = self.logs[place].problem(head)
            if problem is not None:
                yield f"{head.origin}: {problem}"

    def _silences(self, leaf: EpochLeaf) -> Iterator[str]:
        """Records that Kafka held long before the epoch, and that it does not know of."""
        ends = {self.place_of(head): head.end_offset for head in self.heads}
        for place, copy in self.logs.items():
            end, slack_ms = ends.get(place, 0), SLACK_MS if place in ends else UNNAMED_MS
            record = copy.hidden(end, leaf.sealed_at_ms - slack_ms)
            if record is not None:
                yield (
                    f"{place.topic}/{place.partition}: ends at {end} in epoch {leaf.number}, sealed at "
                    f"{leaf.sealed_at_ms} ms, but Kafka had {record.offset} at {record.timestamp_ms} ms"
                )
