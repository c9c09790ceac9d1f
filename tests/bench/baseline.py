"""The earlier build that speed is compared with: a git worktree with a virtual environment of its own.

`python tests/bench/baseline.py` makes it ready and prints its folder; with `SCRIPT ARGUMENTS…` it runs that
script under the earlier build. The same script is run under both builds in turns (`in_turns`): it must import
only what both have (`bench.either` finds what was moved), and print its figures as one JSON object, the last
line that begins with `{`.
"""

import fcntl
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

COMMIT = "99a179f"
ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".bench" / COMMIT
_INSTALL = "import sys; sys.path.insert(0, 'deploy'); import dev; dev.setup('dev')"

Figures = dict[str, Any]


class InTurns(Protocol):
    """What the fixture `in_turns` gives: `in_turns` below."""

    def __call__(
        self,
        script: Path,
        *arguments: str,
        rounds: int = 3,
        environment: Mapping[str, str] | None = None,
        timeout_s: float = 600,
    ) -> "Turns": ...


class NoBaseline(Exception):
    """The earlier build cannot be had; the text says why and what helps."""


@dataclass(frozen=True, slots=True)
class Build:
    """A checkout with its interpreter. `name` is `old` or `new`."""

    name: str
    root: Path
    python: Path

    def run(
        self,
        script: Path,
        *arguments: str,
        environment: Mapping[str, str] | None = None,
        timeout_s: float = 600,
    ) -> Figures:
        """The figures that a script prints under this build, whose `tests` folder it may import from."""
        # Its own support first, then what this checkout's benchmarks share (`bench.either`).
        paths = os.pathsep.join([str(self.root / "tests"), str(ROOT / "tests")])
        done = subprocess.run(
            [str(self.python), str(script), *arguments],
            env={**os.environ, **(environment or {}), "PYTHONPATH": paths},
            cwd=self.root,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )
        lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
        if done.returncode != 0 or not lines:
            raise AssertionError(
                f"{script.name} under the {self.name} build: {done.stderr[-3000:] or 'no figures'}"
            )
        figures: Figures = json.loads(lines[-1])
        return figures


@dataclass(frozen=True, slots=True)
class Turns:
    """Figures of both builds, a pair for each round."""

    old: list[Figures]
    new: list[Figures]

    def best(self, key: str, *, lowest: bool = False) -> tuple[float, float]:
        """The best figure of the old and of the new build: what disturbs a round only ever makes it worse."""
        choose = min if lowest else max
        return choose(float(one[key]) for one in self.old), choose(float(one[key]) for one in self.new)

    def ratio(self, key: str, *, lowest: bool = False) -> float:
        """The new build's best figure divided by the old one's."""
        old, new = self.best(key, lowest=lowest)
        return new / old


def new_build() -> Build:
    """This checkout."""
    return Build("new", ROOT, Path(sys.executable))


def old_build() -> Build:
    """The earlier build, made if it is not there. Idempotent, quick the second time.

    Raises NoBaseline if the history does not hold its commit or its packages cannot be installed.
    """
    FOLDER.parent.mkdir(exist_ok=True)
    with _alone(FOLDER.parent / "lock"):
        if _head(FOLDER) is None:
            _check_out()
        python = FOLDER / ".venv" / "bin" / "python"
        # Its own set-up: quick if the environment is there and fits.
        made = _run([_base_python(), "-c", _INSTALL], FOLDER)
        if made.returncode != 0 or not python.exists():
            raise NoBaseline(
                f"the environment of {COMMIT} was not made: {(made.stderr or made.stdout).strip()[-500:]}"
            )
    return Build("old", FOLDER, python)


def in_turns(
    script: Path,
    *arguments: str,
    rounds: int = 3,
    environment: Mapping[str, str] | None = None,
    timeout_s: float = 600,
) -> Turns:
    """Runs a script under both builds in turns, so that what else the machine does hits both.

    Raises NoBaseline as `old_build` does.
    """
    old, new = old_build(), new_build()
    turns = Turns([], [])
    for number in range(rounds):
        for build in (old, new) if number % 2 == 0 else (new, old):
            found = build.run(script, *arguments, environment=environment, timeout_s=timeout_s)
            (turns.old if build is old else turns.new).append(found)
    return turns


def _check_out() -> None:
    if _run(["git", "cat-file", "-e", f"{COMMIT}^{{commit}}"], ROOT).returncode != 0:
        raise NoBaseline(
            f"the history of this checkout does not hold commit {COMMIT} (a shallow clone?): "
            "`git fetch --unshallow` brings it"
        )
    # A folder that was removed by hand is still known to git; one that was half made is in the way.
    _run(["git", "worktree", "prune"], ROOT)
    shutil.rmtree(FOLDER, ignore_errors=True)
    made = _run(["git", "worktree", "add", "--force", "--detach", str(FOLDER), COMMIT], ROOT)
    if made.returncode != 0:
        raise NoBaseline(f"git made no worktree of {COMMIT}: {made.stderr.strip()[-500:]}")


def _head(folder: Path) -> str | None:
    """The commit that the worktree stands at, None if it is not that of the baseline."""
    if not (folder / ".git").exists():
        return None
    head = _run(["git", "rev-parse", "HEAD"], folder).stdout.strip()
    return head if head.startswith(COMMIT) else None


def _base_python() -> str:
    # Not the environment's link: the earlier build's own environment is made from the Python below it.
    return str(getattr(sys, "_base_executable", sys.executable))


def _run(command: Sequence[str], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@contextmanager
def _alone(file: Path) -> Iterator[None]:
    with file.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    try:
        build = old_build()
        if sys.argv[1:]:
            print(json.dumps(build.run(Path(sys.argv[1]).resolve(), *sys.argv[2:])))
        else:
            print(build.root)
    except NoBaseline as reason:
        sys.exit(str(reason))
