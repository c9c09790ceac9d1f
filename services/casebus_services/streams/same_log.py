"""Whether a position kept outside Kafka belongs to the log that Kafka holds: else it is not trusted."""

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from casebus_schemas.errors import Divergence, StopService
from casebus_schemas.wire.records import Record, TopicPartition

WAY_ON = "docs/how-to/put-kafka-back.md says how to go on; until then everything stays as it is"


class Known(NamedTuple):
    """A record that was read: its offset, and whether another record is the same."""

    offset: int
    is_it: Callable[[Record], bool]


class Held(NamedTuple):
    """What Kafka holds of a partition: its end, and the record at an offset (None: it is gone)."""

    end: int
    record: Record | None


NextOffsets = Callable[[Iterable[TopicPartition]], dict[TopicPartition, int]]
Last = Callable[[Iterable[TopicPartition]], Mapping[TopicPartition, Known]]
Ask = Callable[[Mapping[TopicPartition, int]], Mapping[TopicPartition, Held]]


class SameLog:
    """`next_offsets` of a service that keeps its positions in SQL, each looked at before it is trusted.

    `last` gives of each partition a late record that the database was made from. Raises StopService if Kafka
    ends before a position, Divergence if it holds another record there.
    """

    def __init__(self, next_offsets: NextOffsets, last: Last, ask: Ask) -> None:
        self._next_offsets = next_offsets
        self._last = last
        self._ask = ask

    def next_offsets(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        """Where to go on, as the database says."""
        offsets = self._next_offsets(partitions)
        begun = {place: offset for place, offset in offsets.items() if offset > 0}
        if not begun:
            return offsets
        known = self._last(begun)
        held = self._ask(
            {place: known[place].offset if place in known else offset for place, offset in begun.items()}
        )
        for place, offset in sorted(begun.items()):
            check_end(place, offset, held[place].end)
            record = held[place].record
            if place in known and record is not None and not known[place].is_it(record):
                raise Divergence(
                    "Kafka holds another log than the one that was read: an older copy was put back",
                    found="another record",
                    expected="the record that the database was made from",
                    remedy=WAY_ON,
                    topic=place.topic,
                    partition=place.partition,
                    offset=known[place].offset,
                )
        return offsets


def check_end(place: TopicPartition, next_offset: int, end: int) -> None:
    """Raises StopService if Kafka ends before a position up to which everything was read."""
    if end < next_offset:
        raise StopService(
            "Kafka is shorter than what was read of it: an older copy was put back",
            found=f"its end at offset {end}",
            expected=f"at least {next_offset}",
            remedy=WAY_ON,
            topic=place.topic,
            partition=place.partition,
            offset=end,
        )
