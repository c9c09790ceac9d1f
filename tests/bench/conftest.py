"""What every benchmark may ask for: a broker of its own, figures that are shown at the end, the old build.

CASEBUS_BENCH_FIGURES names a file into which all figures are written as JSON.
"""

import json
import os
import shutil
from collections.abc import Generator, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from bench.baseline import InTurns, NoBaseline, Turns
from bench.baseline import in_turns as run_in_turns
from bench.figures import Figure, Noted
from casebus_deploy.embedded.broker import EmbeddedBroker

FIGURES_VARIABLE = "CASEBUS_BENCH_FIGURES"

_noted: list[Noted] = []
_of_this_test: list[Noted] = []


@pytest.fixture
def figure(request: pytest.FixtureRequest) -> Figure:
    """Notes figures that are printed when the whole run is over."""
    test = f"{Path(request.node.path).name}::{request.node.name}"

    def note(
        name: str,
        value: float,
        unit: str = "",
        *,
        at_least: float | None = None,
        at_most: float | None = None,
    ) -> None:
        one = Noted(test, name, float(value), unit, at_least, at_most)
        _noted.append(one)
        _of_this_test.append(one)

    return note


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call() -> Generator[None, object, object]:
    """Fails a test whose figures do not keep their bounds."""
    _of_this_test.clear()
    result = yield
    missed = [str(one) for one in _of_this_test if not one.held]
    assert not missed, "\n".join(missed)
    return result


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Shows all figures, those of passing tests too."""
    if not _noted:
        return
    load = " ".join(f"{one:.1f}" for one in os.getloadavg())
    terminalreporter.section(f"figures ({os.cpu_count()} cores, load {load})")
    test = ""
    for one in _noted:
        if one.test != test:
            test = one.test
            terminalreporter.line(test)
        terminalreporter.line(f"  {one}")
    if named := os.environ.get(FIGURES_VARIABLE):
        body = {"load": os.getloadavg(), "figures": [asdict(one) for one in _noted]}
        Path(named).write_text(json.dumps(body, indent=1) + "\n", encoding="utf-8")


# --- A broker for each file: benchmarks want other partition counts, and no other's load ---------------


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedBroker]:
    """A running Kafka of this file's own."""
    folder = tmp_path_factory.mktemp("broker")
    running = EmbeddedBroker(folder)
    try:
        running.start()
        yield running
    finally:
        running.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def credentials(broker: EmbeddedBroker, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of `<principal>.password` files, once the whole topology (N = 4) is on `broker`."""
    from support.ledger.laid_out import lay_out

    return lay_out(broker, tmp_path_factory.mktemp("credentials"))


# --- Old and new in turns --------------------------------------------------------------------------------


@pytest.fixture
def in_turns() -> InTurns:
    """`baseline.in_turns`; where there is no old build the test is skipped with the reason."""

    def turns(script: Path, *arguments: str, **options: Any) -> Turns:
        try:
            return run_in_turns(script, *arguments, **options)
        except NoBaseline as error:
            pytest.skip(f"nothing to compare with: {error}")

    return turns
