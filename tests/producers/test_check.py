"""A check without a server: refusals with their places, the cases that events give, advice."""

from typing import Any

import pytest

from casebus_producers.checking.check import check
from support.cases.chains import at, digest
from support.cases.members import door_event

CHAIN = "7c0f2b52-93b1-8f0e-9c51-3a1f0e5d2c44"
REFERRAL = door_event(envelope={"to": ["mps"]}, data={"amounts": []})
RECEIPTED = door_event(
    type="referral.receipted",
    source="/mps/office",
    id="0190163d-8694-739b-aea5-966c26f8ad92",
    time="2016-10-18T10:00:00+08:00",
    envelope={
        "message_class": "response",
        "in_reply_to": REFERRAL["id"],
        "to": ["csrc"],
        "precision": "second",
    },
    data={"received_at": "2016-10-18T10:00:00+08:00", "competent": True, "complete": True},
)


def test_check_folds_door_events_without_a_server() -> None:
    """Refusals by place, and the case that the other events give."""
    forbidden = {**REFERRAL, "id": "0190163d-8694-739b-aea5-966c26f8ad93", "source": "/mps/office"}
    answered = check([REFERRAL, RECEIPTED, forbidden, {"specversion": "1.0"}], at("2016-10-20")).to_json()
    assert answered["ok"] is False
    assert {(r["index"], r["code"], r["pointer"]) for r in answered["refused"]} == {
        (2, "not-authorised", "/type"),
        (3, "unknown-schema", "/type"),
        (3, "not-authorised", "/source"),
        (3, "bad-body", "/time"),
        (3, "bad-body", "/data"),
        (3, "bad-headers", "/id"),
    }
    assert [case["status"] for case in answered["cases"]] == ["received"]
    assert [(duty["rule"], duty["state"]) for duty in answered["obligations"]] == [("DL06", "open")]
    assert answered["findings"] == []


def test_c9_minted_chains_are_marked_and_given_ones_kept() -> None:
    """An id of this check alone is called provisional; one that the sender gives is the case's."""
    (minted,) = check([REFERRAL, RECEIPTED], at("2016-10-20")).cases
    (given,) = check([REFERRAL | {"subject": CHAIN}, RECEIPTED], at("2016-10-20")).cases
    assert (minted["provisional"], given["provisional"], given["chain"]) == (True, False, CHAIN)
    assert minted["chain"] != CHAIN


def test_an_answer_fits_what_it_answers() -> None:
    """What the agency's door refuses to answer so, the check refuses; what is not given is advice."""
    wrong = RECEIPTED | {"type": "referral.supplemented", "source": "/csrc/office"}
    wrong["data"] = {"envelope": wrong["data"]["envelope"]}
    (refused,) = check([REFERRAL, wrong], at("2016-10-20")).refused
    assert (refused["index"], refused["pointer"]) == (1, "/data/envelope/in_reply_to")
    alone = check([RECEIPTED], at("2016-10-20"))
    assert alone.ok
    assert [(advice["index"], "is not given" in advice["detail"]) for advice in alone.advice] == [(0, True)]


def test_anothers_event_is_not_corrected() -> None:
    """Where the file holds the event that is to be corrected, its speaker must be the same."""
    correction = door_event(
        type="referral.receipted",
        source="/mps/office",
        id="0190163d-8694-739b-aea5-966c26f8ad94",
        envelope={"corrects": "ab" * 32, "in_reply_to": REFERRAL["id"]},
        data=RECEIPTED["data"] | {"envelope": {}},
    )
    correction["data"]["envelope"] = RECEIPTED["data"]["envelope"] | {"corrects": "ab" * 32}
    given = {"event": REFERRAL, "digest": "ab" * 32}
    (refused,) = check([given, correction], at("2016-10-20")).refused
    assert (refused["code"], refused["pointer"]) == ("not-authorised", "/data/envelope/corrects")


