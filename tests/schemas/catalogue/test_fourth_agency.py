"""A fourth full agency is added by two files, as docs/how-to/add-an-agency.md says."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import casebus_schemas

ROOT = Path(__file__).resolve().parents[3]
GUIDE = (ROOT / "docs" / "how-to" / "add-an-agency.md").read_text(encoding="utf-8")


def _written(heading: str) -> str:
    """The lines that the guide gives under a comment of that heading, as they stand in the file."""
    found = re.search(rf"   # {heading}\n(.*?)   ```", GUIDE, re.DOTALL)
    assert found is not None, heading
    return "".join(line.removeprefix("   ") for line in found[1].splitlines(keepends=True))


@pytest.fixture(scope="module")
def with_customs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a bus does whose package differs in agencies.yaml and events.yaml alone."""
    folder = tmp_path_factory.mktemp("customs")
    package = folder / "schemas" / "casebus_schemas"
    shutil.copytree(
        Path(casebus_schemas.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__")
    )
    members = (package / "agencies.yaml").read_text(encoding="utf-8")
    members = members.replace("\nmembers:\n", _written("agencies.yaml, roles") + "\nmembers:\n", 1)
    (package / "agencies.yaml").write_text(members + _written("agencies.yaml, members"), encoding="utf-8")
    events = (package / "events.yaml").read_text(encoding="utf-8")
    speakers = _written("events.yaml, speakers of what a regulator says").strip().removesuffix("]")
    events = events.replace("speakers: [regulator", speakers)
    (package / "events.yaml").write_text(events, encoding="utf-8")
    path = os.pathsep.join([str(package.parent), str(ROOT / "tests")])
    done = subprocess.run(
        [sys.executable, "-m", "support.fourth_agency", str(folder / "bus")],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    body: dict[str, Any] = json.loads(done.stdout)
    assert body["package"] == str(package)
    return body


def test_it_takes_part(with_customs: dict[str, Any]) -> None:
    """It is a full agency with its role, its topics, its login, its key and its access rules."""
    assert with_customs["agencies"] == ["csrc", "mps", "spp", "customs"]
    assert with_customs["roles"] == ["customs-office", "agency", "member"]
    channels = ("clue", "consultation", "key", "record", "referral")
    delivered = ("dead-letter", "inbox", "receipt")
    assert set(with_customs["topics"]) == {
        *(f"customs.{channel}" for channel in channels),
        *(f"{kind}.customs" for kind in delivered),
    }
    assert with_customs["writes"] == ["customs."]
    assert {"csrc", "customs", "court"} <= set(with_customs["key_readers"])
    assert "customs" in with_customs["logins"]
    assert (with_customs["signs"], with_customs["connection"], with_customs["pages"]) == (True, True, True)


def test_it_says_what_its_role_says(with_customs: dict[str, Any]) -> None:
    """It may say what names its role and what every agency may, and no more; by law it hears of nothing."""
    said = set(with_customs["says"])
    assert {"referral.submitted", "clue.submitted", "consultation.requested", "receipt.signed"} <= said
    assert not {type for type in said if type.startswith(("progress.", "outcome.", "supervision.transfer"))}
    assert with_customs["told_by_law"] == []


def test_the_router_admits_what_it_may_say(with_customs: dict[str, Any]) -> None:
    """Its referral is admitted and told as the law says; what only the police may say is refused."""
    assert with_customs["referral"] == {
        "verdict": "admitted",
        "code": None,
        "told": {"mps": "to", "spp": "by-law"},
    }
    assert with_customs["addressed"]["told"] == {"customs": "to", "spp": "by-law"}
    assert with_customs["assignment"] == {"verdict": "refused", "code": "not-authorised", "told": {}}


def test_its_account_is_compared_with_the_others(with_customs: dict[str, Any]) -> None:
    """Its amounts (R30) and suspects (R31) are held against the regulator's; it is told how to correct."""
    found = {finding["rule"]: finding for finding in with_customs["findings"]}
    assert found["R30"]["agencies"] == ["csrc", "customs"]
    assert found["R31"]["agencies"] == ["csrc", "customs"]
    assert found["R31"]["suggestion"] == ["referral.corrected", "customs"]
