"""The rules of the house that no linter knows."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SHELVES = ("schemas", "producers", "services", "consumers", "deploy")
MODULES = sorted(file for shelf in SHELVES for file in (ROOT / shelf).rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
MOST_LINES = 400
VAGUE = {"utils", "util", "helpers", "helper", "common", "manager", "misc"}


def name(file: Path) -> str:
    """The path below the root of the repository."""
    return str(file.relative_to(ROOT))


def tracked() -> list[Path]:
    """All text files of the repository."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    files = [ROOT / entry for entry in listed.decode().split("\0") if entry]
    return [file for file in files if file.is_file() and b"\0" not in file.read_bytes()[:1024]]


@pytest.mark.parametrize("file", MODULES, ids=name)
def test_a_module_opens_with_its_caption_and_is_short(file: Path) -> None:
    """Every module begins with a one-line caption, stays below 400 lines and has a telling name."""
    source = file.read_text(encoding="utf-8")
    if not source.strip():
        return
    caption = (ast.get_docstring(ast.parse(source)) or "").partition("\n\n")[0]
    assert caption, "no caption"
    assert "\n" not in caption, "the caption is longer than a line"
    assert len(source.splitlines()) < MOST_LINES
    assert file.stem not in VAGUE


@pytest.mark.parametrize("file", TESTS, ids=name)
def test_a_test_says_what_it_holds(file: Path) -> None:
    """Every test function has a docstring."""
    functions = [node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.FunctionDef)]
    silent = [
        node.name for node in functions if node.name.startswith("test_") and not ast.get_docstring(node)
    ]
    assert silent == []


def test_the_repository_names_no_machine_and_no_registry_host() -> None:
    """No file holds a path of one machine or the host of a package registry."""
    # Written in pieces, so that this file does not hold them either.
    hosts = ["pypi." + "org", "python" + "hosted.org", "maven." + "org", "maven." + "apache.org"]
    paths = ["/ro" + "ot/", "/wo" + "rk/", "../sha" + "red", "/tmp/br" + "ief"]
    pattern = re.compile("|".join(map(re.escape, hosts + paths)))
    found = {
        name(f): hit.group() for f in tracked() if (hit := pattern.search(f.read_text(errors="replace")))
    }
    assert found == {}


def test_make_only_calls_dev_py() -> None:
    """Every recipe of the Makefile is one call of deploy/dev.py."""
    recipes = [line for line in (ROOT / "Makefile").read_text().splitlines() if line.startswith("\t")]
    assert recipes
    assert all(line.startswith("\t@$(PYTHON) deploy/dev.py ") for line in recipes)


def test_an_older_python_is_told_what_is_needed() -> None:
    """deploy/dev.py can be read by Python 3.8, which then says which version is needed."""
    source = (ROOT / "deploy" / "dev.py").read_text()
    assert ast.parse(source, feature_version=(3, 8))
    assert "needs Python 3.11 or newer" in source
