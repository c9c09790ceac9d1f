"""What kafka-python says only in its log: why it could not connect, in one line for a person."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

_KEPT = 50


@contextmanager
def overheard() -> Iterator[list[str]]:
    """Collects the last warnings and errors of kafka-python while the block runs."""
    listener = _Listener()
    log = logging.getLogger("kafka")
    log.addHandler(listener)
    try:
        yield listener.words
    finally:
        log.removeHandler(listener)


def reason(words: Sequence[str], error: BaseException) -> str:
    """Why it failed, from what was overheard, else from the error alone."""
    for word in words:
        if "AuthenticationFailed" in word:
            return "the broker refuses the login: wrong password or unknown user (authentication failed)"
    for word in reversed(words):
        if "refused" in word:
            return "connection refused: nothing listens there"
    if any("Exchanging credentials" in word for word in words):
        # The broker may drop a refused login without an answer.
        return "the broker hangs up while authentication is going on: wrong password, or it is going down"
    text, name = str(error), type(error).__name__
    return text if text.startswith(name) else f"{name}: {text}"


def quiet_kafka() -> None:
    """Keeps kafka-python's log off the terminal: what matters of it is in our errors."""
    log = logging.getLogger("kafka")
    log.addHandler(logging.NullHandler())
    log.propagate = False


class _Listener(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.words: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.words.append(record.getMessage()[:300])
        del self.words[:-_KEPT]
