"""The scenes of the whole-stack crash tests, and their figures at the end of a run."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.scenes.crash_scene import Scenes

_FIGURES = pytest.StashKey[list[str]]()


@pytest.fixture(scope="session")
def scenes(request: pytest.FixtureRequest) -> Iterator[Scenes]:
    """Buses that share one set of keys and their calm runs."""
    folder = Path(tempfile.mkdtemp(prefix="casebus-scenes-"))
    yield Scenes(folder, request.config.stash.setdefault(_FIGURES, []).append)
    shutil.rmtree(folder, ignore_errors=True)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say what each scene gave: docs/reliability.md keeps these lines."""
    if figures := config.stash.get(_FIGURES, []):
        terminalreporter.section("crash runs")
        for line in figures:
            terminalreporter.line(line)
