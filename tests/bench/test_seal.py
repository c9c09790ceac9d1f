"""What sealing costs: a seal of 10,000 entries, and appending with and without a sealer, in turns."""

import itertools
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest

from bench.figures import Figure
from casebus_schemas.wire.records import Batch
from casebus_services.ledger.store import LedgerStore
from support.events.sealing import Sealing
from support.ledger.ledgers import empty_sqlite, run

pytestmark = [pytest.mark.bench, pytest.mark.postgres]

ENTRIES = 10_000
LOGS = 10
ROUNDS = 3
BATCH = 500
BATCHES = 100
_numbers = itertools.count(1)

Url = Callable[[], str]


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Url:
    """Makes addresses of empty databases of one kind."""
    if request.param == "sqlite":
        return lambda: empty_sqlite(tmp_path)
    postgres = request.getfixturevalue("postgres")
    return lambda: str(postgres.create_database(f"seal_{os.getpid()}_{next(_numbers)}"))


def test_a_seal_of_10_000_entries(url: Url, tmp_path: Path, figure: Figure) -> None:
    """Reading back, computing again, signing and committing 10,000 entries in 10 logs takes at most 50 ms."""
    store = LedgerStore(url())
    sealing = Sealing(store, tmp_path)
    sealing.sealer.start()
    each, times, processor = ENTRIES // LOGS, [], []
    for number in range(ROUNDS):
        runs = [run(number * each, (number + 1) * each, partition=log) for log in range(LOGS)]
        store.append(runs)
        begun, worked = time.perf_counter(), time.process_time()
        assert sealing.sealer.seal() == number + 1
        times.append(time.perf_counter() - begun)
        processor.append(time.process_time() - worked)
    kind = store.database.dialect
    store.close()
    name = f"seal of {ENTRIES:,} entries in {LOGS} logs, {kind}"
    figure(name, min(times) * 1000, "ms", at_most=50)
    figure(f"{name}, median", statistics.median(times) * 1000, "ms")
    figure(f"{name}, processor time", min(processor) * 1000, "ms")


@contextmanager
def sealed(url: str, folder: Path) -> Iterator[list[int]]:
    """A sealer in a process of its own; gives how many epochs it made once it has ended."""
    epochs: list[int] = []
    tests = Path(__file__).resolve().parents[1]
    folder.mkdir()
    with subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("sealing_process.py")), url, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(tests)},
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield epochs
        process.stdin.close()
        epochs.append(int(process.stdout.readline()))


@cache
def runs() -> list[Batch]:
    """What is appended, one log after the other."""
    firsts = [(number // LOGS * BATCH, number % LOGS) for number in range(BATCHES)]
    return [run(first, first + BATCH, partition=log) for first, log in firsts]


def appended(store: LedgerStore) -> list[float]:
    """Seconds of each append of 500 entries."""
    times = []
    for batch in runs():
        begun = time.perf_counter()
        store.append([batch])
        times.append(time.perf_counter() - begun)
    return times


def test_sealing_slows_no_append(url: Url, tmp_path: Path, figure: Figure) -> None:
    """With an epoch every second or 5,000 entries appends take at most 1.05 times as long."""
    ways: dict[str, list[list[float]]] = {"alone": [], "sealed": []}
    worked: dict[str, list[float]] = {"alone": [], "sealed": []}
    epochs = 0

    def append(store: LedgerStore, way: str) -> None:
        begun = time.process_time()
        ways[way].append(appended(store))
        worked[way].append(time.process_time() - begun)

    for number in range(ROUNDS):
        store = LedgerStore(url())
        append(store, "alone")
        store.close()
        fresh = url()
        store = LedgerStore(fresh)
        with sealed(fresh, tmp_path / f"sealer-{number}") as made:
            append(store, "sealed")
        store.close()
        epochs += made[0]
    totals = {way: min(sum(times) for times in rounds) for way, rounds in ways.items()}
    kind = "sqlite" if fresh.startswith("sqlite") else "postgresql"
    name = f"append, {kind}"
    figure(f"{name}: with sealing, of without", totals["sealed"] / totals["alone"], "x", at_most=1.05)
    processor = min(worked["sealed"]) / min(worked["alone"])
    figure(f"{name}: processor time of the ledger with sealing, of without", processor, "x")
    figure(f"{name}: without sealing", BATCH * BATCHES / totals["alone"], "entries/s")
    for way, rounds in ways.items():
        tail = min(statistics.quantiles(times, n=100)[98] for times in rounds)
        figure(f"{name}: p99 of {BATCH}, {way}", tail * 1000, "ms")
    figure(f"{name}: epochs of {ROUNDS} rounds", epochs, "epochs", at_least=ROUNDS)
