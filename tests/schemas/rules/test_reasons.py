"""Why a case, a duty and a finding stand where they stand, in the JSON and on the screen."""

from typing import Any

import pytest

from casebus_consumers.liaison.case_screen import case_lines
from casebus_schemas.case.as_of import AsOf
from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.rules.case_view import case_view
from support.cases.chains import at, digest, say, suspects

LATE = "2022-01-20"


def _referred() -> ChainEvent:
    return say("s", "referral.submitted", "2022-01-04T10:00", to=("mps",), suspects=suspects("甲某"))


def _filed() -> ChainEvent:
    return say("f", "referral.filed", "2022-01-08T10:00", agency="mps", to=("csrc",), replies="s")


def _withdrawn(when: str) -> ChainEvent:
    return say("w", "referral.withdrawn", when, to=("mps",), withdraws="s")


def _events(reasons: list[dict[str, Any]]) -> list[str]:
    return [reason["event"] for reason in reasons]


@pytest.mark.parametrize(
    ("events", "status", "because"),
    [
        ([_referred()], "referred", ["s"]),
        ([_referred(), _filed()], "filed", ["f"]),
        ([_referred(), _withdrawn("2022-01-05T10:00")], "withdrawn", ["w"]),
    ],
    ids=["a suspect of the referral", "no charge is named", "taken back"],
)
def test_why_a_case_is_where_it_is(events: list[ChainEvent], status: str, because: list[str]) -> None:
    """By the events that brought it there, whether they name a suspect, none, or take all back."""
    view = case_view(events, at(LATE), why=True)
    assert view["status"] == status
    assert _events(view["why_status"]) == [digest(name).hex() for name in because]


def test_why_a_duty_stands() -> None:
    """DL10: started by the filing, decree 310 art. 12, met by the handing-over, whose event is named."""
    handed = say("h", "referral.handed_over", "2022-01-10T10:00", to=("mps",), replies="f")
    view = case_view([_referred(), _filed(), handed], at(LATE), why=True)
    (duty,) = [one for one in view["obligations"] if one["rule"] == "DL10"]
    assert duty["why"]["started_by"] == {
        "event": digest("f").hex(),
        "type": "referral.filed",
        "agency": "mps",
        "at": "2022-01-08T10:00:00+08:00",
    }
    assert [(law["instrument"], law["article"]) for law in duty["why"]["law"]] == [("decree-310", "12")]
    assert duty["why"]["met_by"]["event"] == digest("h").hex()
    assert duty["why"]["ended_by"] is None


def test_why_a_finding_stands() -> None:
    """R45: the rule's own words, and the two events on which it rests."""
    view = case_view([_referred(), _filed(), _withdrawn("2022-01-09T10:00")], at(LATE), why=True)
    (found,) = [one for one in view["findings"] if one["rule"] == "R45"]
    assert found["why"]["title"]["en"] == "a referral withdrawn after filing"
    assert set(_events(found["why"]["events"])) == {digest("f").hex(), digest("w").hex()}


def test_the_screen_says_it_only_when_asked() -> None:
    """Each reason on a line of its own with the event; none without `--why`."""
    events = [_referred(), _filed(), _withdrawn("2022-01-09T10:00")]
    lines = list(case_lines(case_view(events, at(LATE), why=True), why=True))
    filing = f"立案 referral.filed  公安部 mps  2022-01-08T10:00  {digest('f').hex()[:16]}"
    assert f"  因 because  {filing}" in lines
    assert f"    起于 started by   {filing}" in lines
    assert f"      依据 rests on  {filing}" in lines
    plain = "\n".join(case_lines(case_view(events, at(LATE))))
    assert not any(word in plain for word in ("because", "started by", "rests on"))


def test_reasons_name_nothing_that_an_agency_was_not_told() -> None:
    """What meets a duty unknown to the agency is no reason in its view."""
    secret = say("h", "referral.handed_over", "2022-01-10T10:00", to=("mps",), replies="f", told=("mps",))
    view = case_view([_referred(), _filed(), secret], at(LATE), asked=AsOf(known_by="spp"), why=True)
    assert digest("h").hex() not in repr(view["obligations"])
