"""The bill of materials is CycloneDX, names all that is locked, and says the licences that packages say."""

import json
import re
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from casebus_deploy.pages import bill_of_materials as bill
from casebus_schemas.errors import UsageError

WORDS = {
    "MIT": "MIT",
    "Apache": "Apache",
    "BSD": "BSD",
    "MPL": "MPL|Mozilla",
    "LGPL": "LGPL|Lesser",
    "GPL": "GPL",
    "PSF": "PSF|Python Software",
    "ISC": "ISC",
    "LicenseRef-Repoze": "Repoze",
}
"""How the beginning of an SPDX expression is said where a package has none."""
FIT = re.compile(r"(?!A?GPL|SSPL|BUSL|CC-BY-NC)\S+|GPL-2.0-only WITH Classpath-exception-2.0")


def test_it_is_a_document_of_cyclonedx() -> None:
    """The library of CycloneDX takes it, strictly, and takes nothing else for it."""
    validator = JsonStrictValidator(SchemaVersion.V1_6)
    text = bill.bill_of_materials()
    assert validator.validate_str(text) is None
    assert validator.validate_str(text.replace('"purl"', '"pearl"')) is not None


def test_it_names_all_that_is_locked() -> None:
    """Every package of the lock and every archive is in it, once, in the locked version."""
    lines = (bill.ROOT / "requirements" / "run.lock").read_text().splitlines()
    packages = [line.split()[0].replace("==", "@") for line in lines if "==" in line and line[0] != " "]
    named = [one["purl"] for one in json.loads(bill.bill_of_materials())["components"]]
    assert [one.removeprefix("pkg:pypi/") for one in named if "pypi" in one] == packages
    archives = [line for line in bill.JARS.read_text().splitlines() if line and line[0] != "#"]
    assert sum("maven" in one for one in named) == len(archives)
    assert len(set(named)) == len(named)


@pytest.mark.parametrize("one", bill.components(), ids=lambda one: one.name)
def test_a_licence_is_the_one_that_the_package_states(one: bill.Component) -> None:
    """The expression is that of the package's metadata, or fits its words; none forbids our own licence."""
    assert FIT.fullmatch(one.licence) or " " in one.licence
    if "/" in one.name:
        return
    try:
        said = metadata(one.name).json
    except PackageNotFoundError:  # of another platform
        return
    if (expression := said.get("license_expression")) is not None:
        assert one.licence == expression
        return
    words = " ".join([str(said.get("license")), *said.get("classifier", ())])
    begins = next(word for word in WORDS if one.licence.startswith(word))
    assert re.search(WORDS[begins], words), words[:200]


def test_a_package_without_a_licence_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody adds a package without looking at its licence, and nobody keeps one that is gone."""
    lock, file = bill.LOCK.read_text(), tmp_path / "run.lock"
    monkeypatch.setattr(bill, "LOCK", file)
    for text, named in (
        (f"{lock}\nanother==1.0\n", "another"),
        (re.sub(r"(?m)^typer==.*$", "", lock), "typer"),
    ):
        file.write_text(text)
        with pytest.raises(UsageError, match=named):
            bill.components()
