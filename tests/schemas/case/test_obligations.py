"""Duties: which clocks start, the filing ladder, what meets and what ends them."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from casebus_consumers.liaison.case_screen import obligation_lines
from casebus_schemas.case.as_of import AsOf
from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.case.obligations import Obligation
from casebus_schemas.law.calendar import NOTICE_MARGIN, published
from casebus_schemas.rules.case_view import case_view
from casebus_schemas.rules.reconcile import reconcile
from support.cases.chains import at, digest, say


def _referral(
    received: str = "2022-09-29T15:00",
    sent: str = "2022-09-28",
    approved: str = "2022-09-27T10:20",
    **more: Any,
) -> list[ChainEvent]:
    facts: dict[str, Any] = {
        "received_at": at(received),
        "competent": True,
        "complete": True,
        "missing": [],
        **more,
    }
    return [
        say("s", "referral.submitted", sent, to=("mps",), approved_at=at(approved)),
        say("r", "referral.receipted", received, agency="mps", to=("csrc",), replies="s", **facts),
    ]


def _duty(events: Sequence[ChainEvent], rule: str) -> Obligation:
    (found,) = [duty for duty in reconcile(events).duties if duty.clock.id == rule]
    return found


def test_a_receipt_starts_the_filing_clock_with_all_its_readings() -> None:
    """The police owe the filing decision; the duty shows two readings of ten days and four rungs."""
    body = _duty(_referral(), "DL06").to_json(at("2022-10-01"))
    assert {name: body[name] for name in ("rule", "owed_by", "owed_to", "duty", "cause", "state", "met")} == {
        "rule": "DL06",
        "owed_by": "mps",
        "owed_to": ["csrc"],
        "duty": ["referral.filed", "referral.not_filed"],
        "cause": digest("r").hex(),
        "state": "open",
        "met": None,
    }
    assert (body["due_earliest"], body["due_latest"]) == (
        "2022-10-10T00:00:00+08:00",
        "2022-10-10T00:00:00+08:00",
    )
    assert [(r["name"], r["due"]) for r in body["readings"]] == [
        ("calendar", "2022-10-10T00:00:00+08:00"),
        ("calendar_rolled", "2022-10-10T00:00:00+08:00"),
    ]
    assert [(step["step"], step["needs"]) for step in body["ladder"]] == [
        ("target", None),
        ("latest", None),
        ("county", "referral.extension_approved{level: county}"),
        ("superior", "referral.extension_approved{level: superior}"),
    ]
    assert body["ladder"][0]["due_latest"] == "2022-10-10T00:00:00+08:00"


def test_an_approval_raises_the_rung() -> None:
    """After the county's approval thirty days count, after the superior's sixty."""
    county = say("x", "referral.extension_approved", "2022-10-08", agency="mps", replies="s", level="county")
    superior = say(
        "y", "referral.extension_approved", "2022-10-28", agency="mps", replies="s", level="superior"
    )
    assert [
        _duty([*_referral(), *approvals], "DL06").to_json(at("2022-10-01"))["due_earliest"]
        for approvals in ([], [county], [county, superior])
    ] == ["2022-10-10T00:00:00+08:00", "2022-10-30T00:00:00+08:00", "2022-11-29T00:00:00+08:00"]


def test_a_decision_meets_the_clock_by_claim_and_provably() -> None:
    """What was decided in time but reached the bus late is contested; what reached it in time is met."""
    in_time = say("f", "referral.filed", "2022-10-08", agency="mps", replies="s")
    late = say("f", "referral.filed", "2022-10-08", agency="mps", replies="s", admitted="2022-11-20")
    now = at("2022-12-01")
    assert _duty([*_referral(), in_time], "DL06").state(now) == "met"
    contested = _duty([*_referral(), late], "DL06").to_json(now)
    assert contested["state"] == "contested"
    assert contested["met"] == {
        "by_claim": "2022-10-08T00:00:00+08:00",
        "provably": "2022-11-20T00:00:00+08:00",
    }


def test_overdue_only_past_every_reading_and_then_a_finding() -> None:
    """Between the readings nobody is accused; past the last one R10 and the missing approval R11."""
    events = _referral("2022-09-22T15:00", "2022-09-22", "2022-09-21T10:20")
    # Day 10 is a holiday, 10-02; the first workday after it is 10-08.
    assert _duty(events, "DL06").state(at("2022-10-08T12:00")) == "contested"
    assert [f.rule for f in reconcile(events).findings(at("2022-10-08T12:00"))] == []
    assert [f.rule for f in reconcile(events).findings(at("2022-10-09"))] == ["R10", "R11"]


def test_the_hours_of_a_referral_run_from_its_approval() -> None:
    """Referred on the next day though due within 24 hours: the day alone leaves it in time by claim."""
    duty = _duty(_referral(), "DL02").to_json(at("2022-12-01"))
    assert (duty["owed_by"], duty["owed_to"]) == ("csrc", ["mps"])
    assert (duty["due_earliest"], duty["due_latest"]) == (
        "2022-09-28T10:20:00+08:00",
        "2022-09-28T11:00:00+08:00",
    )
    assert duty["state"] == "met"


def test_a_referral_without_a_stated_approval_starts_no_clock() -> None:
    """What the bus never saw and nobody states is not invented."""
    assert [d.clock.id for d in reconcile([say("s", "referral.submitted", "2022-09-28")]).duties] == []


def test_a_police_organ_that_is_not_competent_must_forward_not_decide() -> None:
    """The filing clock does not start; forwarding within 24 hours is owed, and returning ends that."""
    events = _referral(competent=False)
    assert {d.clock.id for d in reconcile(events).duties} == {"DL02", "DL03"}
    returned = say("b", "referral.returned_not_competent", "2022-09-30T09:00", agency="mps", replies="s")
    assert _duty([*events, returned], "DL03").state(at("2022-12-01")) == "moot"


def test_missing_material_starts_the_clocks_of_asking_and_of_supplying() -> None:
    """Incomplete material: the police ask within 24 hours, the regulator supplies within three days."""
    events = [
        *_referral(complete=False),
        say(
            "q", "referral.supplement_requested", "2022-09-30T10:00", agency="mps", to=("csrc",), replies="s"
        ),
        say("p", "referral.supplemented", "2022-10-01T10:00", to=("mps",), replies="q"),
    ]
    assert _duty(events, "DL04").state(at("2022-12-01")) == "met"
    supply = _duty(events, "DL05")
    assert (supply.owed_by, supply.owed_to, supply.state(at("2022-12-01"))) == ("csrc", ("mps",), "met")


def test_a_withdrawn_referral_makes_its_clocks_moot() -> None:
    """Withdrawing what was referred ends the filing clock without a decision."""
    withdrawn = say("w", "referral.withdrawn", "2022-10-01", withdraws="s")
    assert _duty([*_referral(), withdrawn], "DL06").state(at("2022-12-01")) == "moot"


def test_every_agency_asked_owes_its_own_answer() -> None:
    """A consultation of two agencies starts two duties, and each is met by its own answer only."""
    events = [
        say("q", "consultation.requested", "2022-09-09T10:00", to=("mps", "spp")),
        say("a", "consultation.answered", "2022-09-13T10:00", agency="spp", replies="q"),
    ]
    states = {duty.owed_by: duty.state(at("2022-09-14")) for duty in reconcile(events).duties}
    assert states == {"mps": "open", "spp": "met"}


def test_an_answer_to_one_request_does_not_meet_another() -> None:
    """Two consultations in one chain are told apart by what the answer names."""
    events = [
        say("q", "consultation.requested", "2022-09-09T10:00", to=("mps",)),
        say("p", "consultation.requested", "2022-09-10T10:00", to=("mps",)),
        say("a", "consultation.answered", "2022-09-13T10:00", agency="mps", replies="p"),
    ]
    duties = {duty.cause.digest: duty.met_by for duty in reconcile(events).duties}
    assert duties[digest("q")] is None
    assert duties[digest("p")] is not None


def test_a_corrected_receipt_moves_the_clock() -> None:
    """The clock runs from the corrected time of receipt, under the same id."""
    moved = say(
        "c",
        "referral.corrected",
        "2022-09-30",
        agency="mps",
        corrects="r",
        received_at=at("2022-09-28T16:00"),
    )
    before, after = _duty(_referral(), "DL06"), _duty([*_referral(), moved], "DL06")
    assert before.id == after.id
    assert after.started_at == at("2022-09-28T16:00")


def test_a_term_beyond_the_published_holidays_starts_its_clock() -> None:
    """The duty exists, counts provisionally, says so, and becomes overdue only past the margin."""
    year = max(published().years) + 1
    events = _referral(f"{year}-04-28T15:00")
    duty = _duty(events, "DL06")
    body = duty.to_json(at(f"{year}-04-29"))
    assert [r["provisional"] for r in body["readings"]] == [False, True]
    assert body["state"] == "open"
    last = duty.steps[duty.rung].due_latest
    assert duty.state(last) == "contested"
    assert [f.rule for f in reconcile(events).findings(last)] == []
    over = last + NOTICE_MARGIN
    assert over in duty.turns()
    late = reconcile(events).findings(over)
    assert [(f.rule, "provisional" in f.because.en, "暂定" in f.because.zh) for f in late] == [
        ("R10", True, True),
        ("R11", True, True),
    ]


def test_what_is_printed_as_the_latest_end_has_the_margin() -> None:
    """The latest possible end of an obligation is that of its latest reading with its margin."""
    year = max(published().years) + 1
    duty = _duty(_referral(f"{year}-04-28T15:00"), "DL06").to_json(at(f"{year}-04-29"))
    latest = datetime.fromisoformat(duty["due_latest"]) + NOTICE_MARGIN
    assert duty["latest_possible"] == latest.isoformat()
    assert duty["readings"][1]["latest_possible"] == latest.isoformat()
    line = " ".join(obligation_lines(duty, at(f"{year}-04-29"), why=True))
    assert f"/ {latest - timedelta(days=1):%Y-%m-%d} 24:00 ~" in line
    certain = _duty(_referral(), "DL06").to_json(at("2022-10-01"))
    assert certain["latest_possible"] == certain["due_latest"]
    assert "~" not in " ".join(obligation_lines(certain, at("2022-10-01"), why=True))


def test_a_case_as_of_a_time_is_counted_by_the_notices_of_then() -> None:
    """Ten days from 20 January 2020 ended on the 31st until the longer Spring Festival was announced."""
    events = _referral("2020-01-20T15:00", "2020-01-19", "2020-01-17T10:20")

    def ends(asked: AsOf) -> list[str]:
        view = case_view(events, at("2022-01-01"), asked=asked)
        (duty,) = (duty for duty in view["obligations"] if duty["rule"] == "DL06")
        return [reading["due"][:10] for reading in duty["readings"]]

    before, after = at("2020-01-25T23:59"), at("2020-01-27T08:00")
    assert ends(AsOf()) == ends(AsOf(until=after)) == ["2020-01-31", "2020-02-04"]
    assert ends(AsOf(until=before)) == ends(AsOf(known_at=before)) == ["2020-01-31", "2020-02-01"]
    assert ends(AsOf(until=before, known_at=after)) == ["2020-01-31", "2020-02-04"]


def test_a_start_from_which_nothing_can_be_counted_is_a_finding() -> None:
    """No clock runs from the year 9999, and the bus says so instead of being silent."""
    filed = say("z", "referral.filed", "9999-12-30T15:00", agency="mps", to=("csrc",), replies="s")
    meaning = reconcile([*_referral(), filed])
    (finding,) = [f for f in meaning.findings(at("2022-10-01")) if f.rule == "R07"]
    assert (finding.severity, finding.accounts[0].agency) == ("medium", "mps")
    assert "DL10" not in {duty.clock.id for duty in meaning.duties}


def _filed(admitted: str = "2022-06-01T12:00") -> ChainEvent:
    return say("f", "referral.filed", "2022-06-01T10:00", agency="mps", to=("csrc",), admitted=admitted)


def _receipt(when: str, claimed: str, agency: str = "csrc") -> ChainEvent:
    return say("z", "receipt.signed", when, agency=agency, event=digest("f"), received_at=at(claimed))


def _ends(duty: Obligation) -> tuple[str, str]:
    body = duty.to_json(at("2022-06-01"))
    return body["due_earliest"][:10], body["due_latest"][:10]


def test_a_term_at_receipt_counts_from_the_receipt_of_whoever_owes() -> None:
    """Received on Monday 06-06: day 3 is Thursday 06-09 in every reading; another's receipt moves nothing."""
    own = _duty([_filed(), _receipt("2022-06-06T17:00", "2022-06-06T09:00")], "DL10")
    other = _duty([_filed(), _receipt("2022-06-06T17:00", "2022-06-06T09:00", "mps")], "DL10")
    assert (own.started_at, own.awaits_receipt, _ends(own)) == (
        at("2022-06-06T09:00"),
        False,
        ("2022-06-10", "2022-06-10"),
    )
    assert (other.started_at, other.awaits_receipt) == (at("2022-06-01T10:00"), True)


