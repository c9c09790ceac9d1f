"""Pure arithmetic of the chunk transport: what may be committed, and how eagerly to fetch."""

from collections import deque
from collections.abc import Callable, Iterable
from typing import Protocol

from casebus_schemas.wire.records import TopicPartition


class Run(Protocol):
    """A fetched run of records of one partition that will be acknowledged as a whole."""

    next_offset: int
    acked: bool

    @property
    def size(self) -> int:
        """Its records."""


def speaker_of(topic: str) -> str:
    """Whose topic it is: its first word, an agency or `bus`."""
    return topic.partition(".")[0]


class FairShare:
    """How many more records of each speaker may be handed out: one that floods the bus waits for itself.

    Of one speaker at most `most` records are in flight, at most half of them in one run, so that while one
    half is worked on the other lies ready. What others say waits for no more than that.
    """

    def __init__(self, most: int | None, in_flight: Callable[[str], int]) -> None:
        self._most = most
        self._in_flight = in_flight
        self._taken: dict[str, int] = {}

    def begin(self) -> None:
        """A new round: what the last one gave is in flight by now."""
        self._taken.clear()

    def room(self, topic: str) -> int | None:
        """Records of this topic that may be taken now, None for any number."""
        if self._most is None:
            return None
        whose = speaker_of(topic)
        left = self._most - self._in_flight(whose) - self._taken.get(whose, 0)
        return max(0, min(left, self._most // 2))

    def took(self, topic: str, records: int) -> None:
        """So many were taken in this round."""
        whose = speaker_of(topic)
        self._taken[whose] = self._taken.get(whose, 0) + records


class HeadOfLine:
    """Which offset of each partition may be committed.

    Runs are `issued` in offset order and acknowledged in any order; the committable offset moves only over
    acknowledged runs from the head of their partition, so that it never passes work in flight.
    """

    def __init__(self) -> None:
        self._issued: dict[TopicPartition, deque[Run]] = {}
        self._committable: dict[TopicPartition, int] = {}
        self._in_flight: dict[str, int] = {}

    def issue(self, partition: TopicPartition, run: Run) -> None:
        """The run was handed out and is now in flight."""
        self._issued.setdefault(partition, deque()).append(run)
        whose = speaker_of(partition.topic)
        self._in_flight[whose] = self._in_flight.get(whose, 0) + run.size

    def in_flight(self, whose: str) -> int:
        """Records of this speaker's topics that were handed out and are not acknowledged."""
        return self._in_flight.get(whose, 0)

    def settle(self, partition: TopicPartition) -> None:
        """Move over the acknowledged runs at the head of this partition."""
        runs = self._issued.get(partition)
        while runs and runs[0].acked:
            run = runs.popleft()
            self._in_flight[speaker_of(partition.topic)] -= run.size
            self._committable[partition] = run.next_offset

    def committable(self, partition: TopicPartition) -> int | None:
        """The offset that may be committed, None where nothing was acknowledged since the last seek."""
        return self._committable.get(partition)

    def partitions(self) -> list[TopicPartition]:
        """Partitions that have a committable offset."""
        return list(self._committable)

    def restart(self, positions: Iterable[tuple[TopicPartition, int | None]]) -> None:
        """After a seek: forget what is in flight; a position known to be durable is committable at once."""
        for partition, durable in positions:
            for run in self._issued.pop(partition, ()):
                self._in_flight[speaker_of(partition.topic)] -= run.size
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
