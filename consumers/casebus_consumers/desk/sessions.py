"""Sessions of a desk, kept by the server: a browser holds a random token, the database its SHA-256."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

from .officers import Officer
from .rights import read_role
from .store import DeskStore

IDLE_MS = 30 * 60_000
"""Without a request a session ends after so long."""
LONGEST_MS = 12 * 3_600_000
"""However busy, it ends after a working day."""
_NOTE_MS = 60_000
"""How often the last request is noted."""
_OF_TOKEN = """
SELECT o.name, o.shown, o.unit, o.role, s.csrf, s.begun_ms, s.seen_ms
FROM session s JOIN officer o ON o.name = s.officer WHERE s.token = ?
"""


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in officer; `csrf` stands in every form, `id` is the hash of the token."""

    id: bytes
    officer: Officer
    csrf: str


class Sessions:
    """Those of one desk. `clock` gives milliseconds since 1970."""

    def __init__(
        self, store: DeskStore, clock: Callable[[], int] = lambda: time.time_ns() // 1_000_000
    ) -> None:
        self._store = store
        self._clock = clock

    def begin(self, officer: Officer, earlier: str | None = None) -> str:
        """Begins a session under a fresh token and gives the token; ends that of `earlier`, if any."""
        token, now = secrets.token_urlsafe(32), self._clock()
        row = (_hashed(token), officer.name, secrets.token_urlsafe(32), now, now)
        with self._store.writing() as connection:
            if earlier is not None:
                connection.execute("DELETE FROM session WHERE token = ?", (_hashed(earlier),))
            gone = (now - IDLE_MS - _NOTE_MS, now - LONGEST_MS)
            connection.execute("DELETE FROM session WHERE seen_ms < ? OR begun_ms < ?", gone)
            connection.execute("INSERT INTO session VALUES (?, ?, ?, ?, ?)", row)
        return token

    def of(self, token: str, *, still_there: bool = True) -> Session | None:
        """The session of a token, None if there is none or it has ended. With `still_there` it is used."""
        id, now = _hashed(token), self._clock()
        with self._store.reading() as connection:
            row = connection.execute(_OF_TOKEN, (id,)).fetchone()
        if row is None or now - row[5] > LONGEST_MS or now - row[6] > IDLE_MS + _NOTE_MS:
            return None
        if still_there and now - row[6] > _NOTE_MS:
            with self._store.writing() as connection:
                connection.execute("UPDATE session SET seen_ms = ? WHERE token = ?", (now, id))
        return Session(id, Officer(row[0], row[1], row[2], read_role(row[3])), row[4])

    def end(self, session: Session) -> None:
        """Ends a session."""
        with self._store.writing() as connection:
            connection.execute("DELETE FROM session WHERE token = ?", (session.id,))


def _hashed(token: str) -> bytes:
    return sha256(token.encode()).digest()
