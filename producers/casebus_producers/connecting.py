"""Connects kafka-python's clients, and says why that failed: what it tells only in its log, in one line."""

import itertools
import logging
import math
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from kafka.errors import KafkaTimeoutError

_KEPT = 50
_REFUSED_LOGIN = "AuthenticationFailed"
PATIENCE_MS = (3_000, 6_000, 20_000)
"""How long each attempt to connect may take: a busy machine needs long, a refused login is known soon."""

_numbers = itertools.count(1)
_deadline = math.inf
"""Of this process, on `time.monotonic`: a command has one, whichever of its threads waits for Kafka."""


@contextmanager
def within(timeout_s: float) -> Iterator[None]:
    """Nothing that waits for Kafka in this block, in any thread, waits beyond its end."""
    global _deadline
    before, _deadline = _deadline, min(_deadline, time.monotonic() + timeout_s)
    try:
        yield
    finally:
        _deadline = before


def at_most(timeout_s: float) -> float:
    """So many seconds, or those that are left where they are fewer."""
    return max(0.0, min(timeout_s, _deadline - time.monotonic()))


def connected(
    make: Callable[..., Any], *, client_id: str, patience_ms: Sequence[int] = PATIENCE_MS, **settings: Any
) -> Any:
    """A client of kafka-python made by `make`, once it has reached the broker.

    Each has a name of its own, `client_id` and a number: what kafka-python writes of it into its log is told
    from what it writes of another client of this process.

    Raises KafkaTimeoutError whose text is the reason: after seconds where the broker refuses connection or
    login, after the sum of `patience_ms` where it is silent, and in no case later than `within` allows.
    """
    name = f"{client_id}-{next(_numbers)}"
    why = "no time was left to connect"
    for patience in patience_ms:
        timeout_ms = int(at_most(patience / 1000) * 1000)
        if not timeout_ms:
            break
        with overheard(name) as words:
            try:
                return make(**{**settings, "client_id": name, "bootstrap_timeout_ms": timeout_ms})
            except KafkaTimeoutError as error:
                why = reason(words, error)
                said = " ".join(words)
                if _REFUSED_LOGIN in said or "refused" in said.lower():
                    break
    raise KafkaTimeoutError(why)


@contextmanager
def overheard(client_id: str) -> Iterator[list[str]]:
    """Collects the last warnings and errors of one client of kafka-python while the block runs."""
    listener = _Listener(client_id)
    log = logging.getLogger("kafka")
    log.addHandler(listener)
    try:
        yield listener.words
    finally:
        log.removeHandler(listener)


def reason(words: Sequence[str], error: BaseException) -> str:
    """Why it failed, from what was overheard, else from the error alone."""
    if any(_REFUSED_LOGIN in word for word in words):
        return "the broker refuses the login: wrong password or unknown user (authentication failed)"
    if any("refused" in word.lower() for word in words):
        return "connection refused: nothing listens there"
    if any("Exchanging credentials" in word for word in words):
        # The broker may drop a refused login without an answer.
        return "the broker hangs up while authentication is going on: wrong password, or it is going down"
    text, name = str(error), type(error).__name__
    while text.startswith(f"{name}: "):  # kafka-python's errors begin with their own name
        text = text.removeprefix(f"{name}: ")
    return f"{name}: {text}"


def quiet_kafka() -> None:
    """Keeps kafka-python's log off the terminal: what matters of it is in our errors."""
    log = logging.getLogger("kafka")
    log.addHandler(logging.NullHandler())
    log.propagate = False


class _Listener(logging.Handler):
    """Hears the thread that uses the client, and the client's own, which kafka-python names after it."""

    def __init__(self, client_id: str) -> None:
        super().__init__(logging.WARNING)
        self.words: list[str] = []
        self._caller = threading.get_ident()
        self._own = f"kafka-io-{client_id}"

    def emit(self, record: logging.LogRecord) -> None:
        if record.thread != self._caller and record.threadName != self._own:
            return
        self.words.append(record.getMessage()[:300])
        del self.words[:-_KEPT]
