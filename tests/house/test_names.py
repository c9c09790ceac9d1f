"""Names of test support: none hides a module of the standard library."""

import sys
from pathlib import Path


def test_support_hides_no_standard_module() -> None:
    """A worker script started from the support folder finds the standard library's modules, not ours."""
    folder = Path(__file__).resolve().parents[1] / "support"
    assert {file.stem for file in folder.rglob("*.py")} & sys.stdlib_module_names == set()
