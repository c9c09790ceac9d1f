"""What has ended is not counted again by a later end of its matter, however long the chain."""

import pytest

from casebus_schemas.case.obligations import duties_of
from casebus_schemas.rules.reconcile import reconcile
from support.cases.long_rules import long_chain, rounds_of_clocks

ROUNDS = rounds_of_clocks()


@pytest.mark.parametrize("clock", ["DL41", "DL42"])
def test_an_end_of_the_matter_counts_what_waits_only(clock: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of rights that another event had ended before none is counted anew: a round late in the chain counts
    as many duties as an early one."""
    counted: list[int] = []

    def noted(*given: object) -> object:
        counted[-1] += 1
        return duties_of(*given)  # type: ignore[arg-type]  # as it was called

    monkeypatch.setattr("casebus_schemas.rules.reconcile.duties_of", noted)
    told = ROUNDS[clock]
    meaning = reconcile(())
    for event in long_chain(told, len(told) * 30, one_matter=False):
        counted.append(0)
        meaning.take(event)
    early, late = (sum(counted[place * len(told) :][: len(told)]) for place in (9, 29))
    assert 0 < late <= early
