"""The how-to page for clocks: one file, and the duty is there."""

from pathlib import Path

import pytest

from support.cases.guides import copied_package, run_with, written

CLOCK = "law/clocks/DL90.yaml"
PLAY = """
from casebus_schemas.law import opened_by
from casebus_schemas.rules.reconcile import reconcile
from support.cases.chains import at, say
asked = say("q", "supervision.transfer_opinion", "2022-06-08T10:00", agency="spp", to=("csrc",))
print([clock.id for clock in opened_by(asked.type)])
now = at("2022-06-23T12:00")
print([(duty.owed_by, duty.owed_to, duty.state(now)) for duty in reconcile([asked]).duties])
"""


@pytest.mark.thorough
def test_a_clock_is_one_file(tmp_path: Path) -> None:
    """With the file of the page the clock is shown, starts with its event and is owed by whom it names."""
    package = copied_package(tmp_path)
    (package / CLOCK).write_text(written("add-a-clock.md", CLOCK), encoding="utf-8")
    shown = run_with(package, "-m", "casebus_deploy.cli.main", "law", "show", "DL90")
    assert "supervision.transfer_opinion, receipt" in shown
    assert "P15D" in shown
    opened, owed = run_with(package, "-c", PLAY).splitlines()
    assert (opened, owed) == ("['DL90']", "[('csrc', ('spp',), 'due')]")
