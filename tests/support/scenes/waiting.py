"""Waits in scenes of a whole bus: for a condition, within a time, never for a time alone."""

import json
import time
from collections.abc import Callable

from support.scenes.fault_stack import STREAM_SERVICES, FaultStack


def eventually(condition: Callable[[], bool], timeout_s: float) -> float:
    """Seconds until the condition holds. Raises AssertionError after `timeout_s`."""
    begun = time.monotonic()
    while not condition():
        assert time.monotonic() < begun + timeout_s, f"not within {timeout_s:g} s"
        time.sleep(0.05)
    return time.monotonic() - begun


def batch_since(
    stack: FaultStack, moment: float, names: tuple[str, ...] = STREAM_SERVICES
) -> Callable[[], bool]:
    """Whether each of these services has finished a batch after a moment."""

    def seen() -> bool:
        beats = [json.loads((stack.data / "services" / n / "heartbeat.json").read_text()) for n in names]
        return all((beat["last_batch_at"] or 0.0) > moment for beat in beats)

    return seen
