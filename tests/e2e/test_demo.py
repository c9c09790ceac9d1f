"""The demo as a newcomer runs it: a whole bus, the public cases, and proof that planted damage is named."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from casebus_deploy.demo.scenario import load_all

pytestmark = pytest.mark.broker

TIMEOUT_S = 400
"""Many times what it takes: a slow machine must not fail it."""

CHECKS = {
    "steps",
    "admitted",
    "clock",
    "notices",
    "sealed",
    "ledgered",
    "clocks",
    "findings",
    "non-findings",
    "announced",
    "ledger",
    "ledger-against-kafka",
    "ledger-rebuild",
    "accounts-rebuild",
    "final-checkpoint",
    "nothing-left",
}


def demo(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs `casebus demo` with its temporary files below `folder`."""
    return subprocess.run(
        [sys.executable, "-m", "casebus_deploy.cli.main", "demo", *arguments],
        env={**os.environ, "TMPDIR": str(folder), "COLUMNS": "160"},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )


def failed(report: dict[str, Any]) -> dict[str, str]:
    """Name -> detail of the checks that do not hold."""
    return {check["name"]: check["detail"] for check in report["checks"] if not check["ok"]}


def test_the_demo_proves_all_it_shows_and_leaves_nothing(tmp_path: Path) -> None:
    """Every named check holds, the report counts what the scenarios hold, and no file is left."""
    ended = demo(tmp_path, "--once", "--json")
    report = json.loads(ended.stdout)
    assert failed(report) == {}
    assert (ended.returncode, report["ok"]) == (0, True)
    assert {check["name"] for check in report["checks"]} == CHECKS
    scenarios = load_all()
    assert report["events"] == sum(len(scenario.steps) for scenario in scenarios)
    assert report["refused"] == 0
    assert report["obligations"] == sum(len(scenario.clocks) for scenario in scenarios)
    assert report["findings"] == sorted(
        finding.rule for scenario in scenarios for finding in scenario.findings
    )
    assert report["notices"] >= sum(len(step.told()) for scenario in scenarios for step in scenario.steps)
    assert report["ledger"]["entries"] > 2 * report["events"]
    assert set(report["latency_ms"]) == {"inbox", "ledger"}
    assert list(tmp_path.iterdir()) == []


def test_each_planted_damage_is_named_in_plain_lines_of_both_languages(tmp_path: Path) -> None:
    """Without a terminal a damaged run is readable text, ends with 1, and names every single damage."""
    kinds = ("one-byte", "drop-row", "drop-tail", "swap-notice")
    ended = demo(tmp_path, "--once", *(word for kind in kinds for word in ("--break", kind)))
    assert ended.returncode == 1
    assert "\x1b" not in ended.stdout
    for words in (
        "马某田等人违规披露",
        "移送涉嫌犯罪案件 suspected crime referred",
        "DL06 立案审查决定 / decide on filing",
        "R30 ",
        "✓ clocks",
        "✓ accounts-rebuild",
    ):
        assert words in ended.stdout
    verdicts = {line.split()[1]: line for line in ended.stdout.splitlines() if line.startswith("✗ ")}
    assert set(verdicts) == {"ledger", "ledger-against-kafka", "notices"}
    one_byte, row, tail, swapped = planted(ended.stdout)
    assert one_byte in verdicts["ledger"]
    assert f"index {row}: found no row" in verdicts["ledger"]
    assert f"offset {tail} to " in verdicts["ledger-against-kafka"]
    assert f"inbox.{swapped}" in verdicts["notices"]
    assert list(tmp_path.iterdir()) == []


def planted(text: str) -> list[str]:
    """What the run says that it damaged: payload digest, index of the row, first index of the tail, inbox."""
    patterns = (
        r"payload ([0-9a-f]{64}) ",
        r"entry (\d+) of \d+ in \S+ removed",
        r"entries (\d+) to ",
        r"inbox\.(\w+): notices",
    )
    return [found[1] for pattern in patterns if (found := re.search(f"破坏 damage: {pattern}", text))]
