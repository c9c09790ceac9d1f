"""One case through a whole bus, in `make smoke`: published, admitted, delivered, ledgered, reconciled."""

import json
import os
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from casebus_deploy.stack.stack import Stack, StackOptions
from casebus_schemas.agencies import MEMBERS, WITNESSES
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.catalogue.topology import topics

EXAMPLE = Path(__file__).resolve().parents[2] / "schemas/casebus_schemas/examples/referral.submitted.1.json"

BOUNDS: dict[str, set[str]] = {
    "agency": {*MEMBERS, "bus"},
    "topic": {one.name for one in topics(4)},
    "type": set(Catalog.load().types),
    "witness": {*WITNESSES},
    "verdict": {"admitted", "refused"},
    "role": {"to", "cc"},
}
"""What the values of labels are bound to."""

TOLD: dict[tuple[str, ...], float] = {
    ("router", "casebus_router_judged_total", "csrc", "", "admitted"): 1,
    ("router", "casebus_router_notices_total", "mps", "to"): 1,
    ("router", "casebus_worker_records_total", "csrc.referral"): 1,
    ("ledger", "casebus_ledger_entries_total", "csrc.referral"): 1,
    ("ledger", "casebus_ledger_receipts_total", "csrc"): 1,
    ("reconciler", "casebus_reconciler_announced_total", "obligation.announced"): 1,
    ("sealer", "casebus_worker_stopped_partitions"): 0,
    **{("witness", "casebus_witness_stopped", witness): 0 for witness in WITNESSES},
}
"""What the metrics tell at least once one referral went through."""

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
    with Stack(StackOptions(data=tmp_path / "bus", page=False, metrics=True)) as stack:
        said = casebus(stack, "publish", str(event), "--agency", "csrc", "--wait", "ledgered")
        assert {"admitted", "ledgered"} <= {receipt.get("stage") for receipt in said}
        assert "referral.submitted" in json.dumps(casebus(stack, "inbox", "--agency", "mps", "--json"))
        deadline = time.monotonic() + 60
        while not (owed := casebus(stack, "obligations", "--json")):
            assert time.monotonic() < deadline, "the reconciler announced nothing"
        assert "mps" in json.dumps(owed)
        _metrics_say_so(stack)


def _metrics_say_so(stack: Stack) -> None:
    """Every service tells what it did with that event, under labels that no stranger chose."""
    deadline = time.monotonic() + 60
    while (missing := _missing(found := _told(stack))) or not _lag_known(found):
        assert time.monotonic() < deadline, missing
        time.sleep(0.2)
    assert {name for name, *_ in found} == {service for service, *_ in TOLD} | {"registry"}
    assert found["sealer", "casebus_sealer_epoch"] > 0
    for name in ("router", "ledger", "reconciler"):
        assert found[name, "casebus_worker_batch_seconds_count"] > 0
        assert time.time() - found[name, "casebus_worker_beat_timestamp_seconds"] < 60


def _missing(found: dict[tuple[str, ...], float]) -> list[tuple[str, ...]]:
    return [name for name, least in TOLD.items() if found.get(name, -1) < least]


def _told(stack: Stack) -> dict[tuple[str, ...], float]:
    """What all services tell: values by service, name and the labels' values in order of their names."""
    found: dict[tuple[str, ...], float] = {}
    for group in json.loads((stack.data / "metrics-targets.json").read_text()):
        with urllib.request.urlopen(f"http://{group['targets'][0]}/metrics", timeout=30) as answer:
            text = answer.read().decode()
        for sample in (one for family in text_string_to_metric_families(text) for one in family.samples):
            by = (value for _, value in sorted(sample.labels.items()))
            found[group["labels"]["service"], sample.name, *by] = sample.value
            for label, value in sample.labels.items():
                assert value in BOUNDS.get(label, {value}), (sample.name, label, value)
    return found


def _lag_known(found: dict[tuple[str, ...], float]) -> bool:
    lags = {name[0] for name in found if name[1] == "casebus_worker_lag_records"}
    return lags == {"router", "ledger", "reconciler"}
