"""Terms of confiscation, laundering clues and recommendations: counted by hand from the law, not by code."""

from datetime import date
from typing import Any

import pytest

from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.case.obligations import Obligation
from casebus_schemas.rules.reconcile import reconcile
from support.cases.chains import at, digest, say


def _duty(clock: str, *events: ChainEvent) -> Obligation:
    (found,) = [duty for duty in reconcile(events).duties if duty.clock.id == clock]
    return found


def _proposed() -> tuple[ChainEvent, ChainEvent]:
    """Proposed on Wednesday 6 April 2022, signed for on the 7th."""
    proposed = say("p", "asset.confiscation_proposed", "2022-04-06T10:00", agency="mps", to=("spp",))
    receipt = say(
        "t",
        "receipt.signed",
        "2022-04-07T09:00",
        agency="spp",
        event=digest("p"),
        received_at=at("2022-04-07T09:00"),
    )
    return proposed, receipt


def test_confiscation_is_decided_on_in_thirty_days_and_fifteen_more() -> None:
    """Received on 7 April: day 30 is 7 May 2022, a make-up workday, day 45 Sunday 22 May."""
    duty = _duty("DL34", *_proposed())
    assert (duty.owed_by, duty.owed_to, duty.started_at) == ("spp", ("mps",), at("2022-04-07T09:00"))
    ends = [sorted({reading.due for reading in step.readings}) for step in duty.steps]
    assert ends == [[at("2022-05-08")], [at("2022-05-23"), at("2022-05-24")]]
    assert [
        duty.state(at(day)) for day in ("2022-05-20", "2022-05-22", "2022-05-23T10:00", "2022-05-24")
    ] == [
        "open",
        "due",
        "contested",
        "overdue",
    ]


def test_the_time_in_which_the_police_supply_evidence_does_not_count() -> None:
    """Ten days of waiting, 20 to 30 April, move day 45 from 22 May to Wednesday 1 June."""
    asked = say(
        "q",
        "asset.confiscation_evidence_requested",
        "2022-04-20T10:00",
        agency="spp",
        to=("mps",),
        replies="p",
    )
    given = say("g", "asset.confiscation_evidence_supplied", "2022-04-30T10:00", agency="mps", replies="q")
    duty = _duty("DL34", *_proposed(), asked, given)
    assert {reading.due for reading in duty.readings} == {at("2022-06-02")}


def test_either_decision_meets_the_term() -> None:
    """To apply and not to apply are both the decision that is owed."""
    for type in ("asset.confiscation_applied", "asset.confiscation_declined"):
        decided = say("d", type, "2022-05-20T10:00", agency="spp", to=("mps",), replies="p")
        assert _duty("DL34", *_proposed(), decided).state(at("2022-07-01")) == "met"


def test_a_clue_of_laundering_is_decided_on_in_seven_days_or_longer_by_approval() -> None:
    """Received on Monday 10 January 2022: day 7 is the 17th; thirty days with approval end on 9 February."""
    clue = say("c", "aml.clue_raised", "2022-01-10T10:00", agency="spp", to=("mps",))
    had = say(
        "t",
        "receipt.signed",
        "2022-01-10T11:00",
        agency="mps",
        event=digest("c"),
        received_at=at("2022-01-10T11:00"),
    )
    duty = _duty("DL51", clue, had)
    assert {reading.name: reading.due for reading in duty.readings} == {
        "calendar": at("2022-01-18"),
        "calendar_rolled": at("2022-01-18"),
        "working": at("2022-01-20"),
    }
    longer = say("x", "aml.extension_approved", "2022-01-17T10:00", agency="mps", replies="c", level="county")
    assert {reading.due for reading in _duty("DL51", clue, had, longer).readings} == {at("2022-02-10")}
    filed = say("f", "aml.filed", "2022-02-09T17:00", agency="mps", to=("spp",), replies="c")
    assert _duty("DL51", clue, had, longer, filed).state(at("2022-03-01")) == "met"


