"""What commands ask of whoever knows cases: the bus's accounts, or an agency's own view."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol

from casebus_schemas.case.as_of import AsOf
from casebus_schemas.case.chain import ChainEvent

MOST_MEANT = 100
"""How many chains are looked at for a number, a name or the beginning of an id."""


class CaseReader(Protocol):
    """Reads cases, obligations and findings; JSON values as docs/records.md 5 has them."""

    def chains(self, agency: str | None = None) -> list[dict[str, Any]]:
        """Every chain with its state and how many events it has."""

    def events(self, chain: str) -> list[ChainEvent]:
        """The events of a chain, in the order of admission."""

    def case(self, chain: str, now: datetime, *, asked: AsOf = ..., why: bool = False) -> dict[str, Any]:
        """A chain as `casebus case` shows it. Raises UsageError if it is unknown."""

    def chains_like(self, beginning: str, agency: str | None = None) -> list[str]:
        """The ids of chains that begin so, at most `MOST_MEANT`."""

    def chains_saying(self, text: str, agency: str | None = None) -> list[str]:
        """The ids of chains of which some event says a text, at most `MOST_MEANT`."""

    def obligations(
        self,
        now: datetime,
        *,
        agency: str | None = None,
        chain: str | None = None,
        states: Sequence[str] = (),
        due_before: datetime | None = None,
    ) -> list[dict[str, Any]]:
        """Obligations with their state at `now`, the earliest due first."""

    def findings(
        self,
        *,
        agency: str | None = None,
        chain: str | None = None,
        states: Sequence[str] = (),
        rule: str | None = None,
    ) -> list[dict[str, Any]]:
        """Findings, the oldest first."""
