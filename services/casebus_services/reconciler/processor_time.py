"""Processor time that steps of this thread take, seldom asked of the system: that costs as much as a rule."""

from time import perf_counter, thread_time

UNREAD_S = 0.005
"""So much time may pass between two looks at the thread's own clock: nothing took more of the processor."""


class ProcessorTime:
    """Laps of one thread, one after another."""

    def __init__(self) -> None:
        self._at = perf_counter()
        self._read = thread_time()
        self._unread = 0.0

    def lap(self) -> float:
        """Seconds since the last lap: of a short one those that passed, of a longer its processor time."""
        now = perf_counter()
        passed, self._at = now - self._at, now
        if self._unread + passed < UNREAD_S:
            self._unread += passed
            return passed
        read = thread_time()
        taken = max(read - self._read - self._unread, 0.0)
        self._read, self._unread = read, 0.0
        return min(taken, passed)
