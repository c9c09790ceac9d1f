"""A turn in a transaction that several threads share: what one of them wants written, and what came of it."""

from collections.abc import Callable
from typing import Any

from casebus_schemas.errors import UsageError

from .writing import Writing


class Turn:
    """The work of one caller. It is over when its transaction is on disk, or when it has failed."""

    __slots__ = ("_error", "_result", "_work", "over")

    def __init__(self, work: Callable[[Writing], Any]) -> None:
        self._work = work
        self._result: Any = None
        self._error: Exception | None = None
        self.over = False

    def run(self, writing: Writing) -> None:
        """Does the work; its caller's own mistake is kept for the caller."""
        self._result = self._error = None
        try:
            self._result = self._work(writing)
        except UsageError as error:
            self._error = error

    def end(self) -> None:
        """Says that the transaction is on disk."""
        self.over = True

    def fail(self, error: Exception) -> None:
        """Says that the transaction was not written."""
        self._error, self.over = error, True

    def result(self) -> Any:
        """What the work returned. Raises what it raised."""
        if self._error is not None:
            raise self._error
        return self._result
