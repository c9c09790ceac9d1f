"""The page of settings names every variable that the code reads, and none that it does not."""

import re
from pathlib import Path

from casebus_deploy.pages.settings_page import settings, settings_page
from casebus_services.config import ServiceSettings

ROOT = Path(__file__).resolve().parents[3]
SHELVES = ("schemas", "producers", "services", "consumers", "deploy/casebus_deploy")
FOR_TESTS = re.compile("CASEBUS_(FAULT|SMOKE|VECTORS)")


def test_every_variable_in_the_code_is_on_the_page() -> None:
    """Who meets a variable in an error or a file of the package finds it."""
    sources = [file.read_text(encoding="utf-8") for shelf in SHELVES for file in (ROOT / shelf).rglob("*.py")]
    met = {name for source in sources for name in re.findall(r"CASEBUS_[A-Z][A-Z_]*[A-Z]", source)}
    page = set(re.findall(r"CASEBUS_[A-Z_]+", settings_page()))
    assert {name for name in met if not FOR_TESTS.match(name)} - page == set()


def test_what_no_class_holds_is_read_by_name() -> None:
    """The variables of settings.yaml stand in the code as they are written there."""
    sources = "".join(
        file.read_text(encoding="utf-8") for shelf in SHELVES for file in (ROOT / shelf).rglob("*.py")
    )
    assert [one.name for one in settings()["Everywhere"] if one.name not in sources] == []


def test_each_has_a_meaning_and_the_default_of_its_class() -> None:
    """No row is empty; what has no default has to be given."""
    every = [one for found in settings().values() for one in found]
    assert all(one.means for one in every)
    services = {
        one.name: one.default for name, found in settings().items() if "router" in name for one in found
    }
    assert services["CASEBUS_SEAL_ENTRIES"] == f"`{ServiceSettings.model_fields['seal_entries'].default}`"
    assert services["CASEBUS_BOOTSTRAP_SERVERS"] is None
