"""All chain rules over one folded chain: accounts, duties and findings at a time; pure."""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cached_property
from hashlib import sha256
from typing import Any

from casebus_schemas.case.accounts import accounts
from casebus_schemas.case.chain import ChainEvent, as_uuid
from casebus_schemas.case.fold import Folded, fold
from casebus_schemas.case.obligations import Obligation, obligations, starts

from .finding import Finding, FindingState, canonical_text
from .findings_answers import (
    conflicting_answers,
    disputed_corrections,
    orphan_turns,
    orphans,
    reused_ids,
    superseded_answers,
    withdrawn_after_filing,
)
from .findings_clocks import missing_approvals, overdue, uncountable
from .findings_content import charges_without_outcome, differing_amounts, differing_suspects

_WORD_ON_A_FINDING: dict[str, FindingState] = {
    "finding.explained": "explained",
    "finding.accepted": "accepted",
}


@dataclass(frozen=True)
class Reconciled:
    """What a chain's events mean: nothing in it depends on the order or repetition of their arrival.

    `content` are the findings that the events alone decide; those about duties and unanswered references
    also need the time and are given by `findings`.
    """

    folded: Folded
    duties: tuple[Obligation, ...]
    content: tuple[Finding, ...]

    @cached_property
    def accounts(self) -> dict[str, Any]:
        """The accounts side by side, as JSON values."""
        return accounts(self.folded)

    def findings(self, now: datetime) -> tuple[Finding, ...]:
        """Every finding of the chain at `now`, with what agencies have said to it, in a fixed order."""
        timed = (*overdue(self.duties, now), *missing_approvals(self.duties, now), *orphans(self.folded, now))
        words = self._words
        found = []
        for finding in (*self.content, *timed):
            word = words.get(str(finding.id))
            found.append(replace(finding, state=word) if word and finding.state == "open" else finding)
        return tuple(sorted(found, key=lambda finding: (finding.rule, str(finding.id))))

    def wakes_at(self, now: datetime) -> datetime | None:
        """The next instant after `now` at which time alone may change something; None if never."""
        at = bisect_right(self._turns, now)
        return self._turns[at] if at < len(self._turns) else None

    @cached_property
    def _turns(self) -> list[datetime]:
        turns = {turn for duty in self.duties for turn in duty.turns()}
        return sorted(turns.union(orphan_turns(self.folded)))

    @cached_property
    def _words(self) -> dict[str, FindingState]:
        words: dict[str, FindingState] = {}
        for event in self.folded.standing:
            state = _WORD_ON_A_FINDING.get(event.type)
            if state is not None and words.get(str(as_uuid(event.data["finding"]))) != "accepted":
                words[str(as_uuid(event.data["finding"]))] = state
        return words

    @cached_property
    def accounts_text(self) -> str:
        """The accounts as canonical JSON."""
        return canonical_text(self.accounts)

    @cached_property
    def hash(self) -> bytes:
        """SHA-256 of what the signed events alone decide, as canonical JSON.

        Without offsets, times of the bus, arrival findings, and findings or states that the time decides.
        """
        findings = [
            {name: value for name, value in finding.to_json().items() if name != "opened_at"}
            for finding in sorted(self.content, key=lambda finding: str(finding.id))
            if finding.cls == "state"
        ]
        rest = canonical_text({"findings": findings, "obligations": [d.said_json() for d in self.duties]})
        # The accounts' text is spliced in, not written twice.
        return sha256(f'{{"accounts":{self.accounts_text},{rest[1:]}'.encode()).digest()


def reconcile(events: Iterable[ChainEvent] | Folded, law_of: date | None = None) -> Reconciled:
    """Applies every rule to the admitted events of one chain (a set: order and repetition do not matter).

    Clocks run under the texts in force when they started, or under those of the day `law_of`.
    """
    folded = events if isinstance(events, Folded) else fold(events)
    started = tuple(starts(folded, law_of))
    content = (
        *superseded_answers(folded),
        *conflicting_answers(folded),
        *disputed_corrections(folded),
        *reused_ids(folded),
        *withdrawn_after_filing(folded),
        *differing_amounts(folded),
        *differing_suspects(folded),
        *charges_without_outcome(folded),
        *uncountable(started),
    )
    return Reconciled(folded, tuple(obligations(folded, started)), content)
