"""What an agency may speak of in a chain that does not itself hold whether it was found. Pure."""

from collections.abc import Iterable
from uuid import UUID

from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.case.kin import KIN_TYPES
from casebus_schemas.case.statements import STATEMENT
from casebus_schemas.rules.across import r66
from casebus_schemas.rules.running import kin_findings_of, links_of
from casebus_schemas.statistics.differences import findings_about
from casebus_schemas.statistics.published import PUBLISHED, RESTATED

MOST_FIGURES = 500
"""So many figures of a chain are told apart: where there are more, a word may be on any of them."""


class SpokenOf:
    """Findings across chains about an agency's events, and of kin and figures of which it was told.

    Each event is looked at once for each agency, however many words are said.
    """

    def __init__(self, events: Iterable[ChainEvent]) -> None:
        self._own: dict[str, list[ChainEvent]] = {}
        self._stated: set[str] = set()
        self._chain: str | None = None
        self._of_statements: frozenset[UUID] | None = None
        self._kin: list[ChainEvent] = []
        self._kin_read: dict[str, int] = {}
        self._published: list[ChainEvent] = []
        self._figures = 0
        self._ids: dict[str, set[UUID]] = {}
        self._read: dict[str, int] = {}
        for event in events:
            self.add(event)

    def add(self, event: ChainEvent) -> None:
        """Takes an event of the chain."""
        self._own.setdefault(event.agency, []).append(event)
        self._chain = event.chain
        if event.type == STATEMENT:
            self._stated.add(event.agency)
        if event.type in KIN_TYPES:
            self._kin.append(event)
        if event.type in (PUBLISHED, RESTATED):
            self._published.append(event)
            self._figures += len(event.data.get("figures") or ())

    def may_be(self, finding: UUID, agency: str) -> bool:
        """Whether a word of that agency on a finding that the chain does not hold may be on one."""
        ids = self._ids.setdefault(agency, set())
        if new := self._own.pop(agency, None):
            ids |= links_of(new, agency)
        if len(self._kin) > self._kin_read.get(agency, 0):
            ids |= kin_findings_of(self._kin[self._kin_read.get(agency, 0) :], agency)
            self._kin_read[agency] = len(self._kin)
        if agency in self._stated:
            return True  # of any chain that its statement holds and the bus never saw
        if self._of_statements is None:
            self._of_statements = frozenset() if self._chain is None else r66.findings_of(self._chain)
        if finding in self._of_statements:
            return True
        if self._figures > MOST_FIGURES:
            return finding in ids or any(agency in event.audience for event in self._published)
        ids |= findings_about(self._published[self._read.get(agency, 0) :], agency)
        self._read[agency] = len(self._published)
        return finding in ids
