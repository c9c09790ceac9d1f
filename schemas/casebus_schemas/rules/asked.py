"""Which rules of a chain are asked when, made once for a set of rules and not for each chain."""

from collections.abc import Mapping

from casebus_schemas.small_types import RuleId

from .register import CHAIN_RULES
from .rule import Rule
from .running import about_duties


class Asked:
    """The rules over a case, about persons, duties, answers and silence."""

    def __init__(self, rules: Mapping[RuleId, Rule]) -> None:
        self.over_case = {id: rule for id, rule in rules.items() if rule.in_case}
        self.about_persons = {
            id for id, rule in rules.items() if not {"persons", "*.suspects"}.isdisjoint(rule.looks_at)
        }
        self.about_duties = about_duties(rules.values())
        self.about_answers = [rule for rule in rules.values() if rule.at_time and rule.each == "answer"]
        self.about_silence = [rule for rule in rules.values() if rule.at_time and rule.each == "quiet"]


def asked(rules: Mapping[RuleId, Rule]) -> Asked:
    """Of a set of rules which are asked when; of all rules the same value."""
    return _ALL if rules is CHAIN_RULES else Asked(rules)


_ALL = Asked(CHAIN_RULES)
