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


def run(folder: Path, source: str, ci: str) -> subprocess.CompletedProcess[str]:
    """Run pytest on one file beside a copy of our conftest."""
    shutil.copy(CONFTEST, folder / "conftest.py")
    (folder / "test_it.py").write_text(source)
    (folder / "pytest.ini").write_text("[pytest]\n")
    env = {**os.environ, "CI": ci, "CASEBUS_VECTORS": "", "PYTEST_ADDOPTS": ""}
    command = [sys.executable, "-m", "pytest", "-ra", "-p", "no:cacheprovider", str(folder)]
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize("source", CASES.values(), ids=CASES.keys())
def test_a_skip_fails_in_ci_and_only_there(tmp_path: Path, source: str) -> None:
    """Whatever way a test is skipped, it is a failure in CI that names the reason, elsewhere a skip."""
    here = run(tmp_path, source, ci="")
    assert "1 skipped" in here.stdout
    assert "failed" not in here.stdout
    there = run(tmp_path, source, ci="true")
    assert there.returncode != 0
    assert "lacks a thing" in there.stdout or "CASEBUS_VECTORS" in there.stdout
    assert "skipped in" not in there.stdout


def test_an_expected_failure_is_no_skip(tmp_path: Path) -> None:
    """A known gap marked as an expected failure does not fail in CI."""
    source = "import pytest\n@pytest.mark.xfail(strict=True)\ndef test_it(): assert False\n"
    assert run(tmp_path, source, ci="true").returncode == 0
