"""The bus's settable clock: real time, or what `clock.set` on `bus.command` says."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass


def real_now_ms() -> int:
    """Wall clock in milliseconds since 1970 UTC."""
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True)
class ClockSetting:
    """From real time `since_ms` on the bus's time is `time_ms` and runs `rate` times as fast."""

    time_ms: int
    since_ms: int
    rate: float

    def at(self, real_ms: int) -> int:
        """The bus's time at a real time, both in milliseconds since 1970 UTC."""
        return self.time_ms + int(max(0, real_ms - self.since_ms) * self.rate)


class BusClock:
    """Tells the bus's time. Thread-safe; without a setting it is the wall clock.

    A simulated clock follows the last `clock.set` command, counted from that record's Kafka time stamp, so
    that every service reads the same time. A clock that is not simulated refuses to be set.
    """

    def __init__(self, *, simulated: bool = False, real: Callable[[], int] = real_now_ms) -> None:
        self.simulated = simulated
        self._real = real
        self._setting: ClockSetting | None = None
        self._lock = threading.Lock()

    def set(self, setting: ClockSetting) -> bool:
        """Takes a setting; False (and no change) if this clock is not simulated."""
        if not self.simulated:
            return False
        with self._lock:
            self._setting = setting
        return True

    def now_ms(self) -> int:
        """The bus's time, milliseconds since 1970 UTC."""
        with self._lock:
            setting = self._setting
        real = self._real()
        return real if setting is None else setting.at(real)
