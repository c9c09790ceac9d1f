"""No service knows another: they meet on topics, those too that no import contract names yet."""

import ast
from pathlib import Path

import pytest

from casebus_schemas.catalogue.services import services

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = {
    name: service.module.rpartition(".")[0]
    for name, service in services().items()
    if service.module.startswith("casebus_services.")
}

READS_TABLES_OF = {"sealer": "ledger"}
"""What seals a ledger reads its tables: it is the ledger's second process, which the ledger does not know."""


def _imported(file: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module)
    return found


@pytest.mark.parametrize("name", PACKAGES)
def test_a_service_imports_no_other(name: str) -> None:
    """No file of a service's folder imports another service of services.yaml, but for its tables."""
    allowed = (name, READS_TABLES_OF.get(name))
    others = {package for other, package in PACKAGES.items() if other not in allowed}
    files = list((ROOT / "services" / PACKAGES[name].replace(".", "/")).rglob("*.py"))
    assert files
    for file in files:
        assert not {
            module
            for module in _imported(file)
            if any(module == package or module.startswith(f"{package}.") for package in others)
        }, file
