"""Figures counted chain by chain are those counted from all events at once."""

from dataclasses import replace
from datetime import timedelta

import pytest

from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.rules.register import of_scope
from casebus_schemas.statistics.comparison import Basis, compare_published, compare_stated
from casebus_schemas.statistics.differences import findings_about
from casebus_schemas.statistics.figures import Versions
from casebus_schemas.statistics.in_parts import InParts
from casebus_schemas.statistics.measures import find_measure
from casebus_schemas.statistics.periods import Period
from casebus_schemas.statistics.published import stated_figures
from casebus_schemas.statistics.scopes import find_scope
from support.cases.chains import say, suspects
from support.cases.rule_cases import RuleCase, rule_cases

VERSIONS = Versions("catalogue", "law")
CASES = [case for case in rule_cases() if case.rule in of_scope("statistics")]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_is_found_chain_by_chain_is_what_is_found_at_once(case: RuleCase) -> None:
    """Of the figures that stand the same is found, under ids that follow from the publication alone."""
    events = [*case.events, *case.then]
    chains: dict[str, list[ChainEvent]] = {}
    for event in events:
        chains.setdefault(event.chain, []).append(event)
    counts, stated = InParts(VERSIONS), stated_figures(events)
    compare_stated(stated, counts, most=100)
    for chain in chains.values():
        counts.take(chain)
    found = compare_stated(stated, counts, most=100).findings
    assert [f.to_row() for f in found] == [f.to_row() for f in compare_published(events, VERSIONS).findings]
    assert {finding.id for finding in found} <= findings_about(events, "spp")
    assert not findings_about(events, "csrc")


def test_of_each_agency_only_so_many_figures_are_compared() -> None:
    """The last that stand: who publishes more takes nobody's time."""
    case = next(case for case in CASES if "halves that do not add up" in case.name)
    counts = InParts(VERSIONS)
    stated = stated_figures(case.events)
    assert [len(compare_stated(stated, counts, most=most).comparisons) for most in (0, 2, 9)] == [0, 2, 3]


def test_new_a_chain_is_counted_in_steps() -> None:
    """Each state of a chain as of which a figure is stated, and each figure of it, is a step of its own."""
    people = suspects("甲")
    chain = [
        say(f"e{day}", "outcome.prosecuted", f"2021-01-0{day}", agency="spp", suspects=people, charges=[])
        for day in range(1, 5)
    ]
    counts = InParts(VERSIONS)
    basis = Basis(find_measure("persons_prosecuted"), find_scope("any"), None)
    for event in chain:
        for year in ("2021", "2022"):
            counts.of("spp").figure(basis, Period.parse(year), event.admitted_at)
    assert len(list(counts.steps(chain))) == 4 * (1 + 2)


def test_new_of_each_agency_only_its_last_figures_are_kept() -> None:
    """However many were published: the same ones whatever the order of their chains, beside others'."""
    figures = [event for case in CASES for event in case.events if event.family == "publication"]
    one = figures[0]
    events = [
        replace(
            one,
            chain=f"chain {number}",
            digest=bytes([number]) * 32,
            agency="csrc" if number % 5 == 0 else "spp",
            occurred_at=one.occurred_at + timedelta(days=number),
            data={**one.data, "figures": one.data["figures"][:1] * 2},
        )
        for number in range(1, 11)
    ]
    for order in (events, events[::-1]):
        kept = stated_figures(order, 3)
        assert [figure.event.digest[0] for figure in kept] == [5, 8, 9, 9, 10, 10]
