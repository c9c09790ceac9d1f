"""A machine that lacks something must not look green."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = Path(__file__).resolve().parents[1] / "conftest.py"
CASES = {
    "test": "import pytest\ndef test_it(): pytest.skip('lacks a thing')\n",
    "mark": "import pytest\n@pytest.mark.skipif(True, reason='lacks a thing')\ndef test_it(): ...\n",
    "module": "import pytest\npytest.skip('lacks a thing', allow_module_level=True)\n",
    "vectors": "def test_it(vectors): ...\n",
}
EXPECTED = "import pytest\n@pytest.mark.xfail(strict=True)\ndef test_it(): assert False\n"


def _run(folder: Path, ci: str) -> list[str]:
    """What one run of pytest over all cases, beside a copy of our conftest, says of each at its end."""
    shutil.copy(CONFTEST, folder / "conftest.py")
    for name, source in {**CASES, "expected": EXPECTED}.items():
        (folder / f"test_{name}.py").write_text(source)
    (folder / "pytest.ini").write_text("[pytest]\n")
    env = {
        **os.environ,
        "CI": ci,
        "CASEBUS_VECTORS": "",
        "PYTEST_ADDOPTS": "",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    }
    command = [sys.executable, "-m", "pytest", "-ra", "-p", "no:cacheprovider", "--import-mode=importlib"]
    command += ["--continue-on-collection-errors", str(folder)]
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=120)
    return done.stdout.partition("short test summary info")[2].splitlines()


def test_a_skip_fails_in_ci_and_only_there(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Whatever way a test is skipped, it is a failure in CI that names the reason, elsewhere a skip.

    A known gap that is marked as an expected failure is no skip.
    """
    here, there = (_run(tmp_path_factory.mktemp("run"), ci) for ci in ("", "true"))
    for name in CASES:
        (skipped,) = [line for line in here if f"test_{name}.py" in line]
        (failed,) = [line for line in there if f"test_{name}.py" in line]
        assert skipped.startswith("SKIPPED")
        assert failed.startswith(("FAILED", "ERROR"))
        assert "lacks a thing" in failed or "CASEBUS_VECTORS" in failed
    assert [line.split()[0] for line in there if "test_expected.py" in line] == ["XFAIL"]
