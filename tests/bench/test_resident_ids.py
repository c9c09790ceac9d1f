"""The identity check over the worst texts, against the earlier build."""

from pathlib import Path

import pytest

from bench.baseline import InTurns
from bench.figures import Figure

pytestmark = pytest.mark.bench

MOST_NS_A_BYTE = 50
LEAST_GAIN = 100


def test_a3_worst_texts(in_turns: InTurns, figure: Figure) -> None:
    """The worst text costs at most 50 ns a byte, a hundredth of before; usual ones no more."""
    turns = in_turns(Path(__file__).with_name("resident_ids.py"))
    old, new = turns.best("worst_ns", lowest=True)
    figure("identity check, worst text", new, "ns a byte", at_most=MOST_NS_A_BYTE)
    figure(
        "identity check, a day of birth in every group", turns.best("days_ns", lowest=True)[1], "ns a byte"
    )
    figure("identity check, earlier build against now", old / new, "x", at_least=LEAST_GAIN)
    figure("identity check, usual event", turns.best("usual_us", lowest=True)[1], "us")
    figure(
        "identity check, usual event against earlier", turns.ratio("usual_us", lowest=True), "x", at_most=1.0
    )
