"""Which cases' personal data an officer may see for a while, since a reason was given."""

import time
from collections.abc import Callable

from .sessions import Session
from .store import DeskStore

OPEN_MS = 15 * 60_000
_OPEN = "SELECT 1 FROM unmasked WHERE token = ? AND chain = ? AND until_ms > ?"


class Unmasking:
    """Those of one desk. `clock` gives milliseconds since 1970."""

    def __init__(
        self, store: DeskStore, clock: Callable[[], int] = lambda: time.time_ns() // 1_000_000
    ) -> None:
        self._store = store
        self._clock = clock

    def open(self, session: Session, chain: str) -> None:
        """Shows them for a quarter of an hour, in this session."""
        row = (session.id, chain, self._clock() + OPEN_MS)
        with self._store.writing() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO unmasked (token, chain, until_ms) VALUES (?, ?, ?)", row
            )

    def is_open(self, session: Session, chain: str) -> bool:
        """Whether they are shown now."""
        with self._store.reading() as connection:
            return connection.execute(_OPEN, (session.id, chain, self._clock())).fetchone() is not None
