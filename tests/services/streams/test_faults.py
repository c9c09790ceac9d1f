"""Fault points and switches."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from casebus_producers.faults import PublisherFaults
from casebus_schemas.errors import UsageError
from casebus_schemas.fault_switch import TEST
from casebus_services.streams import faults
from casebus_services.streams.faults import Fault, FaultPlan, fault_point, is_off, read_plan

PASSING = """
from casebus_services.streams.faults import fault_point, is_off
from casebus_schemas.errors import RetryLater
for passing in range(1, 6):
    try:
        fault_point("here", 7)
    except RetryLater:
        print("raised", passing)
    fault_point("there")
    print(passing)
print(is_off("no-sql-seek"))
"""


def run(fault: str, log: Path | None = None) -> tuple[int, list[str]]:
    """Exit code and output of a process that passes the point `here` five times."""
    # Unbuffered: what was printed before the kill must be seen.
    given = {**os.environ, "PYTHONUNBUFFERED": "1"}
    env = {**given, "CASEBUS_FAULT": fault, **({"CASEBUS_FAULT_LOG": str(log)} if log else {})}
    done = subprocess.run(
        [sys.executable, "-c", PASSING], env=env, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout.split("\n")[:-1]


def test_nothing_happens_unasked() -> None:
    """Without CASEBUS_FAULT a point does nothing and every safeguard is on."""
    fault_point("anything", 3)
    assert not is_off("no-sql-seek")


def test_c25_faults_are_refused_outside_of_tests() -> None:
    """A service or a publication that finds the variable ends with a usage error, before it does anything."""
    product = {name: value for name, value in os.environ.items() if name != TEST}
    product["CASEBUS_FAULT"] = "no-watchdog"
    command = [sys.executable, "-m", "casebus_deploy.cli.main", "run", "router"]
    done = subprocess.run(command, env=product, capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stderr
    assert "CASEBUS_FAULT takes safeguards away and is refused" in done.stderr
    with pytest.raises(UsageError, match="refused outside of tests"):
        PublisherFaults.from_environment(product)


def test_c25_a_test_with_faults_is_loud() -> None:
    """Where a test asks for them the process says so before anything else."""
    given = {**os.environ, "CASEBUS_FAULT": "no-watchdog"}
    done = subprocess.run(
        [sys.executable, "-c", PASSING], env=given, capture_output=True, text=True, check=True
    )
    assert done.stderr.startswith("casebus: FAULTS ARE ASKED FOR, data may be lost by order: no-watchdog")


def test_kill_at_a_passing() -> None:
    """`kill@3` ends the process with signal 9 at the third passing."""
    code, lines = run("here=kill@3")
    assert (code, lines) == (-signal.SIGKILL, ["1", "2"])


def test_kills_are_counted_over_lives(tmp_path: Path) -> None:
    """`kill@1x2` kills two lives and lets the third run, and logs the work in flight of each."""
    log = tmp_path / "log"
    codes = [run("here=kill@1x2", log)[0] for _ in range(3)]
    assert codes == [-signal.SIGKILL, -signal.SIGKILL, 0]
    assert log.read_text().count('"in_flight": 7') == 2


def test_raise_at_a_passing() -> None:
    """`raise@2` raises RetryLater at the second passing only."""
    assert run("here=raise@2") == (0, ["1", "raised 2", "2", "3", "4", "5", "False"])


def test_switch_and_fault_together() -> None:
    """Switches and faults may be given together."""
    assert run("no-sql-seek, elsewhere=kill@1") == (0, ["1", "2", "3", "4", "5", "True"])


def test_every_point_is_listed() -> None:
    """The points named in the module's docstring are those that the services pass."""
    services = Path(faults.__file__).parents[1]
    passed = {
        name
        for file in services.rglob("*.py")
        for name in re.findall(r'fault_point\(\s*"([^"]+)"', file.read_text(encoding="utf-8"))
    }
    listed = set(re.findall(r"`([a-z]+\.[a-z-]+)`", faults.__doc__ or ""))
    assert listed == passed


def test_plan_is_read() -> None:
    """All forms of an entry are understood."""
    plan = read_plan("a=kill@2x9,b=sleep:0.5,c=raise,no-watchdog", "/log")
    expected = {
        "a": Fault("kill", at=2, most=9),
        "b": Fault("sleep", seconds=0.5),
        "c": Fault("raise"),
    }
    assert FaultPlan(expected, frozenset({"no-watchdog"}), Path("/log")) == plan


@pytest.mark.parametrize("text", ["no-such-switch", "a=explode", "a=kill@x", "a=kill@1x3", "a=sleep:"])
def test_mistakes_are_refused(text: str) -> None:
    """A misspelt fault is refused, so that a test cannot pass because nothing happened."""
    with pytest.raises(UsageError):
        read_plan(text)
