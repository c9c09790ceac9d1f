"""How long a worker waits for a database or a broker that is away before its process ends."""

from collections.abc import Callable
from typing import TypeVar

import stamina

from casebus_schemas.errors import RetryLater, StopService

PATIENCE_S = 60.0
"""How long a batch waits before the process gives up and is started again."""
ASSIGNMENT_PATIENCE_S = 10.0
"""The same at an assignment, which the stream worker bounds by 15 s."""

_T = TypeVar("_T")


def patiently(work: Callable[[], _T], patience_s: float) -> _T:
    """Tries again while it is RetryLater, with growing pauses, up to a bound; then raises it."""
    for attempt in stamina.retry_context(
        on=RetryLater, attempts=None, timeout=patience_s, wait_initial=0.1, wait_max=2.0, wait_jitter=0.2
    ):
        with attempt:
            return work()
    raise StopService("unreachable: retry_context ends by returning or raising")  # for the type checker
