"""A fourth full agency is added by two files, as docs/how-to/add-an-agency.md says."""

import json
from typing import Any

import pytest

from support.cases.guides import copied_package, run_with, written

PAGE = "add-an-agency.md"

pytestmark = pytest.mark.thorough


@pytest.fixture(scope="module")
def with_customs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a bus does whose package differs in agencies.yaml and events.yaml alone."""
    folder = tmp_path_factory.mktemp("customs")
    package = copied_package(folder)
    members = (package / "agencies.yaml").read_text(encoding="utf-8")
    members = members.replace("\nmembers:\n", written(PAGE, "agencies.yaml, roles") + "\nmembers:\n", 1)
    members += written(PAGE, "agencies.yaml, members")
    (package / "agencies.yaml").write_text(members, encoding="utf-8")
    events = (package / "events.yaml").read_text(encoding="utf-8")
    speakers = written(PAGE, "events.yaml, speakers of what a regulator says").strip().removesuffix("]")
    (package / "events.yaml").write_text(events.replace("speakers: [regulator", speakers), encoding="utf-8")
    body: dict[str, Any] = json.loads(
        run_with(package, "-m", "support.events.fourth_agency", str(folder / "bus"))
    )
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
    assert with_customs["addressed"]["told"] == {"customs": "to", "mps": "to", "spp": "by-law"}
    assert with_customs["assignment"] == {"verdict": "refused", "code": "not-authorised", "told": {}}


def test_c12_its_account_is_compared_with_the_others(with_customs: dict[str, Any]) -> None:
    """Its amounts (R30) and suspects (R31) are held against the regulator's; it is told how to correct."""
    found = {finding["rule"]: finding for finding in with_customs["findings"]}
    assert found["R30"]["agencies"] == ["csrc", "customs"]
    assert found["R31"]["agencies"] == ["csrc", "customs"]
    assert found["R31"]["suggestion"] == ["referral.corrected", "customs"]
