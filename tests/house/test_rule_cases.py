"""Every rule has its cases beside it, and no case file is of a rule that does not exist."""

import pytest

from casebus_schemas.rules.register import RULES
from casebus_schemas.rules.rule import NEVER_CLOSES, Rule
from support.cases.rule_cases import rule_cases, rule_files

PARTS = {(case.rule, case.part) for case in rule_cases()}


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: str(rule.id))
def test_a_rule_has_cases(rule: Rule) -> None:
    """What it finds, what it just does not find, and what closes a finding where something can."""
    assert (rule.id, "found") in PARTS
    assert (rule.id, "near_miss") in PARTS
    assert ((rule.id, "closes") in PARTS) == (rule.closes != NEVER_CLOSES)


def test_a_case_file_belongs_to_a_rule() -> None:
    """The folder holds the files of the rules and no others."""
    assert rule_files().keys() == RULES.keys()
