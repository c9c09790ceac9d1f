"""Runs rules: each within a guard, so that one that fails is a finding itself and the others go on."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from itertools import islice
from uuid import UUID

from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.case.chain_keys import Linked, all_linked, keys_of
from casebus_schemas.case.fold import Folded, fold
from casebus_schemas.case.kin import KIN_TYPES, Kin, all_kin, kin_of
from casebus_schemas.errors import RetryLater, StopService
from casebus_schemas.law.clocks import FOUND_BY
from casebus_schemas.small_types import RuleId

from .across import r66
from .chain import r09
from .finding import Finding
from .folded_case import Case
from .register import KEY_KINDS, RULES, kinds_of_keys
from .rule import Arrived, Found, Rule, across_id, kin_subject
from .sight import spoken
from .word import Words, finding_spoken_of, word_of


def run_rule(rule: Rule, case: Case) -> tuple[Finding, ...]:
    """What one rule finds by the events alone."""
    if rule.in_case is None:
        return ()
    try:
        return _made(rule, rule.in_case(case))
    except Exception as error:  # noqa: BLE001 - as of any rule
        return _failed(rule, case.said, error)


def run_rule_at(rule: Rule, case: Case, now: datetime) -> tuple[Finding, ...]:
    """What one rule finds at `now`."""
    if rule.at_time is None:
        return ()
    try:
        return _made(rule, rule.at_time(case, now))
    except Exception as error:  # noqa: BLE001 - as of any rule
        return _failed(rule, case.said, error)


def about_duties(rules: Iterable[Rule]) -> dict[str, list[Rule]]:
    """The rules about duties and time, by the rule that says that a duty of a clock is late.

    The others of those that say so of other clocks are not asked.
    """
    asked = [rule for rule in rules if rule.at_time is not None and rule.each == "duty"]
    return {one: [rule for rule in asked if rule.id not in FOUND_BY or rule.id == one] for one in FOUND_BY}


def run_content(rules: Iterable[Rule], case: Case) -> dict[RuleId, tuple[Finding, ...]]:
    """What the events alone decide, by the rule that was run; R09 in place of what a failing rule finds."""
    return {rule.id: run_rule(rule, case) for rule in rules if rule.in_case is not None}


def run_timed(rules: Iterable[Rule], case: Case, now: datetime) -> dict[RuleId, tuple[Finding, ...]]:
    """What also the time decides, at `now`."""
    return {rule.id: run_rule_at(rule, case, now) for rule in rules if rule.at_time is not None}


def run(rules: Iterable[Rule], case: Case, now: datetime) -> tuple[Finding, ...]:
    """Every finding of these rules about a case at `now`, in a fixed order."""
    rules = list(rules)
    found = [*run_content(rules, case).values(), *run_timed(rules, case, now).values()]
    return in_order(finding for of_rule in found for finding in of_rule)


_AT_ARRIVAL = [rule for rule in RULES.values() if rule.on_arrival is not None]


def watch(arrived: Arrived, rules: Mapping[RuleId, Rule] = RULES) -> list[Finding]:
    """What the arrival of an event shows by itself (R03, R05)."""
    found: list[Finding] = []
    for rule in _AT_ARRIVAL if rules is RULES else rules.values():
        if rule.on_arrival is not None:
            found.extend(_guarded(rule, [arrived.event], partial(rule.on_arrival, arrived)))
    return found


def run_word(
    event: ChainEvent, finding: Finding | None, rules: Mapping[RuleId, Rule] = RULES
) -> list[Finding]:
    """What a word on a finding shows by itself (R40); None where the chain holds no such finding."""
    found: list[Finding] = []
    for rule in rules.values():
        if rule.on_word is not None:
            found.extend(_guarded(rule, [event], partial(rule.on_word, event, finding)))
    return found


def made_at_arrival(finding: Finding) -> bool:
    """Whether it was seen in an event's arrival: nothing in the chain's events makes it go away."""
    return finding.cls == "arrival" and "stream" in RULES[finding.rule].scopes


def run_across(events: Iterable[ChainEvent], rules: Mapping[RuleId, Rule] = RULES) -> list[Finding]:
    """What several chains show together, the oldest first."""
    known = list(events)
    sharing = all_linked(known, kinds_of_keys(rules))
    found = [finding for linked in sharing for finding in run_linked(linked, rules)]
    found.extend(finding for kin in all_kin(_folded(known)) for finding in run_kin(kin, rules))
    if r66.RULE.id in rules:
        found.extend(r66.compare_all(known))
    return sorted(found, key=lambda finding: (finding.opened_at, str(finding.id)))


def run_linked(linked: Linked, rules: Mapping[RuleId, Rule] = RULES) -> list[Finding]:
    """What the events show that have one key in common."""
    found: list[Finding] = []
    for rule in rules.values():
        if rule.between_chains is not None and linked.key.kind in rule.keys:
            found.extend(_guarded(rule, linked.events, partial(_across, rule, linked), linked))
    return found


def _folded(events: Iterable[ChainEvent]) -> dict[str, Folded]:
    of_chain: dict[str, list[ChainEvent]] = {}
    for event in events:
        of_chain.setdefault(event.chain, []).append(event)
    return {chain: fold(known) for chain, known in of_chain.items()}


def run_kin(kin: Kin, rules: Mapping[RuleId, Rule] = RULES) -> list[Finding]:
    """What chains show together that are kin, with what agencies have said to it in them."""
    found = [r09.RULE.finding(replace(r09.too_large(kin), across=True))] if kin.left_out else []
    for rule in rules.values():
        if rule.between_kin is not None and kin.key.kind in rule.kin:
            found.extend(_guarded(rule, [kin.first], partial(_between_kin, rule, kin)))
    if not found:
        return found
    words: dict[UUID, Words] = {}
    for event in (event for folded in kin.chains.values() for event in folded.standing):
        if (about := finding_spoken_of(event)) is not None:
            words.setdefault(about, Words()).add(word_of(event))
    return [spoken(finding, words.get(finding.id, Words()).all()) for finding in found]


def _between_kin(rule: Rule, kin: Kin) -> Iterator[Found]:
    if rule.between_kin is not None:
        for found in rule.between_kin(kin):
            causes = tuple(found.causes)
            chain = found.chain or causes[0].chain
            subject = kin_subject(kin.key, chain, found.subject)
            yield replace(found, subject=subject, chain=chain, causes=causes, across=True)


def kin_findings_of(events: Iterable[ChainEvent], agency: str) -> frozenset[UUID]:
    """The ids of whatever could be found of kin in one chain, by those events of it that an agency knows."""
    keys = {
        (key, event.chain)
        for event in events
        if event.type in KIN_TYPES and agency in event.audience
        for key, _ in kin_of(event)
    }
    found = {
        across_id(rule.id, kin_subject(key, chain, matter))
        for rule in RULES.values()
        for key, chain in keys
        if key.kind in rule.kin
        for matter in rule.matters
    }
    return frozenset(found.union(across_id(r09.RULE.id, r09.too_large_subject(key)) for key, _ in keys))


def links_of(events: Iterable[ChainEvent], agency: str) -> frozenset[UUID]:
    """The ids of whatever could be found across chains about an agency's events of one chain."""
    keys = {key for event in events if event.agency == agency for key in keys_of(event, KEY_KINDS)}
    return frozenset(
        across_id(rule.id, key.text) for rule in RULES.values() for key in keys if key.kind in rule.keys
    )


