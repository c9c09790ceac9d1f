"""Laps of processor time: right to within what may stay unread, whatever else the machine does."""

import pytest

from casebus_services.reconciler import processor_time
from casebus_services.reconciler.processor_time import UNREAD_S, ProcessorTime


class Clocks:
    """The time that passes, and of it what the thread's processor takes."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.passed = self.taken = 0.0
        self.reads = 0
        monkeypatch.setattr(processor_time, "perf_counter", lambda: self.passed)
        monkeypatch.setattr(processor_time, "thread_time", self._read)

    def _read(self) -> float:
        self.reads += 1
        return self.taken

    def step(self, passed: float, taken: float) -> None:
        """Lets time pass."""
        self.passed += passed
        self.taken += taken


@pytest.fixture
def clocks(monkeypatch: pytest.MonkeyPatch) -> Clocks:
    return Clocks(monkeypatch)


def test_a_long_lap_counts_what_the_processor_took(clocks: Clocks) -> None:
    """Of a second that passed while others worked only the thread's own part counts."""
    time = ProcessorTime()
    clocks.step(1.0, 0.2)
    assert time.lap() == pytest.approx(0.2)
    clocks.step(2.0, 2.0)
    assert time.lap() == pytest.approx(2.0)


def test_short_laps_are_not_read(clocks: Clocks) -> None:
    """A thousand laps of a fiftieth of a millisecond ask the system a few times, and none is lost."""
    time = ProcessorTime()
    found = 0.0
    for _ in range(1000):
        clocks.step(0.00002, 0.00002)
        found += time.lap()
    assert found == pytest.approx(0.02)
    assert clocks.reads < 10


def test_what_stays_unread_is_little(clocks: Clocks) -> None:
    """A long lap behind short ones in which the thread waited is counted but for what those were counted."""
    time = ProcessorTime()
    for _ in range(4):
        clocks.step(0.001, 0.0)
        assert time.lap() == pytest.approx(0.001)
    clocks.step(1.0, 1.0)
    assert 1.0 - UNREAD_S <= time.lap() <= 1.0
