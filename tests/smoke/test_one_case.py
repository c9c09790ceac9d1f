"""One case through a whole bus, in `make smoke`: published, admitted, delivered, ledgered, reconciled."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from casebus_deploy.stack.stack import Stack, StackOptions

EXAMPLE = Path(__file__).resolve().parents[2] / "schemas/casebus_schemas/examples/referral.submitted.1.json"

pytestmark = pytest.mark.broker


def casebus(stack: Stack, *arguments: str) -> list[Any]:
    """What a command prints, a JSON value a line; it must end well."""
    env = {**os.environ, "CASEBUS_CONNECTION": str(stack.connection_file)}
    command = [sys.executable, "-m", "casebus_deploy.cli.main", *arguments]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=90)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_one_case_goes_through_all_services(tmp_path: Path) -> None:
    """A referral is admitted and ledgered, its receiver gets it, and what that one owes is announced."""
    event = tmp_path / "event.jsonl"
    event.write_text(json.dumps(json.loads(EXAMPLE.read_text())))
    with Stack(StackOptions(data=tmp_path / "bus", page=False)) as stack:
        said = casebus(stack, "publish", str(event), "--agency", "csrc", "--wait", "ledgered")
        assert {"admitted", "ledgered"} <= {receipt.get("stage") for receipt in said}
        assert "referral.submitted" in json.dumps(casebus(stack, "inbox", "--agency", "mps", "--json"))
        deadline = time.monotonic() + 60
        while not (owed := casebus(stack, "obligations", "--json")):
            assert time.monotonic() < deadline, "the reconciler announced nothing"
        assert "mps" in json.dumps(owed)
