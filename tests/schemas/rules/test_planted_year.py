"""A small planted year: every kind of fault is found, and nothing in lawful cases."""

import pytest

from casebus_schemas.rules.register import RULES
from support.planted.faults import FAULTS
from support.planted.measured import Measured, measured
from support.planted.year import Year, planted_year

SEED, CHAINS, EACH = 20250106, 60, 1
BEYOND = 20
"""Lawful cases at least beside those with a fault."""


@pytest.fixture(scope="module")
def year() -> Year:
    """Sixty cases, one fault of every rule that has any."""
    return planted_year(SEED, CHAINS, EACH)


@pytest.fixture(scope="module")
def found(year: Year) -> Measured:
    """What the rules find of it."""
    return measured(year)


def test_every_planted_fault_is_found_and_nothing_else(found: Measured) -> None:
    """Recall and precision of every rule are 1; each rule of the register is planted or named as without."""
    assert (list(found.missed), list(found.wrong)) == ([], [])
    assert {rule for rule, score in found.scores.items() if score.planted} == set(FAULTS) | {
        "R60",
        "R61",
        "R62",
        "R63",
        "R64",
        "R65",
        "R66",
    }


def test_a_rule_that_is_switched_off_misses_its_fault(year: Year) -> None:
    """Without R30 its fault is missed, and named with the chain; without R60 that of the publication."""
    for rule in ("R30", "R60"):
        without = {id: one for id, one in RULES.items() if id != rule}
        lacking = measured(year, without)
        assert [text.split(" in ")[0] for text in lacking.missed] == [rule]
        assert lacking.scores[rule].recall == 0.0


def test_a_year_follows_from_its_seed(year: Year) -> None:
    """The same seed gives the same papers and labels, another seed others; chains have 12 to 60 events."""
    again, other = planted_year(SEED, CHAINS, EACH), planted_year(SEED + 1, CHAINS, EACH)
    papers = [[matter.papers for matter in one.matters] for one in (year, again, other)]
    assert (papers[1], again.labels) == (papers[0], year.labels)
    assert papers[2] != papers[0]
    cases = [matter for matter in year.matters if matter.number < CHAINS]
    assert len(cases) == CHAINS
    assert all(12 <= len(matter.papers) <= 60 for matter in cases)
    assert sum(not matter.faults for matter in cases) >= BEYOND
