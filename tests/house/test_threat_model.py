"""The threat model names tests that exist, and every fault that was found by trying has one."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "threat-model.md").read_text(encoding="utf-8")
TESTS = sorted(
    node.name
    for file in (ROOT / "tests").rglob("test_*.py")
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
    if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
)
NAMED = sorted(set(re.findall(r"`(test_\w+…?)`", PAGE)))


@pytest.mark.parametrize("name", NAMED)
def test_a_test_that_is_named_exists(name: str) -> None:
    """Each test that the page names is there; a name with an ellipsis begins at least one."""
    begins = name.removesuffix("…")
    assert begins in TESTS or (name.endswith("…") and any(test.startswith(begins) for test in TESTS))


def test_the_page_is_found_from_the_first_pages() -> None:
    """README and SECURITY.md lead to it."""
    for page in ("README.md", "SECURITY.md"):
        assert "docs/threat-model.md" in (ROOT / page).read_text(encoding="utf-8")


def test_the_page_names_tests() -> None:
    """Every kind of reader has lines, and most of them a test."""
    assert len(NAMED) >= 20
