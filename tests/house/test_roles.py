"""No program knows an agency by name: it asks for roles, so that another agency needs no change there."""

import ast
from pathlib import Path

import pytest

from casebus_schemas.agencies import AGENCIES

ROOT = Path(__file__).resolve().parents[2]
SHELVES = ("schemas", "producers", "services", "consumers", "deploy")
PROGRAMS = sorted(file for shelf in SHELVES for file in (ROOT / shelf).rglob("*.py"))


@pytest.mark.parametrize("file", PROGRAMS, ids=lambda file: str(file.relative_to(ROOT)))
def test_no_program_names_an_agency(file: Path) -> None:
    """No text of a program is the name of an agency."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    named = [
        node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and node.value in AGENCIES
    ]
    assert named == []
