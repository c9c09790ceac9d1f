"""How often somebody may try to sign in: failures are counted by name and by address, and kept."""

import time
from collections.abc import Callable, Sequence
from hashlib import sha256

from .store import DeskStore

WINDOW_MS = 15 * 60_000
OF_A_NAME, OF_AN_ADDRESS = 8, 60
"""Failures within the window after which one has to wait."""


class Attempts:
    """Those of one desk. `clock` gives milliseconds since 1970."""

    def __init__(
        self, store: DeskStore, clock: Callable[[], int] = lambda: time.time_ns() // 1_000_000
    ) -> None:
        self._store = store
        self._clock = clock

    def wait_s(self, name: str, address: str) -> int:
        """0 if one may try, else in how many seconds."""
        now = self._clock()
        with self._store.reading() as connection:
            waits = [0]
            for about, most in zip(_about(name, address), (OF_A_NAME, OF_AN_ADDRESS), strict=True):
                rows = connection.execute(
                    "SELECT at_ms FROM failed WHERE about = ? AND at_ms > ? ORDER BY at_ms DESC LIMIT ?",
                    (about, now - WINDOW_MS, most),
                ).fetchall()
                if len(rows) == most:
                    waits.append((rows[-1][0] + WINDOW_MS - now + 999) // 1000)
        return max(waits)

    def failed(self, name: str, address: str) -> None:
        """Counts a failure."""
        now = self._clock()
        with self._store.writing() as connection:
            connection.execute("DELETE FROM failed WHERE at_ms < ?", (now - WINDOW_MS,))
            connection.executemany(
                "INSERT INTO failed (about, at_ms) VALUES (?, ?)",
                [(one, now) for one in _about(name, address)],
            )

    def succeeded(self, name: str) -> None:
        """Forgets the failures of a name, not those of an address."""
        with self._store.writing() as connection:
            connection.execute("DELETE FROM failed WHERE about = ?", (_about(name, "")[0],))


def _about(name: str, address: str) -> Sequence[str]:
    # A name may be as long as a form, and be somebody's password by mistake.
    return f"name {sha256(name.encode()).hexdigest()[:32]}", f"address {address[:64]}"