def test_without_a_receipt_it_is_counted_from_the_sending_and_from_the_arrival() -> None:
    """Sent on 06-01, in the inbox on 06-07: due from 06-04 to 06-10; overdue only after the margin."""
    duty = _duty([_filed("2022-06-07T12:00")], "DL10")
    assert duty.awaits_receipt
    assert _ends(duty) == ("2022-06-05", "2022-06-11")
    assert {reading.provisional for reading in duty.readings} == {True}
    last = max(reading.due for reading in duty.readings)
    assert duty.state(last) == "contested"
    assert duty.state(last + NOTICE_MARGIN) == "overdue"
    assert last + NOTICE_MARGIN in duty.turns()
    (found,) = reconcile([_filed("2022-06-07T12:00")]).findings(last + NOTICE_MARGIN)
    assert (found.rule, "no receipt" in found.because.en) == ("R10", True)


def test_a_receipt_is_not_before_the_sending_nor_after_itself() -> None:
    """What a receipt says of the time counts between the sending and the admission of the receipt."""
    early = _duty([_filed(), _receipt("2022-06-06T17:00", "2022-05-20T09:00")], "DL10")
    late = _duty([_filed(), _receipt("2022-06-06T17:00", "2022-09-01T09:00")], "DL10")
    assert (early.started_at, late.started_at) == (at("2022-06-01T10:00"), at("2022-06-06T17:00"))


