"""Switches each rule and each clock off in turn, and sees a test fail: one without which all pass is named.

Run by `make switched-off`; it ends with 1 if something could be switched off unnoticed.
"""

import sys
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any
from unittest.mock import patch

sys.path.insert(0, str(Path(__file__).parent))

from casebus_schemas.case import chain_index
from casebus_schemas.law.clocks import clock_table
from casebus_schemas.rules.register import RULES
from casebus_schemas.rules.rule import Rule
from casebus_schemas.small_types import RuleId

Test = Callable[[], None]


def tests_of_rules() -> Iterator[tuple[str, list[Test]]]:
    """Each rule with the tests of its file of cases."""
    module = import_module("rules.test_rule_cases")
    for rule in RULES:
        cases = [case for case in module.CASES if case.rule == rule]
        yield rule, [partial(module.test_a_case_finds_what_its_file_says, case) for case in cases]


def tests_of_clocks() -> Iterator[tuple[str, list[Test]]]:
    """Each clock with the test that holds its rows, or the played case in which it was counted by hand."""
    by_hand = import_module("schemas.law.test_prosecution_clocks")
    play = import_module("deploy.demo.test_played")
    clocks = import_module("deploy.demo.test_switched_off_clocks")
    for clock in clock_table().by_id:
        if clock in by_hand.CASES:
            yield clock, [partial(by_hand.test_a_clock_gives_what_was_counted_by_hand, clock)]
        else:
            yield clock, [partial(play.test_the_clocks_are_those_counted_by_hand, clocks.PLAYED[clock])]


def failures(tests: list[Test]) -> int:
    """How many of the tests fail."""
    failed = 0
    for test in tests:
        try:
            test()
        except AssertionError:
            failed += 1
    return failed


def main() -> int:
    """Prints a line for each; how many tests there are and how many fail with it and without it."""
    unnoticed = []
    module = import_module("rules.test_rule_cases")
    for rule, tests in tests_of_rules():
        before = failures(tests)
        with patch.object(module, "_all", partial(_without, module._all, rule)):
            unnoticed += _line(rule, tests, before, failures(tests))
    whole = clock_table()
    for clock, tests in tests_of_clocks():
        table = type(whole)((one for id, one in whole.by_id.items() if id != clock), whole.instruments)
        before = failures(tests)
        with patch.object(chain_index, "clock_table", lambda table=table: table):
            unnoticed += _line(clock, tests, before, failures(tests))
    print(f"\n{len(unnoticed)} unnoticed" + (f": {', '.join(unnoticed)}" if unnoticed else ""))
    return 1 if unnoticed else 0


def _without(rules_of: Callable[[Any], Mapping[RuleId, Rule]], rule: str, case: Any) -> dict[RuleId, Rule]:
    """The rules that are run for a case, without one of them."""
    return {id: one for id, one in rules_of(case).items() if id != rule}


def _line(name: str, tests: list[Test], before: int, after: int) -> list[str]:
    print(f"{name}  {len(tests):3} tests, {before} fail with it, {after} without it", flush=True)
    return [] if tests and before == 0 and after > 0 else [name]


if __name__ == "__main__":
    sys.exit(main())
