"""Who could know of a security's case: by delivery, fetching and signature, as of a day."""

import random
from datetime import date
from typing import Any

import pytest

from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.case.insiders import insiders_of, names_security
from support.cases.chains import at, digest, say

PAPER = {"market": "SSE", "code": "600518", "name": None}


def _events() -> list[ChainEvent]:
    """Csrc asks spp first, refers to a unit of the police, which signs for it; court hears the end."""
    return [
        say("q", "consultation.requested", "2022-01-03T09:00", to=("spp",)),
        say(
            "r", "referral.submitted", "2022-01-04T10:00", to=("mps/economic",), told=("mps",), security=PAPER
        ),
        say(
            "g",
            "receipt.signed",
            "2022-01-05T10:00",
            agency="mps",
            to=("csrc",),
            event=digest("r"),
            received_at=at("2022-01-04T16:00"),
        ),
        say("v", "outcome.judgment", "2022-03-01T10:00", agency="spp", told=("court", "bus")),
    ]


def _since(until: str, code: str = "600518", market: str | None = None) -> dict[str, dict[str, str]]:
    shuffled = _events()
    random.Random(7).shuffle(shuffled)
    found = insiders_of(shuffled, code, at(until), market)
    return {one.agency: {level: f"{time:%m-%d %H}" for level, time in one.since.items()} for one in found}


def test_since_when_each_agency_could_know() -> None:
    """By delivery all that were told; by fetching and signature only who proved it, at the time it proved."""
    own = dict.fromkeys(("available", "fetched", "receipted"), "01-03 09")
    police = {"available": "01-04 10", "fetched": "01-04 16", "receipted": "01-04 16"}
    assert _since("2022-02-01") == {"csrc": own, "spp": {"available": "01-03 09"}, "mps": police}
    assert set(_since("2022-03-02")) == {"csrc", "spp", "mps", "court"}


def test_nobody_knew_before_an_event_named_the_security() -> None:
    """Until then the chain was not known to be about it; from then on who asked before counts, too."""
    assert _since("2022-01-04T10:00") == {}
    assert set(_since("2022-01-04T10:01")) == {"csrc", "spp", "mps"}
    assert _since("2022-03-02", code="600519") == {}


def test_a_code_belongs_to_its_market() -> None:
    """The same digits on another market are another security."""
    assert _since("2022-03-02", market="SZSE") == {}
    assert set(_since("2022-02-01", market="SSE")) == {"csrc", "spp", "mps"}
    assert not names_security(_events()[0], "600518")


def test_what_is_said_of_an_agency() -> None:
    """Its units, whether it was told the security itself, how many events, their highest handling."""
    found = {one.agency: one.to_json() for one in insiders_of(_events(), "600518", at("2022-03-02"))}
    assert found["mps"]["units"] == ["mps/economic"]
    assert (found["mps"]["names_security"], found["spp"]["names_security"]) == (True, False)
    counts = {agency: len(one["events"]) for agency, one in found.items()}
    assert counts == {"csrc": 3, "spp": 2, "mps": 2, "court": 1}
    assert found["csrc"]["handling"] == "H1"


@pytest.mark.parametrize("security", [None, {"market": "SSE", "code": None, "name": "康美"}])
def test_a_security_without_a_code_is_not_named(security: Any) -> None:
    """What has no code is no match for any."""
    event = say("r", "referral.submitted", "2022-01-04", security=security)
    assert not names_security(event, "600518")


def test_readers_whom_an_agency_names() -> None:
    """An access counts from its own time, also when it was logged later; a right from its first day."""
    access = {"officer": "经侦-07", "unit": "mps/economic", "event": digest("r"), "kind": "printed"}
    events = [
        *_events(),
        say(
            "l",
            "access.logged",
            "2022-04-01T10:00",
            agency="mps",
            accesses=[access | {"at": at("2022-01-06T15:00")}, access | {"at": at("2022-03-20T15:00")}],
        ),
        say(
            "a",
            "access.granted",
            "2022-01-10T10:00",
            agency="csrc",
            grantee="csrc/legal",
            events=[],
            begins_on=date(2022, 1, 12),
        ),
    ]

    def readers(until: str) -> dict[str, list[tuple[str, str, str, bytes | None]]]:
        found = insiders_of(events, "600518", at(until))
        return {
            one.agency: [(who.name, who.how, f"{who.at:%m-%d %H}", who.event) for who in one.readers]
            for one in found
            if one.readers
        }

    first = ("经侦-07", "printed", "01-06 15", digest("r"))
    legal = ("csrc/legal", "access.granted", "01-12 00", None)
    assert readers("2022-01-06T15:00") == {}
    assert readers("2022-01-12T00:01") == {"mps": [first], "csrc": [legal]}
    assert readers("2022-04-02")["mps"] == [first, ("经侦-07", "printed", "03-20 15", digest("r"))]
