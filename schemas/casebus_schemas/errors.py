"""What can go wrong on the bus, grouped by what the caller does next."""

from typing import Literal, get_args

RefusalCode = Literal[
    "bad-frame",
    "unknown-schema",
    "bad-body",
    "bad-headers",
    "header-mismatch",
    "misplaced",
    "too-large",
    "unknown-key",
    "bad-signature",
    "not-authorised",
    "set-aside",
    "level-s",
    "personal-data",
]
REFUSAL_CODES: tuple[str, ...] = get_args(RefusalCode)
SECRET_CODES: frozenset[str] = frozenset({"level-s", "personal-data"})
"""Codes whose bytes must not be repeated anywhere: only their digests are kept."""


class BusError(Exception):
    """Base of all errors of casebus.

    Carries what was `found`, what was `expected`, the `remedy`, and where it happened
    (`topic`, `partition`, `offset`), as far as they are known.
    """

    def __init__(
        self,
        message: str,
        *,
        found: object = None,
        expected: object = None,
        remedy: str | None = None,
        topic: str | None = None,
        partition: int | None = None,
        offset: int | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.found = found
        self.expected = expected
        self.remedy = remedy
        self.topic = topic
        self.partition = partition
        self.offset = offset

    @property
    def detail(self) -> str:
        """One line for a person: message, place, found, expected, remedy."""
        parts = [self.message]
        if self.found is not None:
            parts.append(f"found {self.found}")
        if self.expected is not None:
            parts.append(f"expected {self.expected}")
        text = ", ".join(parts)
        if self.topic is not None:
            text += f" (at {self.topic}/{self.partition}/{self.offset})"
        return f"{text}; {self.remedy}" if self.remedy else text

    def __str__(self) -> str:
        return self.detail


class RetryLater(BusError):
    """Transient: try the same again after a pause (a broker or database is away)."""


class UsageError(BusError):
    """The caller's own input or settings are wrong: mend them and call again."""


class Refused(BusError):
    """A record that cannot be admitted: it goes to the dead letters with its `code`.

    `pointer` is the JSON pointer of the place in the event at the agency's door, where there is one.
    """

    def __init__(
        self,
        code: RefusalCode,
        message: str,
        *,
        found: object = None,
        expected: object = None,
        remedy: str | None = None,
        pointer: str | None = None,
    ) -> None:
        super().__init__(
            message if pointer is None else f"{pointer or '/'}: {message}",
            found=found,
            expected=expected,
            remedy=remedy,
        )
        self.code: RefusalCode = code
        self.pointer = pointer


class StopService(BusError):
    """Evidence is at risk: the process must stop and say so loudly, never continue."""


class Divergence(StopService):
    """The same topic, partition and offset now holds other bytes than were recorded."""


class Gap(StopService):
    """Records between the stored next offset and the received one are missing."""


class Forged(StopService):
    """A record is not by whom it says, or not what was signed: somebody else has written it."""