@pytest.mark.parametrize("digest", ["xy", "ab" * 31, 7])
def test_what_is_no_digest_is_said(digest: object) -> None:
    """A line that gives its event's digest wrongly is refused, not taken as another event."""
    (refused,) = check([{"event": REFERRAL, "digest": digest}], at("2016-10-20")).refused
    assert refused["pointer"] == "/digest"


@pytest.mark.parametrize("given", [None, 5, "text", [], {}, {"event": 5}, {"event": {}}])
def test_what_is_no_event_is_said(given: object) -> None:
    """Whatever stands on a line, the check answers."""
    assert not check([given], at("2016-10-20")).ok


@pytest.mark.parametrize("other", [{}, {"id": "0190163d-8694-739b-aea5-966c26f8ad99"}])
def test_e2_a_question_said_again_is_one_duty(other: dict[str, str]) -> None:
    """A second host says it again, under the same id or another: one duty, a repeat (R03), no reused id."""
    asked = door_event(
        type="consultation.requested",
        subject=CHAIN,
        envelope={"to": ["mps"], "message_no": "Q-1"},
        data={"question": "示例问题"},
    )
    again = {**asked, **other}
    again["data"] = {**asked["data"], "envelope": {**asked["data"]["envelope"], "message_no": "Q-2"}}
    once, twice = (check(events, at("2016-12-20")).to_json() for events in ([asked], [asked, again]))
    assert [(duty["rule"], duty["state"]) for duty in twice["obligations"]] == [("DL16", "overdue")]
    assert [finding["rule"] for finding in once["findings"]] == ["R10"]
    assert [finding["rule"] for finding in twice["findings"]] == ["R03", "R10"]


def test_e2_a_correction_said_again_is_no_rival() -> None:
    """Two copies of one correction have the effect of one: what it corrects is corrected."""
    number = {"message_no": "M-2", "corrects": digest("receipt").hex()}
    corrected = door_event(
        type="referral.corrected",
        source="/mps/office",
        subject=CHAIN,
        time="2016-11-21T00:00:00+08:00",
        envelope={"to": ["csrc"], **number},
        data={"reasons": "示例", "received_at": "2016-11-20T10:00:00+08:00"},
    )
    said = [REFERRAL | {"subject": CHAIN}, {"event": RECEIPTED, "digest": digest("receipt").hex()}]
    first, second = ({"event": corrected, "digest": digest(name).hex()} for name in ("first", "second"))
    once, twice = (check([*said, *rest], at("2016-11-28")).to_json() for rest in ([first], [first, second]))
    assert twice["obligations"] == once["obligations"]
    assert twice["obligations"][0]["started_at"] == "2016-11-20T10:00:00+08:00"
    rules = [finding["rule"] for finding in twice["findings"]]
    assert rules == ["R03", *[finding["rule"] for finding in once["findings"]]]
    assert "R22" not in rules


def test_c2_times_to_come_are_advised_with_their_places() -> None:
    """A time a year ahead, and one that lies behind the event that states it, are named beforehand."""
    ahead = REFERRAL | {"time": "2017-10-18T00:00:00+08:00"}
    received = {**RECEIPTED["data"], "received_at": "2062-10-18T10:00:00+08:00"}
    answer = check([ahead, {**RECEIPTED, "data": received}], at("2016-10-20"))
    assert answer.ok
    assert [(one["index"], one["pointer"]) for one in answer.advice] == [
        (0, "/time"),
        (1, "/data/received_at"),
    ]


def test_what_only_looks_like_an_identity_number_is_advised() -> None:
    """A case number of division, day and serial with a right check digit is let through with a hint."""
    number = "440300202005140007"
    reference = {"issuer": "csrc", "scheme": "case", "value": number}
    envelope = {**REFERRAL["data"]["envelope"], "local_refs": [reference]}
    answer = check([{**REFERRAL, "data": {**REFERRAL["data"], "envelope": envelope}}], at("2022-10-20"))
    assert answer.refused == []
    assert [one["pointer"] for one in answer.advice] == ["/data/envelope/local_refs/0/value"]


