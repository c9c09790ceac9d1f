"""Answers, corrections and withdrawals are made from what the agency knows, and the door takes them."""

import json
from importlib.resources import files
from typing import Any

import pytest

from casebus_consumers.liaison.answering import Moment, answer, correction, in_force, withdrawal
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.errors import UsageError
from casebus_schemas.wire.door import parse_event

CATALOG = Catalog.load()
NOW = Moment("2022-10-01T01:00:00Z", "second")
FINDING = "09b114ca-a85c-5da1-8a9e-702456c395a7"
DIGEST = "ab" * 32


def example(type: str) -> dict[str, Any]:
    """The example of an event type as JSON of the door."""
    found: dict[str, Any] = json.loads(
        (files("casebus_schemas") / "examples" / f"{type}.1.json").read_text(encoding="utf-8")
    )
    return found


def notices() -> list[dict[str, Any]]:
    """An inbox that tells of one finding."""
    return [
        {"event": example("referral.filed"), "digest": "cd" * 32},
        {"event": example("finding.opened"), "digest": DIGEST},
    ]


@pytest.mark.parametrize("named", [FINDING, FINDING[:8], FINDING.upper()])
def test_c7_a_finding_is_answered_by_the_id_that_the_inbox_shows(named: str) -> None:
    """The event names the finding, answers the notice of the bus, and goes to the other agencies in it."""
    event = answer(notices(), "csrc", named, "口径不同", NOW, officer="officer 7")
    assert parse_event(event, CATALOG).type == "finding.explained"
    assert (event["subject"], event["source"]) == (example("finding.opened")["subject"], "/csrc")
    data = event["data"]
    assert (data["finding"], data["explanation"], data["officer"]) == (FINDING, "口径不同", "officer 7")
    envelope = data["envelope"]
    assert (envelope["to"], envelope["in_reply_to_hash"]) == (["mps"], DIGEST)
    assert envelope["in_reply_to"] == example("finding.opened")["id"]


def test_c7_a_finding_is_accepted() -> None:
    """Accepting says so, with reasons where there are any."""
    event = answer(notices(), "mps", FINDING, "", NOW, says="accepted")
    assert parse_event(event, CATALOG).type == "finding.accepted"
    assert event["data"]["reasons"] is None


@pytest.mark.parametrize("named", ["cf317e9b-9211-56d8-b42b-294acdefa485", "nothing", "09b"])
def test_c7_an_unknown_finding_is_refused(named: str) -> None:
    """An id that is no finding's, be it that of the notice, is refused, and the known ones are named."""
    with pytest.raises(UsageError, match=FINDING):
        answer(notices(), "csrc", named, "why", NOW)


def test_c7_a_correction_states_the_facts_again() -> None:
    """A correction has the facts of the event that it names, with the changes, and its reasons."""
    said = example("referral.submitted")
    changes = ["amounts/0/value=4619.00"]
    event = correction(said, DIGEST, "csrc", changes, "金额单位有误", NOW, CATALOG)
    assert parse_event(event, CATALOG).type == "referral.corrected"
    data = event["data"]
    assert (data["envelope"]["corrects"], data["reasons"]) == (DIGEST, "金额单位有误")
    assert data["suspects"] == said["data"]["suspects"]
    assert data["amounts"][0] == {**said["data"]["amounts"][0], "value": "4619.00"}
    assert event.get("subject") == said["subject"]


def test_a_correction_does_not_take_over_what_was_sealed() -> None:
    """Sealed bytes open at their own event alone; who corrects personal data seals them anew."""
    said = example("referral.submitted")
    said = {**said, "data": {**said["data"], "sealed": "Q0JT"}}
    event = correction(said, DIGEST, "csrc", [], "why", NOW, CATALOG)
    assert "sealed" not in event["data"]
    assert event["data"]["suspects"] == said["data"]["suspects"]


@pytest.mark.parametrize("change", ["amounts/9/value=1", "nothing=1", "amounts/0/value", "suspects/x=1"])
def test_c7_a_change_of_nothing_is_refused(change: str) -> None:
    """A pointer that leads nowhere is wrong use."""
    with pytest.raises(UsageError, match="no such field"):
        correction(example("referral.submitted"), DIGEST, "csrc", [change], "why", NOW, CATALOG)


def test_c7_a_withdrawal_names_what_it_withdraws() -> None:
    """A withdrawal goes to those who were told; what has no withdrawal is refused."""
    said = example("referral.submitted")
    event = withdrawal(said, DIGEST, "csrc", "重复移送", NOW, CATALOG)
    assert parse_event(event, CATALOG).type == "referral.withdrawn"
    envelope = event["data"]["envelope"]
    assert (envelope["withdraws"], envelope["to"]) == (DIGEST, said["data"]["envelope"]["to"])
    with pytest.raises(UsageError, match="no withdrawal"):
        withdrawal(example("referral.filed"), DIGEST, "mps", "why", NOW, CATALOG)


def test_c7_a_second_correction_begins_with_what_is_in_force() -> None:
    """What an earlier correction replaced is stated again, what it left empty stays as it was."""
    said, corrected = example("referral.submitted"), example("referral.corrected")
    corrected["data"] |= {"suspects": [], "amounts": [{**said["data"]["amounts"][0], "value": "1.00"}]}
    event = correction(in_force([said, corrected]), DIGEST, "csrc", [], "why", NOW, CATALOG)
    assert event["data"]["suspects"] == said["data"]["suspects"]
    assert event["data"]["amounts"] == corrected["data"]["amounts"]
    assert event["data"]["envelope"]["to"] == said["data"]["envelope"]["to"]
