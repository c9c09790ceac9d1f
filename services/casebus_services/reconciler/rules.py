"""All chain rules over one folded chain: accounts, duties and findings at a time; pure."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cached_property
from hashlib import sha256
from typing import Any

from .accounts import accounts
from .chain import ChainEvent, as_uuid
from .findings import Finding, FindingState, canonical
from .findings_answers import (
    conflicting_answers,
    disputed_corrections,
    orphan_turns,
    orphans,
    reused_ids,
    superseded_answers,
)
from .findings_clocks import missing_approvals, overdue, uncountable
from .findings_content import charges_without_outcome, differing_amounts, differing_suspects
from .fold import Folded, fold
from .obligations import Obligation, obligations

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
        turns = [turn for duty in self.duties for turn in duty.turns()]
        turns.extend(orphan_turns(self.folded))
        return min((turn for turn in turns if turn > now), default=None)

    @cached_property
    def _words(self) -> dict[str, FindingState]:
        words: dict[str, FindingState] = {}
        for event in self.folded.standing:
            state = _WORD_ON_A_FINDING.get(event.type)
            if state is not None and words.get(str(as_uuid(event.data["finding"]))) != "accepted":
                words[str(as_uuid(event.data["finding"]))] = state
        return words

    @cached_property
    def hash(self) -> bytes:
        """SHA-256 of what the signed events alone decide, as canonical JSON.

        Without offsets, times of the bus, arrival findings, and findings or states that the time decides.
        """
        return sha256(canonical(self._timeless())).digest()

    def _timeless(self) -> dict[str, Any]:
        return {
            "accounts": self.accounts,
            "findings": [
                {name: value for name, value in finding.to_json().items() if name != "opened_at"}
                for finding in sorted(self.content, key=lambda finding: str(finding.id))
                if finding.cls == "state"
            ],
            "obligations": [self._duty(duty) for duty in self.duties],
        }

    @staticmethod
    def _duty(duty: Obligation) -> dict[str, Any]:
        body = duty.to_json(duty.started_at)
        del body["state"]
        if body["met"]:
            del body["met"]["provably"]
        return body


def reconcile(events: Iterable[ChainEvent] | Folded, law_of: date | None = None) -> Reconciled:
    """Applies every rule to the admitted events of one chain (a set: order and repetition do not matter).

    Clocks run under the texts in force when they started, or under those of the day `law_of`.
    """
    folded = events if isinstance(events, Folded) else fold(events)
    content = (
        *superseded_answers(folded),
        *conflicting_answers(folded),
        *disputed_corrections(folded),
        *reused_ids(folded),
        *differing_amounts(folded),
        *differing_suspects(folded),
        *charges_without_outcome(folded),
        *uncountable(folded),
    )
    return Reconciled(folded, tuple(obligations(folded, law_of)), content)
