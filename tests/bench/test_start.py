"""How soon a command starts, against an earlier build."""

from pathlib import Path

import pytest

from bench.baseline import InTurns
from bench.figures import Figure
from bench.start import COMMANDS

pytestmark = [pytest.mark.bench, pytest.mark.timeout(1_800)]

AT_MOST = 0.6
"""Of the earlier build's processor time; half of it is aimed at, and this is where a slip is seen."""


def test_commands_start_in_half_the_time(in_turns: InTurns, figure: Figure) -> None:
    """Each command of an agency and an officer takes about half of the processor time that it took."""
    turns = in_turns(Path(__file__).with_name("start.py"))
    for name in COMMANDS:
        old, new = turns.best(name, lowest=True)
        figure(f"{name}: seconds of processor time", new, "s")
        figure(f"{name}: of the earlier build's {old:.2f} s", new / old, "", at_most=AT_MOST)