def _issued(**facts: Any) -> ChainEvent:
    """A letter of Wednesday 8 June 2022 to the regulator."""
    said = {"addressee_kind": "agency", "reply_by": None, **facts}
    return say("i", "recommendation.issued", "2022-06-08T10:00", agency="spp", to=("csrc",), **said)


def test_a_recommendation_is_answered_in_two_months_from_its_receipt() -> None:
    """Received on Thursday 9 June 2022: two months end on Tuesday 9 August."""
    had = say(
        "t",
        "receipt.signed",
        "2022-06-09T09:00",
        event=digest("i"),
        received_at=at("2022-06-09T09:00"),
    )
    duty = _duty("DL35", _issued(), had)
    assert (duty.owed_by, duty.owed_to, duty.started_at) == ("csrc", ("spp",), at("2022-06-09T09:00"))
    assert {reading.due for reading in duty.readings} == {at("2022-08-10")}
    answer = say("r", "recommendation.replied", "2022-08-09T17:00", to=("spp",), replies="i")
    assert _duty("DL35", _issued(), had, answer).state(at("2022-09-01")) == "met"


def test_the_letter_may_set_another_day() -> None:
    """In an urgent matter it names the last day, Saturday 18 June 2022, whenever it was received."""
    duty = _duty("DL35", _issued(reply_by=date(2022, 6, 18)))
    assert {reading.name: reading.due for reading in duty.readings} == {
        "calendar": at("2022-06-19"),
        "calendar_rolled": at("2022-06-21"),
    }


@pytest.mark.parametrize("day", [date(2022, 6, 8), date(1970, 1, 1), date(9999, 12, 31)])
def test_a_day_that_can_be_no_term_leaves_the_law_in_force(day: date) -> None:
    """The day of the letter, one long past and one in thousands of years: two months count."""
    duty = _duty("DL35", _issued(reply_by=day))
    assert min(reading.due for reading in duty.readings) == at("2022-08-09")


def test_an_outsider_owes_by_name_and_is_told_nothing() -> None:
    """A company's term is counted from the letter; the procuratorate says what it answered."""
    issued = _issued(addressee_kind="company", addressee="某公司")
    duty = _duty("DL35", issued)
    assert (duty.owed_by, duty.owed_to, duty.to_tell) == ("某公司", ("spp",), ("spp",))
    assert {reading.due for reading in duty.readings} == {at("2022-08-09")}
    answer = say("r", "recommendation.replied", "2022-08-08T10:00", agency="spp", replies="i")
    assert _duty("DL35", issued, answer).state(at("2022-09-01")) == "met"


@pytest.mark.parametrize("name", ["mps", "mps/desk", "MPS", "bus"])
def test_new_an_outsider_called_like_an_agency_is_not_taken_for_it(name: str) -> None:
    """Who names a company after an agency lays no duty on that agency, and nobody else is told."""
    duty = _duty("DL35", _issued(addressee_kind="company", addressee=name))
    assert (duty.owed_by, duty.to_tell) == (f"“{name}”", ("spp",))
    assert duty.said(at("2022-08-01")).parties == ("spp",)


def test_an_expert_opinion_is_due_on_the_day_that_was_asked_for() -> None:
    """Asked on 21 February 2022 for Friday 11 March; without a day a month ends on Monday 21 March."""
    for wanted, end in ((date(2022, 3, 11), "2022-03-12"), (None, "2022-03-22")):
        asked = say(
            "q",
            "cooperation.expert_requested",
            "2022-02-21T10:00",
            agency="spp",
            to=("csrc",),
            expected_by=wanted,
        )
        duty = _duty("DL54", asked)
        assert (duty.owed_by, duty.owed_to) == ("csrc", ("spp",))
        assert {reading.due for reading in duty.readings} == {at(end)}
        later = say("d", "cooperation.expert_declined", "2022-03-01T10:00", to=("spp",), replies="q")
        assert _duty("DL54", asked, later).state(at("2022-05-01")) == "met"
