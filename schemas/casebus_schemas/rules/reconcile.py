"""All chain rules over one folded chain: accounts, duties and findings at a time; pure."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cached_property
from hashlib import sha256
from typing import Any

from casebus_schemas.case.accounts import accounts
from casebus_schemas.case.chain import ChainEvent, as_uuid
from casebus_schemas.case.fold import Folded
from casebus_schemas.case.obligations import Obligation
from casebus_schemas.small_types import RuleId

from .chain.r20 import orphan_turns
from .finding import Finding, FindingState, canonical_text
from .folded_case import Case
from .looks import ALL, rules_touched
from .register import CHAIN_RULES
from .rule import Rule
from .running import in_order, run_content, run_timed

_WORD_ON_A_FINDING: dict[str, FindingState] = {
    "finding.explained": "explained",
    "finding.accepted": "accepted",
}


@dataclass(frozen=True)
class Reconciled:
    """What a chain's events mean: nothing in it depends on the order or repetition of their arrival.

    `content_of` are the findings that the events alone decide, by the rule that was run; those about duties
    and unanswered references also need the time and are given by `findings`.
    """

    case: Case
    content_of: Mapping[RuleId, tuple[Finding, ...]]
    rules: Mapping[RuleId, Rule]

    @property
    def folded(self) -> Folded:
        """The chain in its order."""
        return self.case.folded

    @property
    def duties(self) -> tuple[Obligation, ...]:
        """Every duty of the chain."""
        return self.case.duties

    @property
    def content(self) -> tuple[Finding, ...]:
        """The findings that the events alone decide."""
        return tuple(finding for of_rule in self.content_of.values() for finding in of_rule)

    @cached_property
    def accounts(self) -> dict[str, Any]:
        """The accounts side by side, as JSON values."""
        return accounts(self.folded)

    def findings(self, now: datetime) -> tuple[Finding, ...]:
        """Every finding of the chain at `now`, with what agencies have said to it, in a fixed order."""
        timed = run_timed(self.rules.values(), self.case, now)
        words = self._words
        found = []
        for finding in (*self.content, *(finding for of_rule in timed.values() for finding in of_rule)):
            word = words.get(str(finding.id))
            found.append(replace(finding, state=word) if word and finding.state == "open" else finding)
        return in_order(found)

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
        rest = canonical_text({"findings": findings, "obligations": [self._duty(d) for d in self.duties]})
        # The accounts' text is spliced in, not written twice.
        return sha256(f'{{"accounts":{self.accounts_text},{rest[1:]}'.encode()).digest()

    @staticmethod
    def _duty(duty: Obligation) -> dict[str, Any]:
        body = duty.to_json(duty.started_at)
        del body["state"]
        if body["met"]:
            del body["met"]["provably"]
        return body


def reconcile(
    events: Iterable[ChainEvent] | Folded,
    law_of: date | None = None,
    *,
    rules: Mapping[RuleId, Rule] = CHAIN_RULES,
) -> Reconciled:
    """Applies every rule to the admitted events of one chain (a set: order and repetition do not matter).

    Clocks run under the texts in force when they started, or under those of the day `law_of`.
    """
    case = Case.of(events, law_of)
    return Reconciled(case, run_content(rules.values(), case), rules)


def reconcile_further(before: Reconciled, case: Case, event: ChainEvent) -> Reconciled:
    """What a chain means with one more event, which `case` holds: only the rules that it touches are run.

    Equal to `reconcile` of all its events (a property test holds it).
    """
    known = before.folded.by_digest.get(event.digest)
    touched = ALL if known is not None else rules_touched(event, case.folded)
    again = [rule for id, rule in before.rules.items() if id in touched]
    content_of = {**before.content_of, **run_content(again, case)}
    return Reconciled(case, content_of, before.rules)
