"""The planted year at full size: 600 cases of 12 to 60 events, ten faults of every rule."""

import pytest

from bench.figures import Figure
from support.planted.measured import measured
from support.planted.year import planted_year

pytestmark = pytest.mark.bench

SEED, CHAINS, EACH = 20250106, 600, 10
RECALL, PRECISION = 1.0, 0.98
"""The goals of every rule."""


def test_the_rules_find_what_was_planted(figure: Figure, capsys: pytest.CaptureFixture[str]) -> None:
    """Every rule finds each of its ten faults; at most two in a hundred of its findings are not planted."""
    found = measured(planted_year(SEED, CHAINS, EACH))
    with capsys.disabled():
        print(f"\n{found.table()}")
    figure("events", found.events, "")
    figure("findings", found.findings, "")
    for rule, score in found.scores.items():
        if score.planted or score.found:
            figure(f"{rule} recall", score.recall, "", at_least=RECALL)
            figure(f"{rule} precision", score.precision, "", at_least=PRECISION)
