"""A rule that raises is a finding itself; everything else goes on."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

import pytest

from casebus_schemas.rules.chain import r04, r10, r30
from casebus_schemas.rules.folded_case import Case
from casebus_schemas.rules.reconcile import reconcile
from casebus_schemas.rules.register import CHAIN_RULES, RULES
from casebus_schemas.rules.rule import Arrived, Found
from casebus_schemas.rules.running import run_across, watch
from casebus_schemas.rules.stream import r05
from support.cases.chains import amount, at, say
from support.events.signed_events import chain

NOW = at("2022-07-20")
EVENTS = [
    say("s", "referral.submitted", "2022-05-30", amounts=[amount("illegal_gain", "1.00")]),
    say(
        "r",
        "referral.receipted",
        "2022-06-01T09:00",
        agency="mps",
        to=("csrc",),
        received_at=at("2022-06-01T09:00"),
        competent=True,
        complete=True,
    ),
    say("f", "administrative.penalty_decided", "2022-06-02", amounts=[amount("illegal_gain", "2.00")]),
]


def _raises(*given: object) -> Iterable[Found]:
    raise ZeroDivisionError(f"姓名 {given}")


def _half(case: Case) -> Iterable[Found]:
    yield Found(subject="x", causes=case.folded.order[:1], accounts=(), because=r30.RULE.title)
    raise ZeroDivisionError


@pytest.mark.parametrize("find", [_raises, _half])
def test_a_rule_that_raises_lets_the_others_go_on(find: object) -> None:
    """R09 names rule and kind of error and nothing of the data; half of what it found is not shown."""
    broken = replace(r30.RULE)
    broken.in_case = find  # type: ignore[assignment]  # either function stands for a rule of a case
    found = reconcile(EVENTS, rules={**CHAIN_RULES, r30.RULE.id: broken}).findings(NOW)
    assert [finding.rule for finding in found] == ["R09", "R10", "R11"]
    assert (found[0].severity, found[0].cls) == ("high", "state")
    assert "R30" in found[0].because.en
    assert "ZeroDivisionError" in found[0].because.en
    assert "姓名" not in str(found[0].to_json())
    assert found[0].concerned() == ()


def test_a_rule_about_time_that_raises_lets_the_others_go_on() -> None:
    """The same for what time decides; its finding does not move when more is said."""

    def raises(case: Case, now: datetime) -> Iterable[Found]:
        raise KeyError(now)

    broken = replace(r10.RULE)
    broken.at_time = raises
    rules = {**CHAIN_RULES, broken.id: broken}
    found = reconcile(EVENTS, rules=rules).findings(NOW)
    # For the duty of the receipt; silence after the referral is another rule's matter, it is not asked.
    assert [finding.rule for finding in found] == ["R09", "R11"]
    assert reconcile(EVENTS[:2], rules=rules).findings(NOW)[:1] == found[:1]
    later = [*EVENTS, say("n", "progress.assigned", "2022-07-01")]
    assert [one.id for one in reconcile(later, rules=rules).findings(NOW)[:1]] == [
        one.id for one in found[:1]
    ]


def test_rules_about_arrivals_and_across_chains_are_guarded_too() -> None:
    """One that raises is R09 of the event, or of the first of the events, that it was given."""
    stream, across = replace(r05.RULE), replace(r04.RULE)
    stream.on_arrival = across.between_chains = _raises
    (first,) = watch(Arrived(EVENTS[0], again=True), {**RULES, stream.id: stream})[1:]
    events = [
        say(name, "clue.submitted", "2022-01-01", id_of=of, chain=chain(number))
        for name, of, number in (("a", "x", 1), ("b", "x", 2), ("c", "y", 1), ("d", "y", 2))
    ]
    second, third = run_across(events, {across.id: across})
    assert (first.rule, second.rule, third.rule) == ("R09", "R09", "R09")
    assert second.id != third.id
    assert run_across([], {across.id: across}) == []
