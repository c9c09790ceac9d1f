"""Pure arithmetic of the chunk transport: what may be committed, and how eagerly to fetch."""

from collections import deque
from collections.abc import Iterable
from typing import Protocol

from casebus_schemas.wire.records import TopicPartition


class Run(Protocol):
    """A fetched run of records of one partition that will be acknowledged as a whole."""

    next_offset: int
    acked: bool


class HeadOfLine:
    """Which offset of each partition may be committed.

    Runs are `issued` in offset order and acknowledged in any order; the committable offset moves only over
    acknowledged runs from the head of their partition, so that it never passes work in flight.
    """

    def __init__(self) -> None:
        self._issued: dict[TopicPartition, deque[Run]] = {}
        self._committable: dict[TopicPartition, int] = {}

    def issue(self, partition: TopicPartition, run: Run) -> None:
        """The run was handed out and is now in flight."""
        self._issued.setdefault(partition, deque()).append(run)

    def settle(self, partition: TopicPartition) -> None:
        """Move over the acknowledged runs at the head of this partition."""
        runs = self._issued.get(partition)
        while runs and runs[0].acked:
            self._committable[partition] = runs.popleft().next_offset

    def committable(self, partition: TopicPartition) -> int | None:
        """The offset that may be committed, None where nothing was acknowledged since the last seek."""
        return self._committable.get(partition)

    def partitions(self) -> list[TopicPartition]:
        """Partitions that have a committable offset."""
        return list(self._committable)

    def restart(self, positions: Iterable[tuple[TopicPartition, int | None]]) -> None:
        """After a seek: forget what is in flight; a position known to be durable is committable at once."""
        for partition, durable in positions:
            self._issued.pop(partition, None)
            self._committable.pop(partition, None)
            if durable is not None:
                self._committable[partition] = durable

    def forget(self, partitions: Iterable[TopicPartition]) -> None:
        """These partitions belong to somebody else now."""
        self.restart((partition, None) for partition in partitions)


class FetchPace:
    """How eagerly to ask the broker: (bytes to wait for, milliseconds to wait for them).

    Idle, a fetch is answered with the first byte or after 500 ms: no delay, few polls. Under load, it waits
    up to 20 ms for 16 KiB: at 1,000 records/s a third of the processor time of one fetch a record. `BUSY`
    answers with records within `WINDOW_S` are load; an empty answer or a longer pause is idle.
    """

    WINDOW_S = 0.1
    BUSY = 4

    def __init__(self, idle: tuple[int, int] = (1, 500), busy: tuple[int, int] = (16 * 1024, 20)) -> None:
        self._idle = idle
        self._busy = busy
        self._answers: deque[float] = deque(maxlen=self.BUSY)
        self._loaded = False

    def answered(self, records: int, now_s: float) -> tuple[int, int]:
        """Take note of an answer with so many records; gives the pace of the next fetch."""
        if not records:
            self._answers.clear()
            self._loaded = False
            return self._idle
        recent = bool(self._answers) and now_s - self._answers[-1] <= self.WINDOW_S
        self._answers.append(now_s)
        burst = len(self._answers) == self.BUSY and now_s - self._answers[0] <= self.WINDOW_S
        # Load lasts until a pause: once slowed to 20 ms a fetch, answers are too rare to count as a burst.
        self._loaded = burst or (self._loaded and recent)
        return self._busy if self._loaded else self._idle
