"""How often a client may call: a bucket of tokens that fills at a steady rate."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float


class Rates:
    """`burst` calls at once and `per_s` a second for each client. Used by one thread."""

    def __init__(self, per_s: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_s = per_s
        self._burst = burst
        self._clock = clock
        self._buckets: dict[str, _Bucket] = {}

    def wait_s(self, client: str) -> int:
        """0 if the call may go on, and it is counted; else after how many whole seconds one may."""
        now = self._clock()
        bucket = self._buckets.setdefault(client, _Bucket(float(self._burst), now))
        bucket.tokens = min(float(self._burst), bucket.tokens + (now - bucket.at) * self._per_s)
        bucket.at = now
        if bucket.tokens >= 1:
            bucket.tokens -= 1
            return 0
        return max(1, math.ceil((1 - bucket.tokens) / self._per_s))
