"""The cases of the rules, told to a book event by event: only what an event touches is looked at again."""

from collections.abc import Iterator, Sequence
from itertools import islice, permutations

import pytest

from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.rules.reconcile import reconcile
from casebus_schemas.rules.register import CHAIN_RULES
from casebus_services.reconciler.book import ChainBook
from support.cases.chains import CHAIN, at
from support.cases.rule_cases import RuleCase, rule_cases

MOST_ORDERS = 24
"""All orders of four events; of more events a part."""
CASES = [case for case in rule_cases() if case.rule in CHAIN_RULES and case.scope in ("", "chain")]


def orders(events: Sequence[ChainEvent]) -> Iterator[Sequence[ChainEvent]]:
    """Orders of arrival: as they stand, backwards, and others."""
    yield events[::-1]
    yield from islice(permutations(events), MOST_ORDERS)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_book_finds_after_each_event_what_all_rules_find(case: RuleCase) -> None:
    """In any order of arrival, after every event: the findings are those of a run from scratch."""
    for order in orders([*case.events, *case.then]):
        book = ChainBook(CHAIN)
        for number, event in enumerate(order, 1):
            book.take(event)
            expected = reconcile(order[:number]).findings(at(case.now))
            assert book.meaning.findings(at(case.now)) == expected