def _across(rule: Rule, linked: Linked) -> Iterator[Found]:
    if rule.between_chains is not None:
        for found in rule.between_chains(linked):
            yield replace(found, across=True)


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Findings by rule and id."""
    return tuple(sorted(findings, key=lambda finding: (finding.rule, str(finding.id))))


MOST_FINDINGS = 200
"""How many findings of one rule about one chain are shown, the first ones: more help nobody to act."""


def _guarded(
    rule: Rule,
    events: Sequence[ChainEvent],
    find: Callable[[], Iterable[Found]],
    linked: Linked | None = None,
) -> tuple[Finding, ...]:
    try:
        return _made(rule, find())
    except Exception as error:  # noqa: BLE001 - as of any rule
        return _failed(rule, events, error, linked)


def _made(rule: Rule, found: Iterable[Found]) -> tuple[Finding, ...]:
    noticed = list(islice(found, MOST_FINDINGS))
    return tuple([rule.finding(one) for one in noticed]) if noticed else ()


def _failed(
    rule: Rule, events: Sequence[ChainEvent], error: Exception, linked: Linked | None = None
) -> tuple[Finding, ...]:
    """R09 in place of what a failing rule finds: whatever it is, the other rules and agencies go on."""
    if isinstance(error, StopService | RetryLater):
        raise error  # of what it asked (the database), not of the rule
    if not events:
        return ()
    failed = r09.failed(rule, events[0], error)
    if linked is not None:
        failed = replace(failed, subject=f"{failed.subject}\n{' '.join(linked.key)}", across=True)
    return (r09.RULE.finding(failed),)
