"""Work without the interpreter's lock (signing, checking signatures) on two threads at once."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

_T = TypeVar("_T")
_R = TypeVar("_R")

WORTH_SHARING = 100
"""Items from which on the second thread gains more than the hand-over costs (docs/performance.md)."""


class Halves:
    """Maps a function over items: the first half in the caller's thread, the second beside it."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="signatures")

    def map(self, function: Callable[[_T], _R], items: Sequence[_T]) -> list[_R]:
        """Results in the order of the items; an exception of the function is raised here."""
        if len(items) < WORTH_SHARING:
            return [function(item) for item in items]
        middle = len(items) // 2
        second = self._pool.submit(_each, function, items[middle:])
        return [*_each(function, items[:middle]), *second.result()]


def _each(function: Callable[[_T], _R], items: Sequence[_T]) -> list[_R]:
    return [function(item) for item in items]
