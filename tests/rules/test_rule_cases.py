"""Every rule by its cases: what it must find, what it must not, what makes a finding go away."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.law.clocks import SILENCE
from casebus_schemas.rules.chain import r49
from casebus_schemas.rules.finding import Finding
from casebus_schemas.rules.folded_case import Case
from casebus_schemas.rules.reconcile import reconcile
from casebus_schemas.rules.register import RULES
from casebus_schemas.rules.rule import Arrived, Found, Rule
from casebus_schemas.rules.running import run_across, watch
from casebus_schemas.small_types import RuleId
from casebus_schemas.statistics.comparison import compare_published
from casebus_schemas.statistics.figures import Versions
from casebus_schemas.wire.stream_head import Stream, StreamHead
from support.cases.chains import at, digest
from support.cases.rule_cases import RuleCase, rule_cases
from support.events.signed_events import chain

CASES = list(rule_cases())


def _fails(case: Case) -> Iterable[Found]:
    raise KeyError("姓名 of somebody")


def _failing(rule: Rule) -> Rule:
    """The same rule, which fails whatever it is given."""
    broken = replace(rule)
    broken.in_case = _fails
    return broken


def _findings(
    case: RuleCase, events: Sequence[ChainEvent], rules: Mapping[RuleId, Rule], *, fails: bool = True
) -> list[Finding]:
    failing = case.given.get("failing")
    if failing and fails:
        rules = {id: _failing(rule) if id == failing else rule for id, rule in rules.items()}
    match case.scope or RULES[RuleId(case.rule)].scopes[0]:
        case "chain":
            return list(reconcile(events, rules=rules).findings(at(case.now)))
        case "across":
            return run_across(events, rules)
        case "statistics":
            return list(compare_published(events, Versions("catalogue", "law"), rules).findings)
    return watch(_arrived(case, events), rules)


def _arrived(case: RuleCase, events: Sequence[ChainEvent]) -> Arrived:
    """The last event, met behind the one that the case calls the stream's head."""
    *before, last = events
    head = next((event for event in before if event.digest == digest(case.given.get("head", ""))), None)
    return Arrived(
        replace(last, producer="csrc-1.1", seq=len(before) + 1),
        again="again" in case.given,
        stream=Stream("csrc-1.1", "csrc.referral", 3),
        head=StreamHead(before.index(head) + 1, head.digest) if head else StreamHead(),
        was_refused=lambda prev: prev == digest(case.given.get("refused", "")),
        redriven="redriven" in case.given,
    )


def _matches(found: Finding, expected: Mapping[str, Any]) -> None:
    """Holds what a case says of a finding against it; what it leaves out may be anything."""
    body = found.to_json()
    shown: dict[str, Any] = {
        "rule": found.rule,
        "class": found.cls,
        "severity": found.severity,
        "state": found.state,
        "accounts": [account.agency for account in found.accounts],
        "events": [_name(account.event) for account in found.accounts],
        "values": [_text(account["value"]) for account in body["accounts"]],
        "suggestion": f"{found.suggestion.type} by {found.suggestion.by}" if found.suggestion else "none",
        "law": [f"{article.instrument} {article.article}" for article in found.law],
        "subject": found.subject.split("\n"),
        "opened_at": found.opened_at,
    }
    for name, value in expected.items():
        if name == "opened_at":
            assert found.opened_at == at(value)
        elif name == "chain":
            assert found.chain == chain(int(value))
        elif name in ("zh", "en"):
            said = getattr(found.because, name)
            for part in [value] if isinstance(value, str) else value:
                assert part in said
        elif name == "values":
            for given, parts in zip(shown["values"], value, strict=True):
                assert {key: given.get(key) for key in parts} == parts
        else:
            assert shown[name] == value, name


def _name(event: bytes | None) -> str:
    return next((name for name in "abcdefghijklmnopqrstuvwxyz" if digest(name) == event), "none")


def _text(value: Any) -> Any:
    """A value as a case file holds it: everything is text."""
    if isinstance(value, Mapping):
        return {key: _text(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_text(each) for each in value]
    return str(value).lower() if value is None or isinstance(value, bool) else str(value)


def _all(case: RuleCase) -> Mapping[RuleId, Rule]:
    scope: Any = case.scope or RULES[RuleId(case.rule)].scopes[0]
    # In the cases of other rules nobody need sign for what was sent, and they may sleep.
    beside = {SILENCE, r49.RULE.id} - {case.rule}
    return {id: rule for id, rule in RULES.items() if scope in rule.scopes and id not in beside}


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_case_finds_what_its_file_says(case: RuleCase) -> None:
    """The findings are those listed and no others: its own among `found`, never among `near_miss`."""
    events = [*case.events, *case.then]
    found = _findings(case, events, _all(case), fails=case.part != "closes")
    assert [finding.rule for finding in found] == [expected["rule"] for expected in case.finds]
    for finding, expected in zip(found, case.finds, strict=True):
        _matches(finding, expected)
    own = [finding.state for finding in found if finding.rule == case.rule]
    assert (set(own) > set() and "closed" not in own) if case.part == "found" else set(own) <= {"closed"}
    if case.part == "closes":
        before = [f.state for f in _findings(case, case.events, _all(case)) if f.rule == case.rule]
        assert "open" in before


@pytest.mark.parametrize("case", [case for case in CASES if case.part == "found"], ids=str)
def test_a_rule_that_is_switched_off_finds_nothing(case: RuleCase) -> None:
    """Without the rule its findings are gone, and those of the others stay."""
    without = {id: rule for id, rule in _all(case).items() if id != case.rule}
    found = _findings(case, [*case.events, *case.then], without)
    assert [finding.rule for finding in found] == [
        expected["rule"] for expected in case.finds if expected["rule"] != case.rule
    ]
