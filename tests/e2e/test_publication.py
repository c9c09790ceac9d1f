"""Over a whole bus: a published figure that does not add up comes back, and a silence is proven."""

import json
import os
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from casebus_deploy.stack.stack import Stack, StackOptions

EXAMPLES = Path(__file__).resolve().parents[2] / "schemas/casebus_schemas/examples"

pytestmark = pytest.mark.broker


def _casebus(stack: Stack, *arguments: str) -> str:
    """What a command prints; it must end well."""
    env = {**os.environ, "CASEBUS_CONNECTION": str(stack.connection_file)}
    command = [sys.executable, "-m", "casebus_deploy.cli.main", *arguments]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _example(name: str, **changes: Any) -> dict[str, Any]:
    event: dict[str, Any] = json.loads((EXAMPLES / f"{name}.1.json").read_text())
    return {**event, "source": "/csrc", "subject": None, **changes}


def _proven_silence(stack: Stack, chain: str, folder: Path) -> dict[str, Any]:
    """What a judge reads of the police's silence in a chain, once an epoch with their statement is final."""
    until = datetime.now(UTC).isoformat(timespec="milliseconds")
    _casebus(stack, "outbox", "--agency", "mps", "--state-heads")
    proof, policy = str(folder / "silence"), str(folder / "bus" / "policy")
    env = {**os.environ, "CASEBUS_CONNECTION": str(stack.connection_file)}
    ledger = [sys.executable, "-m", "casebus_deploy.cli.main", "ledger"]
    claim = ["--chain", chain, "--by", "mps", "--of", "referral.filed", "--until", until, "-o", proof]
    deadline = time.monotonic() + 60
    while True:
        subprocess.run([*ledger, "prove-absence", *claim], env=env, capture_output=True, timeout=60)
        judge = [*ledger, "verify-absence", proof, "--policy", policy, "--json"]
        judged = subprocess.run(judge, env=env, capture_output=True, text=True, timeout=60)
        if judged.returncode == 0 or time.monotonic() > deadline:
            assert judged.stdout, judged.stderr
            return dict(json.loads(judged.stdout))


def test_a_wrong_figure_comes_back_to_its_publisher(tmp_path: Path) -> None:
    """One case is referred, seven are published: the regulator gets R61, and a rebuild finds the same.

    That the police have not filed the case until now is proven, by their own word, to who trusts the policy.
    """
    referral = _example("referral.submitted")
    year = referral["time"][:4]
    press = _example("publication.statistic_published")
    figure = {
        **press["data"]["figures"][0],
        "measure": "cases_referred",
        "value": "7",
        "unit": "cases",
        "scope": "any",
        "cohort": "referral.submitted",
        "period": {"from": f"{year}-01-01", "to": f"{year}-12-31"},
    }
    press["data"].update(figures=[figure], as_of=None)
    event = tmp_path / "events.jsonl"
    event.write_text("\n".join(json.dumps(each, ensure_ascii=False) for each in (referral, press)))
    with Stack(StackOptions(data=tmp_path / "bus", page=False)) as stack:
        receipts = _casebus(stack, "publish", str(event), "--agency", "csrc", "--wait", "ledgered")
        silence = _proven_silence(stack, json.loads(receipts.splitlines()[0])["event"]["chain"], tmp_path)
        assert (silence["finding"], silence["problems"]) == ("proven", [])
        heard = _casebus(stack, "inbox", "--agency", "spp", "--json")
        assert [json.loads(line)["event"]["type"] for line in heard.splitlines()] == ["referral.submitted"]
        deadline = time.monotonic() + 180
        while "R61" not in _casebus(stack, "inbox", "--agency", "csrc", "--json"):
            assert time.monotonic() < deadline, "the reconciler announced nothing"
        (found,) = map(json.loads, _casebus(stack, "findings", "--rule", "R61", "--json").splitlines())
        assert "give 1" in json.dumps(found)
        assert json.loads(_casebus(stack, "rebuild", "--json"))["ok"]
