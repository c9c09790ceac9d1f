"""What may be committed, and how eagerly to fetch."""

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from casebus_schemas.wire.records import TopicPartition
from casebus_services.streams.runs import FairShare, FetchPace, HeadOfLine

HERE = TopicPartition("csrc.referral", 1)
THERE = TopicPartition("csrc.referral", 2)


@dataclass
class FakeRun:
    """A run of records up to `next_offset`."""

    next_offset: int
    acked: bool = False
    size: int = 1


def issued(line: HeadOfLine, *next_offsets: int, partition: TopicPartition = HERE) -> list[FakeRun]:
    """Runs handed out in this order."""
    runs = [FakeRun(offset) for offset in next_offsets]
    for run in runs:
        line.issue(partition, run)
    return runs


def acknowledge(line: HeadOfLine, run: FakeRun, partition: TopicPartition = HERE) -> None:
    """As the transport does it."""
    run.acked = True
    line.settle(partition)


def test_nothing_is_committable_before_an_acknowledgement() -> None:
    """A run in flight does not move the committable offset."""
    line = HeadOfLine()
    issued(line, 10)
    assert (line.committable(HERE), line.partitions()) == (None, [])


def test_moves_over_acknowledged_runs_from_the_head() -> None:
    """Acknowledged out of order, the committable offset waits for the head, then jumps over all."""
    line = HeadOfLine()
    first, second, third = issued(line, 10, 25, 30)
    acknowledge(line, third)
    before = line.committable(HERE)
    acknowledge(line, first)
    between = line.committable(HERE)
    acknowledge(line, second)
    assert (before, between, line.committable(HERE)) == (None, 10, 30)


def test_partitions_are_independent() -> None:
    """A stuck partition does not hold back another."""
    line = HeadOfLine()
    issued(line, 10)
    (other,) = issued(line, 7, partition=THERE)
    acknowledge(line, other, THERE)
    assert (line.partitions(), line.committable(THERE)) == ([THERE], 7)


def test_seek_back_forgets_what_was_committable() -> None:
    """After a seek to an older offset nothing is committable until the runs from there are acknowledged."""
    line = HeadOfLine()
    run, _ = issued(line, 10, 20)
    acknowledge(line, run)
    line.restart([(HERE, None)])
    after_seek = line.committable(HERE)
    (again,) = issued(line, 5)
    acknowledge(line, again)
    assert (after_seek, line.committable(HERE)) == (None, 5)


def test_seek_to_a_durable_offset_is_committable_at_once() -> None:
    """A position that is known to be durable may be committed without any acknowledgement."""
    line = HeadOfLine()
    line.restart([(HERE, 42)])
    assert line.committable(HERE) == 42


def test_revoked_partition_is_forgotten() -> None:
    """Of a partition that was taken away nothing is committed any more."""
    line = HeadOfLine()
    (run,) = issued(line, 10)
    acknowledge(line, run)
    line.forget([HERE])
    assert line.partitions() == []


@given(st.lists(st.integers(1, 50), min_size=1, max_size=20), st.randoms())
def test_never_passes_work_in_flight(sizes: list[int], random: object) -> None:
    """In any order of acknowledgement, what is committable ends where the first unacknowledged run begins."""
    line = HeadOfLine()
    ends = [sum(sizes[: index + 1]) for index in range(len(sizes))]
    runs = issued(line, *ends)
    order = list(range(len(runs)))
    random.shuffle(order)  # type: ignore[attr-defined]  # hypothesis' Random
    for index in order:
        acknowledge(line, runs[index])
        unacknowledged = [position for position, run in enumerate(runs) if not run.acked]
        head = unacknowledged[0] if unacknowledged else len(runs)
        assert (ends[head - 1] if head else None) == line.committable(HERE)


def test_a_lonely_record_is_fetched_at_once() -> None:
    """Records now and then are waited for byte by byte, however long the silence was."""
    pace = FetchPace()
    assert [pace.answered(1, now) for now in (0.0, 0.5, 1.0, 60.0, 60.2)] == [(1, 500)] * 5


def test_a_burst_is_gathered_and_silence_ends_it() -> None:
    """Many answers in a short time make the fetches wait for more; the first empty one ends that."""
    pace = FetchPace()
    burst = [pace.answered(1, number * 0.01) for number in range(5)]
    steady = pace.answered(20, 0.07)
    silence = pace.answered(0, 1.0)
    assert (burst[-1], steady, silence) == ((16384, 20), (16384, 20), (1, 500))


def test_a9_one_speaker_has_a_bounded_share() -> None:
    """Records in flight of all topics of a speaker take its room, acknowledgements and seeks give it back."""
    line = HeadOfLine()
    share = FairShare(100, line.in_flight)
    clue = TopicPartition("csrc.clue", 0)
    runs = [FakeRun(40, size=40), FakeRun(80, size=40)]
    line.issue(HERE, runs[0])
    line.issue(clue, runs[1])
    assert (share.room("csrc.referral"), share.room("mps.progress")) == (20, 50)
    share.took("csrc.clue", 15)
    assert share.room("csrc.referral") == 5
    share.begin()
    acknowledge(line, runs[0])
    assert share.room("csrc.referral") == 50
    line.restart([(clue, None)])
    assert (line.in_flight("csrc"), share.room("csrc.clue")) == (0, 50)
    assert FairShare(None, line.in_flight).room("csrc.clue") is None


def test_a9_a_speaker_over_its_share_has_no_room() -> None:
    """Whatever is in flight, the room never falls below none."""
    line = HeadOfLine()
    line.issue(HERE, FakeRun(500, size=500))
    assert FairShare(100, line.in_flight).room("csrc.clue") == 0
