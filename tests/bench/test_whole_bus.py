"""The whole bus: publish to notice and to committed entry at a fixed load, its memory, its cost when idle.

CASEBUS_BENCH_EVENTS is the size of the backlog (500,000), CASEBUS_BENCH_SECONDS how long the load lasts (60).
"""

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from bench.baseline import InTurns, new_build
from bench.bus_load import cpu_seconds, pids_of
from bench.figures import Figure
from casebus_deploy.stack.stack import Stack, StackOptions

pytestmark = [pytest.mark.broker, pytest.mark.bench]

P99_MS = 250.0
"""At 100 events a second."""
NOTICE_P99_RATIO = 0.25
"""At 1,000 events a second, against the earlier build."""
ENTRY_P99_RATIO = 1.0
MOST_MB = 400.0
IDLE_SHARE_OF_A_CORE = 0.20
IDLE_S = 20.0
LOAD = Path(__file__).with_name("bus_load.py")
SECONDS = os.environ.get("CASEBUS_BENCH_SECONDS", "60")
BACKLOG = os.environ.get("CASEBUS_BENCH_EVENTS", "500000")
STAGES = (("notice", "publish to notice"), ("entry", "publish to committed entry"))


@pytest.fixture
def stack() -> Iterator[Stack]:
    """A whole bus in a folder of its own."""
    folder = Path(tempfile.mkdtemp(prefix="casebus-bench-"))
    try:
        with Stack(StackOptions(data=folder)) as running:
            yield running
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.timeout(900)
def test_a_hundred_events_a_second(figure: Figure) -> None:
    """At 100 events a second, notice and committed entry follow the publishing within the bound."""
    found = new_build().run(LOAD, "latency", "100", "20")
    for key, what in STAGES:
        figure(f"{what} at 100/s, p50", found[f"{key}_p50_ms"], "ms")
        figure(f"{what} at 100/s, p99", found[f"{key}_p99_ms"], "ms", at_most=P99_MS)


@pytest.mark.timeout(3600)
def test_a_thousand_events_a_second(in_turns: InTurns, figure: Figure) -> None:
    """At 1,000 events a second notices come in a quarter of the earlier build's time, entries no later."""
    turns = in_turns(LOAD, "latency", "1000", SECONDS, rounds=1, timeout_s=1_500)
    for name, found in (("", turns.new[0]), (", earlier build", turns.old[0])):
        for key, what in STAGES:
            for part in ("p50", "p99"):
                figure(f"{what} at 1,000/s, {part}{name}", found[f"{key}_{part}_ms"], "ms")
        for key, value in found.items():
            if key.startswith("cpu_us_"):
                figure(f"processor time, {key.removeprefix('cpu_us_')}{name}", value, "us an event")
    bounds = {"notice": NOTICE_P99_RATIO, "entry": ENTRY_P99_RATIO}
    for key, what in STAGES:
        ratio = turns.ratio(f"{key}_p99_ms", lowest=True)
        figure(f"{what} at 1,000/s, p99 against the earlier build", ratio, "x", at_most=bounds[key])


@pytest.mark.timeout(7200)
def test_memory_at_a_backlog(figure: Figure) -> None:
    """No service holds more than the bound while it works off a backlog."""
    found = new_build().run(LOAD, "memory", BACKLOG, timeout_s=7_000)
    figure("backlog", found["events"], "events")
    figure("worked off by all services", found["events"] / found["seconds"], "events/s")
    for key, value in found.items():
        if key.startswith("mb_"):
            name = f"most resident memory, {key.removeprefix('mb_')}"
            figure(name, value, "MB", at_most=None if key == "mb_web" else MOST_MB)


def test_the_idle_bus(stack: Stack, figure: Figure) -> None:
    """All processes of an idle bus together take less than a fifth of one core."""
    own = psutil.Process()
    before, mine = cpu_seconds(stack), sum(own.cpu_times()[:2])
    begun = time.monotonic()
    while time.monotonic() - begun < IDLE_S:
        time.sleep(0.5)
    spent = {name: value - before[name] for name, value in cpu_seconds(stack).items()}
    spent["supervisor"] = sum(own.cpu_times()[:2]) - mine
    seconds = time.monotonic() - begun
    for name, value in spent.items():
        figure(f"idle: {name}", 100 * value / seconds, "% of a core")
    share = 100 * sum(spent.values()) / seconds
    figure("idle: all", share, "% of a core", at_most=100 * IDLE_SHARE_OF_A_CORE)
    processes = [own, *(psutil.Process(pid) for pid in pids_of(stack).values())]
    figure("idle: all, resident memory", sum(one.memory_info().rss for one in processes) / 1e6, "MB")
