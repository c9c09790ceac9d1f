"""Running only what an event touches: nothing that a rule would find anew is missed."""

from casebus_schemas.case.fold import extend, fold
from casebus_schemas.rules.looks import rules_touched, rules_touched_by
from support.cases.chains import amount, say, suspects


def test_an_event_touches_the_rules_that_look_at_its_type_or_fields() -> None:
    """Amounts concern R30 and R38, suspects the comparison of lists, clocks the duties, a talk none."""
    assert rules_touched_by("cooperation.training_offered") == frozenset()
    assert rules_touched_by("administrative.penalty_notified", ["amounts"]) == {"R30", "R38"}
    assert {"R10", "R11", "R07"} <= rules_touched_by("referral.receipted")
    assert "R30" not in rules_touched_by("referral.receipted")


def test_a_plain_event_runs_no_rule_about_others() -> None:
    """A figure that comes after a referral runs the two rules about figures alone."""
    base = say("a", "referral.submitted", "2022-09-01", suspects=suspects("甲"), amounts=[])
    more = say("b", "administrative.penalty_notified", "2022-09-02", amounts=[amount("illegal_gain", "1")])
    assert rules_touched(more, extend(fold([base]), more)) == {"R30", "R38"}
