"""The how-to pages, followed literally: what they tell to write, and a copy of the package for it."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import casebus_schemas

ROOT = Path(__file__).resolve().parents[3]


def written(page: str, file: str) -> str:
    """What a page of docs/how-to gives under a comment of that heading, without the indent of its list."""
    text = (ROOT / "docs" / "how-to" / page).read_text(encoding="utf-8")
    found = re.search(rf"^   # {re.escape(file)}\n(.*?)^   ```", text, re.DOTALL | re.MULTILINE)
    assert found is not None, file
    return "".join(line.removeprefix("   ") for line in found[1].splitlines(keepends=True))


def copied_package(folder: Path) -> Path:
    """A copy of the package of schemas in a folder, to be changed."""
    package = folder / "schemas" / "casebus_schemas"
    shutil.copytree(
        Path(casebus_schemas.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__")
    )
    return package


def run_with(package: Path, *arguments: str, fails: bool = False) -> str:
    """What a Python program prints that imports this copy instead of the installed package."""
    path = os.pathsep.join([str(package.parent), str(ROOT / "tests")])
    done = subprocess.run(
        [sys.executable, *arguments],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode != 0) == fails, done.stdout + done.stderr
    return done.stdout + (done.stderr if fails else "")


def blocks(page: str, language: str) -> list[str]:
    """The fenced blocks of that language on a page of docs/how-to, in their order."""
    text = (ROOT / "docs" / "how-to" / page).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