def test_what_the_signed_events_decide_has_no_time_of_the_bus() -> None:
    """The arrival in the inbox is the bus's time: it moves the shown ends, not the hash of the meaning."""
    early, late = [_filed("2022-06-02T12:00")], [_filed("2022-06-07T12:00")]
    assert _ends(_duty(early, "DL10")) != _ends(_duty(late, "DL10"))
    assert reconcile(early).hash == reconcile(late).hash


def test_material_that_does_not_comply_starts_the_filing_clock_when_it_is_supplied() -> None:
    """Since 2018 an incomplete referral is decided on from the receipt of what was missing."""
    incomplete = _referral(complete=False)
    asked = say(
        "q", "referral.supplement_requested", "2022-09-30T10:00", agency="mps", to=("csrc",), replies="s"
    )
    supplied = say("p", "referral.supplemented", "2022-10-09T10:00", to=("mps",), replies="q")
    assert "DL06" not in {duty.clock.id for duty in reconcile([*incomplete, asked]).duties}
    duty = _duty([*incomplete, asked, supplied], "DL06")
    assert (duty.owed_by, duty.owed_to, duty.started_at) == ("mps", ("csrc",), at("2022-10-09T10:00"))
    before = _referral("2017-09-29T15:00", "2017-09-29", "2017-09-28", complete=False)
    assert "DL06" in {duty.clock.id for duty in reconcile(before).duties}
