"""Sign-ins that were begun at the identity provider, each for one browser and one return."""

import hmac
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

from .store import DeskStore

LONGEST_MS = 10 * 60_000
"""So long somebody may take at the provider."""


@dataclass(frozen=True, slots=True)
class Started:
    """One of them: what is sent along, and where the officer wanted to go. `browser` goes into a cookie."""

    state: str
    browser: str
    nonce: str
    verifier: str
    to: str


class StartedSignIns:
    """Those of one desk. `clock` gives milliseconds since 1970."""

    def __init__(
        self, store: DeskStore, clock: Callable[[], int] = lambda: time.time_ns() // 1_000_000
    ) -> None:
        self._store = store
        self._clock = clock

    def begin(self, to: str) -> Started:
        """Remembers a new one."""
        state, browser, nonce = (secrets.token_urlsafe(32) for _ in range(3))
        fresh = Started(state, browser, nonce, verifier=secrets.token_urlsafe(48), to=to)
        now = self._clock()
        with self._store.writing() as connection:
            connection.execute("DELETE FROM sign_on WHERE at_ms < ?", (now - LONGEST_MS,))
            row = (_hashed(fresh.state), _hashed(fresh.browser), fresh.nonce, fresh.verifier, to, now)
            connection.execute("INSERT INTO sign_on VALUES (?, ?, ?, ?, ?, ?)", row)
        return fresh

    def end(self, state: str, browser: str) -> Started | None:
        """The one of a state, if this browser began it a short while ago; it can be ended once."""
        with self._store.writing() as connection:
            row = connection.execute(
                "DELETE FROM sign_on WHERE state = ? RETURNING browser, nonce, verifier, path, at_ms",
                (_hashed(state),),
            ).fetchone()
        if row is None or self._clock() - row[4] > LONGEST_MS:
            return None
        if not hmac.compare_digest(bytes(row[0]), _hashed(browser)):
            return None
        return Started(state, browser, row[1], row[2], row[3])


def _hashed(token: str) -> bytes:
    return sha256(token.encode()).digest()
