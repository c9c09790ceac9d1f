"""The how-to page for clocks: one file, and the duty is there."""

from pathlib import Path

import pytest

from support.guides import copied_package, run_with, written

CLOCK = "law/clocks/DL11.yaml"
PLAY = """
from casebus_schemas.law import opened_by
from casebus_schemas.rules.reconcile import reconcile
from support.chains import at, say
asked = say("q", "supervision.reasons_requested", "2022-06-08T10:00", agency="spp", to=("mps",))
print([clock.id for clock in opened_by(asked.type)])
now = at("2022-06-15T12:00")
print([(duty.owed_by, duty.owed_to, duty.state(now)) for duty in reconcile([asked]).duties])
"""


@pytest.mark.thorough
def test_a_clock_is_one_file(tmp_path: Path) -> None:
    """With the file of the page the clock is shown, starts with its event and is owed by whom it names."""
    package = copied_package(tmp_path)
    (package / CLOCK).write_text(written("add-a-clock.md", CLOCK), encoding="utf-8")
    shown = run_with(package, "-m", "casebus_deploy.cli.main", "law", "show", "DL11")
    assert "supervision.reasons_requested, receipt" in shown
    assert "P7D" in shown
    opened, owed = run_with(package, "-c", PLAY).splitlines()
    assert (opened, owed) == ("['DL11']", "[('mps', ('spp',), 'due')]")
