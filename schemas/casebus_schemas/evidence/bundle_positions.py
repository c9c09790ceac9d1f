"""The epochs that a bundle shows besides its own: where records stood when keys ended."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from .checkpoint import Checkpoint
from .epoch import EpochLeaf, EpochTree, LogHead
from .merkle import verify_inclusion


class Position(NamedTuple):
    """An epoch's leaf, its whole tree of heads, and its path to the bundle's checkpoint."""

    leaf: bytes
    heads: Sequence[LogHead]
    path: Sequence[bytes]

    def checked(self, number: int, checkpoint: Checkpoint) -> Sequence[LogHead]:
        """The heads, if they are those of that epoch under the checkpoint. Raises ValueError."""
        epoch = EpochLeaf.parse(self.leaf)
        tree = EpochTree(self.heads)
        if epoch.number != number or not verify_inclusion(
            epoch.hash(), number - 1, checkpoint.size, self.path, checkpoint.root
        ):
            raise ValueError(f"epoch {number} is not in the checkpoint")
        if (len(tree.heads), tree.root) != (epoch.head_count, epoch.heads_root):
            raise ValueError(f"the heads are not those of epoch {number}")
        return tree.heads


class ShownHeads:
    """What the epochs of a bundle say of partitions: the answers of `SealedHeads`, as far as they are shown.

    Whoever makes a bundle chooses which epochs it shows. So the first one with a record is known only where
    the one before it is shown, too.
    """

    def __init__(self, epochs: Mapping[int, Sequence[LogHead]], origin: str) -> None:
        self._epochs = {
            number: {_place(head.origin.removeprefix(f"{origin}/")): head for head in heads}
            for number, heads in epochs.items()
        }

    def first_with(self, topic: str, offset: int) -> int | None:
        """The first epoch that holds a record of partition 0 of a topic; None if that is not shown."""
        held = {
            number: topic_heads is not None and topic_heads.next_offset > offset
            for number, heads in self._epochs.items()
            for topic_heads in (heads.get((topic, "0")),)
        }
        for number in sorted(held):
            if held[number] and (number == 1 or held.get(number - 1) is False):
                return number
        return None

    def last_without(self, topic: str, offset: int) -> int | None:
        """The last epoch that is shown at whose sealing Kafka did not hold that record."""
        found = None
        for number in sorted(self._epochs):
            head = self._epochs[number].get((topic, "0"))
            if head is None or head.end_offset <= offset:
                found = number
        return found

    def end_offset(self, epoch: int, topic: str, partition: int) -> int | None:
        """Where Kafka's partition ended at an epoch's sealing, 0 if it had no record; None: not shown."""
        heads = self._epochs.get(epoch)
        if heads is None:
            return None
        head = heads.get((topic, str(partition)))
        return 0 if head is None else head.end_offset


def _place(name: str) -> tuple[str, str]:
    topic, _, rest = name.partition("/")
    return topic, rest.partition("/")[0]
