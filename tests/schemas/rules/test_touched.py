"""Running only what an event touches: nothing that a rule would find anew is missed."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.case.fold import extend
from casebus_schemas.rules.folded_case import Case
from casebus_schemas.rules.looks import ALL, rules_touched, rules_touched_by
from casebus_schemas.rules.reconcile import Reconciled, reconcile, reconcile_further
from casebus_schemas.rules.register import CHAIN_RULES
from casebus_schemas.rules.running import run_timed
from casebus_schemas.small_types import RuleId
from support.chains import amount, at, say, suspects
from support.random_cases import random_cases

TIMES = (at("2022-09-20"), at("2022-12-01"))


def _told(meaning: Reconciled) -> object:
    return [finding.to_json() for finding in meaning.content], [
        finding.to_json() for now in TIMES for finding in meaning.findings(now)
    ]


@pytest.mark.thorough
@settings(max_examples=100, deadline=None)
@given(random_cases(6), st.data())
def test_only_touched_rules_after_each_event_find_what_all_rules_find(
    events: list[ChainEvent], data: st.DataObject
) -> None:
    """After every event, in any order and with repeats, the findings are those of a run from scratch."""
    again = data.draw(st.lists(st.sampled_from(events), max_size=2))
    earlier = [replace(event, admitted_at=event.admitted_at - timedelta(days=20)) for event in again]
    arrived = data.draw(st.permutations([*events, *earlier]))
    meaning = reconcile(arrived[:1])
    timed: dict[RuleId, object] = {}
    for number, event in enumerate(arrived[1:], 2):
        before = meaning
        folded = extend(before.folded, event)
        touched = ALL if event.digest in before.folded.by_digest else rules_touched(event, folded)
        meaning = reconcile_further(before, Case.of(folded), event)
        assert _told(meaning) == _told(reconcile(arrived[:number]))
        # What time decides is not kept by `Reconciled`; whoever keeps it may rely on the same answer.
        now = {id: run_timed([rule], meaning.case, TIMES[1]) for id, rule in CHAIN_RULES.items()}
        if timed:
            assert all(now[id] == timed[id] for id in CHAIN_RULES if id not in touched)
        timed = dict(now)


def test_an_event_touches_the_rules_that_look_at_its_type_or_fields() -> None:
    """Amounts concern R30, suspects the comparison of lists, a clock's events the duties, a talk none."""
    assert rules_touched_by("cooperation.training_offered") == frozenset()
    assert rules_touched_by("administrative.penalty_decided", ["amounts"]) == {"R30"}
    assert {"R10", "R11", "R07"} <= rules_touched_by("referral.receipted")
    assert "R30" not in rules_touched_by("referral.receipted")


def test_a_plain_event_runs_no_rule_about_others() -> None:
    """A figure that comes after a referral runs R30 alone."""
    base = say("a", "referral.submitted", "2022-09-01", suspects=suspects("甲"), amounts=[])
    more = say("b", "administrative.penalty_decided", "2022-09-02", amounts=[amount("illegal_gain", "1")])
    assert rules_touched(more, extend(reconcile([base]).folded, more)) == {"R30"}
