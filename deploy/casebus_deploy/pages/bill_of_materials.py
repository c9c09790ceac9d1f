"""What casebus is made of: docs/sbom.cdx.json (CycloneDX) and docs/licences.md, from the locks."""

import json
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from casebus_schemas.errors import UsageError
from casebus_schemas.strict_yaml import entries, known_keys, read_yaml, text

ROOT = Path(__file__).resolve().parents[3]
LOCK = ROOT / "requirements" / "run.lock"
JARS = ROOT / "deploy" / "casebus_deploy" / "embedded" / "jars.lock"
LICENCES = "licences.yaml"

_LOCKED = re.compile(r"(?m)^([A-Za-z0-9_.-]+)==([^ ;\\]+)")
_HEAD = """# Licences

Generated from the locks and `deploy/casebus_deploy/pages/licences.yaml`. casebus is Apache-2.0. It is
installed with the packages below as far as an extra needs them; none of their code is in its own package. The
archives are the embedded Kafka's, fetched by `casebus up` and `casebus demo`. The same as a bill of materials
in CycloneDX: [sbom.cdx.json](sbom.cdx.json).
"""


@dataclass(frozen=True, slots=True)
class Component:
    """A package or archive that is locked. `sha256` is that of an archive; the lock has the packages'."""

    name: str
    version: str
    licence: str
    purl: str
    sha256: str | None = None


def components() -> list[Component]:
    """All that the locks name, packages first. Raises UsageError for one without a written licence."""
    whole = read_yaml(LICENCES, (files("casebus_deploy.pages") / LICENCES).read_text(encoding="utf-8"))
    known_keys(LICENCES, whole, required=("packages", "archives"))
    said = {
        kind: {str(name): text(LICENCES, name, value) for name, value in entries(LICENCES, whole[kind])}
        for kind in ("packages", "archives")
    }
    locked = [*_packages(said["packages"]), *_archives(said["archives"])]
    stale = {*said["packages"], *said["archives"]} - {one.name for one in locked}
    if stale:
        raise UsageError(f"{LICENCES}: not locked any more", found=", ".join(sorted(stale)))
    return locked


def bill_of_materials() -> str:
    """The document of CycloneDX 1.6. It has no time or number of its own: equal locks give equal bytes."""
    own = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    root = f"pkg:pypi/casebus@{own['version']}"
    found = components()
    document: dict[str, Any] = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": root,
                "name": "casebus",
                "version": own["version"],
                "description": own["description"],
                "licenses": [{"expression": own["license"]}],
                "purl": root,
            }
        },
        "components": [_component(one) for one in found],
        "dependencies": [{"ref": root, "dependsOn": [one.purl for one in found]}],
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def licences_page() -> str:
    """The page as the file holds it."""
    rows = "\n".join(f"| {one.name} | {one.version} | {one.licence} |" for one in components())
    return f"{_HEAD}\n| package or archive | version | licence |\n|---|---|---|\n{rows}\n"


def _packages(licences: dict[str, str]) -> Iterator[Component]:
    for name, version in _LOCKED.findall(LOCK.read_text(encoding="utf-8")):
        yield Component(name, version, _licence(licences, name), f"pkg:pypi/{name}@{version}")


def _archives(licences: dict[str, str]) -> Iterator[Component]:
    for line in JARS.read_text(encoding="utf-8").splitlines():
        digest, _, place = line.partition("  ")
        if not place:
            continue
        group, name, version = place.split(":")[:3]
        full = f"{group}/{name}"
        yield Component(full, version, _licence(licences, full), f"pkg:maven/{full}@{version}", sha256=digest)


def _licence(licences: dict[str, str], name: str) -> str:
    if name not in licences:
        raise UsageError(
            f"{LICENCES}: no licence of a package",
            found=name,
            expected="its SPDX expression",
            remedy="look it up in the package's metadata, and whether it fits Apache-2.0",
        )
    return licences[name]


def _component(one: Component) -> dict[str, Any]:
    found: dict[str, Any] = {
        "type": "library",
        "bom-ref": one.purl,
        "name": one.name.rpartition("/")[2],
        "version": one.version,
        "licenses": [{"expression": one.licence}],
        "purl": one.purl,
    }
    if "/" in one.name:
        found["group"] = one.name.partition("/")[0]
    if one.sha256 is not None:
        found["hashes"] = [{"alg": "SHA-256", "content": one.sha256}]
    return found
