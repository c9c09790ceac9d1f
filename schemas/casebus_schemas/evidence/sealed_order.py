"""The order of records by the epochs that hold them: what a key's validity is decided by."""

from typing import Protocol

from casebus_schemas.wire.records import Record

from .key_entry import Standing


class SealedHeads(Protocol):
    """What the heads of epochs say of partitions; numbers of epochs from 1."""

    def first_with(self, topic: str, offset: int) -> int | None:
        """The first epoch that holds a record of partition 0 of a topic; None if none does."""

    def last_without(self, topic: str, offset: int) -> int | None:
        """The last epoch at whose sealing Kafka did not hold that record; None if none is known."""

    def end_offset(self, epoch: int, topic: str, partition: int) -> int | None:
        """Where Kafka's partition ended at an epoch's sealing, 0 if it had no record; None: not known."""


class SealedOrder:
    """Of a reader who has the heads of epochs. Nobody can date a record back behind one that is sealed.

    Before the epoch that holds a key's end, and behind it, the heads decide; between the two, a second as a
    rule, they do not know.
    """

    def __init__(self, heads: SealedHeads) -> None:
        self._heads = heads
        self._bounds: dict[tuple[Standing, str, int], tuple[int | None, int | None]] = {}

    def is_after(self, record: Record, end: Standing) -> bool | None:
        """Whether a record was appended after one of a key topic; None where its order is not known."""
        if record.topic == end.topic:
            return record.offset > end.offset
        known = end, record.topic, record.partition
        if known not in self._bounds:
            epochs = self._heads.last_without(*end[:2]), self._heads.first_with(*end[:2])
            before, after = (self._end(one, record.topic, record.partition) for one in epochs)
            self._bounds[known] = before, after
        before, after = self._bounds[known]
        if after is not None and record.offset >= after:
            return True
        return False if before is not None and record.offset < before else None

    def is_since(self, record: Record, epoch: int) -> bool | None:
        """Whether a record was appended after an epoch was sealed; None where that is not known."""
        end = self._heads.end_offset(epoch, record.topic, record.partition) if epoch > 0 else 0
        return None if end is None else record.offset >= end

    def _end(self, epoch: int | None, topic: str, partition: int) -> int | None:
        return None if epoch is None else self._heads.end_offset(epoch, topic, partition)
