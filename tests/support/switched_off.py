"""Switches each rule and each clock off in turn and runs its tests: one of them must fail, or nothing guards it.

`make switched-off` runs it; it ends with 1 and the names of those without which every test still passes.
"""

import sys
from collections.abc import Callable, Iterable, Iterator
from unittest.mock import patch

from casebus_schemas.case import chain_index
from casebus_schemas.law.clocks import ClockTable, clock_table
from casebus_schemas.rules import register
from rules import test_rule_cases
from support.cases.rule_cases import RuleCase, rule_cases

