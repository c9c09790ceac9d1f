"""How fast the door takes events by HTTP, durably, against how fast an earlier `publish` queued them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench.baseline import ROOT, InTurns
from bench.figures import Figure

pytestmark = pytest.mark.bench

ROUNDS = 3
COUNT = 3_000
FOLDER = Path(__file__).parent


def accepted(batch: int, folder: Path) -> float:
    """Events a second of one run."""
    done = subprocess.run(
        [sys.executable, str(FOLDER / "door_http.py"), str(batch), str(COUNT), str(folder)],
        env={**os.environ, "PYTHONPATH": str(ROOT / "tests")},
        capture_output=True,
        text=True,
        check=True,
    )
    return float(json.loads(done.stdout.splitlines()[-1])["per_s"])


@pytest.mark.parametrize(("batch", "ratio"), [(100, 2.0), (1_000, 2.0)])
def test_accepting(tmp_path: Path, in_turns: InTurns, figure: Figure, batch: int, ratio: float) -> None:
    """Checked, encoded, signed, on disk and answered a second, the best of each build's runs."""
    turns = in_turns(FOLDER / "door.py", "hundreds", "2000", str(tmp_path), rounds=ROUNDS)
    old, _ = turns.best("per_s")
    new = max(accepted(batch, tmp_path) for _ in range(ROUNDS))
    figure(f"accepted by the door in batches of {batch}", new, "events/s")
    figure("queued by publish, earlier build", old, "events/s")
    figure(f"accepted in batches of {batch}, against the earlier publish", new / old, "x", at_least=ratio)
