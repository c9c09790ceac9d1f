"""Tells requests that wait in an event loop what a thread has brought about."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import TypeVar

T = TypeVar("T")


class Bell:
    """Rung by any thread; whoever listens hears each ring that comes after he began to."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._heard: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()

    def ring(self) -> None:
        """Wakes all that listen."""
        with self._lock:
            heard = list(self._heard)
        for loop, event in heard:
            if not loop.is_closed():
                loop.call_soon_threadsafe(event.set)

    @contextmanager
    def listening(self) -> Iterator[asyncio.Event]:
        """An event of this loop that is set by each ring."""
        mine = (asyncio.get_running_loop(), asyncio.Event())
        with self._lock:
            self._heard.add(mine)
        try:
            yield mine[1]
        finally:
            with self._lock:
                self._heard.discard(mine)

    async def until(self, look: Callable[[], Awaitable[T]], timeout_s: float) -> T:
        """What `look` gives once that is true, looked at anew at each ring, or when time is up."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout_s
        with self.listening() as heard:
            while True:
                heard.clear()
                found = await look()
                left_s = deadline - loop.time()
                if found or left_s <= 0:
                    return found
                try:
                    await asyncio.wait_for(heard.wait(), left_s)
                except TimeoutError:
                    return await look()