@pytest.mark.parametrize(
    ("instrument", "day", "advised"),
    [
        ("opinion-2011", "2022-09-09", False),
        ("opinion-2011", "2024-04-15", False),
        ("opinion-2011", "2024-04-16", True),
        ("opinion-2024", "2022-09-09", True),
        ("opinion-2024", "2024-04-16", False),
        ("a local decision", "2022-09-09", False),
    ],
)
def test_a_basis_in_law_is_held_against_the_day_of_the_event(
    instrument: str, day: str, advised: bool
) -> None:
    """The opinion of 2011 until that of 2024, which replaced it; texts that we do not know are not judged."""
    envelope = {**REFERRAL["data"]["envelope"], "legal_basis": [{"instrument": instrument, "article": "5"}]}
    event = {**REFERRAL, "time": f"{day}T00:00:00+08:00", "data": {**REFERRAL["data"], "envelope": envelope}}
    answer = check([event], at("2026-10-20"))
    assert answer.refused == []
    places = [one["pointer"] for one in answer.advice]
    assert places == ["/data/envelope/legal_basis/0"] * advised


def test_c13_a_second_referral_under_one_number_is_advised() -> None:
    """Six referrals under one local reference are one case: each behind the first is hinted at."""
    six = [REFERRAL | {"id": f"0190163d-8694-739b-aea5-966c26f8ad0{n}"} for n in range(6)]
    answer = check(
        [{**one, "time": f"2016-10-1{n}T00:00:00+08:00"} for n, one in enumerate(six)], at("2016-10-20")
    )
    assert [(one["index"], one["pointer"]) for one in answer.advice] == [
        (number, "/data/envelope/local_refs") for number in range(1, 6)
    ]


def _of_spp(number: int, type: str, month: int, **facts: Any) -> dict[str, Any]:
    return door_event(
        type=type,
        source="/spp/office",
        id=f"0190163d-8694-739b-aea5-966c26f8ad{number:02x}",
        time=f"2022-{month:02d}-08T10:00:00+08:00",
        envelope={"to": ["mps"], "precision": "second", "legal_basis": []},
        data=facts,
    )


def test_what_the_law_leaves_no_room_for_is_refused_with_the_article() -> None:
    """A third return is forbidden by its articles, the second is not; the case shows what would be found."""
    returns = [
        _of_spp(number, "progress.returned_for_supplement", 3 + number, outline="x", times=1 + number)
        for number in (0, 1, 2)
    ]
    twice, thrice = (check(returns[:count], at("2022-07-01")).to_json() for count in (2, 3))
    assert (twice["ok"], twice["forbidden"]) == (True, [])
    assert (thrice["ok"], thrice["refused"]) == (False, [])
    (forbidden,) = thrice["forbidden"]
    assert (forbidden["index"], forbidden["rule"]) == (2, "R12")
    assert {"instrument": "cpl-2018", "article": "175"} in forbidden["law"]
    assert "R12" in [finding["rule"] for finding in thrice["findings"]]


def test_where_the_law_leaves_room_it_is_advice() -> None:
    """A referral below the filing standard is found and not forbidden: other facts may make it serious."""
    low = [{"basis": "illegal_gain", "value": "1.00", "currency": "CNY", "period": None}]
    said = door_event(
        time="2022-06-20T10:00:00+08:00",
        envelope={"to": ["mps"], "precision": "second", "legal_basis": []},
        data={
            "suspects": [{"ref": "S1", "kind": "natural", "name": "甲"}],
            "charges": [{"suspect": "S1", "article": "182"}],
            "amounts": low,
        },
    )
    given = check([said], at("2022-06-20T12:00")).to_json()
    assert (given["ok"], given["forbidden"]) == (True, [])
    assert [finding["rule"] for finding in given["findings"]] == ["R34"]
