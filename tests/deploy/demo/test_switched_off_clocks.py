"""Each clock switched off in turn: something that was counted by hand from the law is missed."""

import pytest

from casebus_deploy.demo.expectations import clock_problems
from casebus_deploy.demo.scenario import load_file
from casebus_schemas.case import chain_index
from casebus_schemas.case.obligations import Obligation
from casebus_schemas.law.clocks import ClockTable, clock_table
from casebus_schemas.rules.folded_case import Case
from support.cases.custody_clocks import CUSTODY, REVIEW
from support.cases.played import FILES, played
from support.cases.prosecution_clocks import REVERSE, SUPERVISION

TABLES = {**SUPERVISION, **REVERSE, **CUSTODY, **REVIEW}
"""Chains whose duties tests/schemas/law holds against rows counted by hand."""
PLAYED = {
    expected.rule: file
    for file in FILES
    for expected in load_file(file).clocks
    if expected.rule not in TABLES
}
"""Of the other clocks a made-up case that expects them."""


def _without(clock: str) -> ClockTable:
    """The law without one of its clocks."""
    table = clock_table()
    return ClockTable((one for id, one in table.by_id.items() if id != clock), table.instruments)


def _by_table(clock: str) -> list[Obligation]:
    return [duty for duty in Case.of(TABLES[clock][0]).duties if duty.clock.id == clock]


def _missed_in_play(clock: str) -> list[str]:
    play = played(PLAYED[clock])
    problems = clock_problems(play.script, [duty.said(play.seen_at).to_json() for duty in play.duties])
    return [problem for problem in problems if f" {clock} of " in problem]


def test_every_clock_of_the_law_is_counted_by_hand_somewhere() -> None:
    """No clock stands without a row or a case that was counted by hand."""
    assert set(clock_table().by_id) == {*TABLES, *PLAYED}


@pytest.mark.parametrize("clock", list(clock_table().by_id))
def test_a_clock_that_is_switched_off_is_missed(clock: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the clock its duties are there as counted; without it they are gone and the count says so."""
    if clock in TABLES:
        assert len(_by_table(clock)) == len(TABLES[clock][2]) > 0
    else:
        assert _missed_in_play(clock) == []
    table = _without(clock)
    monkeypatch.setattr(chain_index, "clock_table", lambda: table)
    if clock in TABLES:
        assert _by_table(clock) == []
    else:
        assert any("never started" in problem for problem in _missed_in_play(clock))
