"""Findings: what must be found, and what must not."""

from collections.abc import Sequence

import pytest

from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.rules.finding import Finding
from casebus_schemas.rules.reconcile import reconcile
from support.chains import amount, at, charges, digest, results, say, suspects

GAIN = ("2009-04-01", "2013-02-28")


def _found(events: Sequence[ChainEvent], now: str = "2016-10-19T08:00") -> list[Finding]:
    return list(reconcile(events).findings(at(now)))


def _rules(events: Sequence[ChainEvent], now: str = "2016-10-19T08:00") -> list[str]:
    return [finding.rule for finding in _found(events, now)]


def _jiang(police: str = "46190000.00", names: tuple[str, ...] = ("姜某君", "柳某")) -> list[ChainEvent]:
    return [
        say(
            "s",
            "referral.submitted",
            "2016-10-18",
            to=("mps",),
            suspects=suspects("姜某君", "柳某"),
            charges=charges(("S1", "180(4)"), ("S2", "180(4)")),
            amounts=[amount("illegal_gain", "46190000.00", *GAIN)],
        ),
        say(
            "f",
            "referral.filed",
            "2016-10-19",
            agency="mps",
            to=("csrc",),
            replies="s",
            binds="s",
            suspects=suspects(*names),
            charges=[],
            amounts=[amount("illegal_gain", police, *GAIN)],
        ),
    ]


def test_accounts_that_agree_give_no_finding() -> None:
    """The same figure and the same suspects on both sides: nothing to say."""
    assert _rules(_jiang()) == []


def test_a_figure_in_ten_thousands_is_shown_as_a_unit_slip() -> None:
    """4619 against 46,190,000: both accounts, the likely slip, and who should correct."""
    (finding,) = _found(_jiang(police="4619.00"))
    body = finding.to_json()
    assert (body["rule"], body["class"], body["severity"], body["state"]) == ("R30", "state", "high", "open")
    assert [(a["agency"], a["value"]["value"], a["event"]) for a in body["accounts"]] == [
        ("csrc", "46190000.00", digest("s").hex()),
        ("mps", "4619.00", digest("f").hex()),
    ]
    assert body["accounts"][1]["value"]["likely_slip"] == {"factor": "10000", "sign": False}
    assert body["suggestion"] == {"type": "referral.corrected", "by": "mps"}
    assert finding.because.zh == (
        "证监会称违法所得(2009-04-01至2013-02-28)为46,190,000.00元,公安部称4,619.00元,相差一万倍,疑以万元填报"
    )
    assert "illegal gain" in finding.because.en
    assert "ten thousand" in finding.because.en
    assert body["because"] == {"zh": finding.because.zh, "en": finding.because.en}


@pytest.mark.parametrize(
    ("police", "severity", "said"),
    [
        ("-46190000.00", "high", "opposite signs"),
        ("-4619.00", "high", "opposite signs"),
        ("0.46", "high", "hundred million"),
        ("46180000.00", "medium", "as CNY 46,180,000.00"),
        ("461900000000.00", "high", "ten thousand"),
    ],
)
def test_other_differences_are_found_with_what_explains_them(police: str, severity: str, said: str) -> None:
    """Signs, other units, either direction, and differences that nothing explains."""
    (finding,) = _found(_jiang(police=police))
    assert (finding.rule, finding.severity) == ("R30", severity)
    assert said in finding.because.en


def test_a_corrected_figure_closes_the_difference() -> None:
    """After the police correct their answer the accounts agree."""
    correction = say(
        "c",
        "referral.corrected",
        "2016-10-20",
        agency="mps",
        corrects="f",
        reasons="unit",
        suspects=[],
        amounts=[amount("illegal_gain", "46190000.00", *GAIN)],
    )
    assert _rules([*_jiang(police="4619.00"), correction]) == []


def test_other_basis_or_period_is_shown_side_by_side_without_a_finding() -> None:
    """Operating profit of two periods by two speakers stands side by side, marked as not comparable."""
    events = [
        say(
            "n",
            "administrative.penalty_notified",
            "2019-08-16",
            amounts=[amount("falsified_profit", "4101000000.00", "2016-01-01", "2018-12-31")],
        ),
        say(
            "i",
            "outcome.prosecuted",
            "2021-10-27",
            agency="spp",
            charges=[],
            amounts=[amount("falsified_profit", "3591000000.00", "2016-01-01", "2018-06-30")],
        ),
    ]
    assert _rules(events, "2022-09-09") == []
    rows = reconcile(events).accounts["amounts"]
    assert [(row["accounts"][0]["agency"], row["comparison"]) for row in rows] == [
        ("spp", "different basis or period"),
        ("csrc", "different basis or period"),
    ]


def test_an_administrative_and_a_criminal_fine_are_two_facts() -> None:
    """What each authority imposes is its own act and never a mismatch."""
    events = [
        say("p", "administrative.penalty_decided", "2017-03-30", amounts=[amount("fine", "2892000000.00")]),
        say(
            "j",
            "outcome.judgment",
            "2019-09-17",
            agency="court",
            results=[],
            amounts=[amount("fine", "11800000.00")],
        ),
    ]
    assert _rules(events, "2022-09-09") == []
    assert {row["comparison"] for row in reconcile(events).accounts["amounts"]} == {"own act"}


def test_a_missing_suspect_is_named_on_the_side_where_he_is_missing() -> None:
    """The police list one of two suspects: the finding says who lacks whom."""
    (finding,) = _found(_jiang(names=("姜某君",)))
    body = finding.to_json()
    assert body["rule"] == "R31"
    assert [(a["agency"], a["value"]["missing"]) for a in body["accounts"]] == [
        ("csrc", []),
        ("mps", ["柳某"]),
    ]
    assert body["suggestion"] == {"type": "referral.corrected", "by": "mps"}


def test_tokens_decide_before_names() -> None:
    """Other spelling, same token: one person. Same name, tokens that differ: two."""
    same, other = b"\1" * 32, b"\2" * 32
    one, two = _jiang(), _jiang()
    one[0].data["suspects"][1]["tokens"], one[1].data["suspects"][1]["tokens"] = [same], [other, same]
    one[1].data["suspects"][1]["name"] = "柳某某"
    two[0].data["suspects"][1]["tokens"], two[1].data["suspects"][1]["tokens"] = [same], [other]
    assert (_rules(one), _rules(two)) == ([], ["R31"])


def test_measures_against_one_suspect_do_not_drop_the_others() -> None:
    """Detaining one of two suspects says nothing about the list of suspects."""
    detained = say(
        "d", "progress.measures_taken", "2016-10-30", agency="mps", suspects=suspects("姜某君"), charges=[]
    )
    assert _rules([*_jiang(), detained]) == []


def _kang_mei() -> list[ChainEvent]:
    return [
        say(
            "i",
            "outcome.prosecuted",
            "2021-10-27",
            agency="spp",
            suspects=suspects("马某田"),
            charges=charges(("S1", "161"), ("S1", "272"), ("S1", "182")),
            amounts=[],
        ),
        say(
            "u",
            "outcome.prosecuted",
            "2021-10-27",
            agency="spp",
            suspects=suspects("马某田"),
            charges=charges(("S1", "393")),
            amounts=[],
        ),
        say(
            "j",
            "outcome.judgment",
            "2021-11-17",
            agency="court",
            suspects=suspects("马某田"),
            results=results(("S1", "182"), ("S1", "161"), ("S1", "393")),
            amounts=[],
        ),
    ]


def test_a_charge_of_the_indictment_without_outcome_is_found() -> None:
    """Misappropriation is charged but not decided: one finding; the charges that are decided give none."""
    (finding,) = _found(_kang_mei(), "2022-09-09")
    assert (finding.rule, finding.severity) == ("R39", "medium")
    assert [(a.agency, a.value) for a in finding.accounts] == [
        ("spp", {"article": "272", "charged": ["马某田"]}),
        ("court", {"article": "272", "decided": []}),
    ]


def test_a_judgment_beyond_the_indictment_is_found() -> None:
    """The reverse: decided without having been charged."""
    found = _found([_kang_mei()[0], _kang_mei()[2]], "2022-09-09")
    assert {(f.rule, *f.subject.split("\n")) for f in found} == {
        ("R39", "272", "charged", "马某田"),
        ("R39", "393", "decided", "马某田"),
    }


def test_a_judgment_of_second_instance_adds_to_the_first() -> None:
    """What only the first instance mentions has its outcome; without an indictment nothing is compared."""
    first = say(
        "a",
        "outcome.judgment",
        "2019-09-17",
        agency="court",
        suspects=suspects("鲜某"),
        results=results(("S1", "169-1"), ("S1", "182")),
    )
    second = say(
        "b",
        "outcome.judgment",
        "2020-12-31",
        agency="court",
        suspects=suspects("鲜某"),
        results=results(("S1", "182")),
    )
    indictment = say(
        "i",
        "outcome.prosecuted",
        "2018-06-01",
        agency="spp",
        suspects=suspects("鲜某"),
        charges=charges(("S1", "169-1"), ("S1", "182")),
    )
    assert _rules([first, second], "2022-09-09") == []
    assert _rules([indictment, first, second], "2022-09-09") == []


def test_the_state_of_a_charge_follows_its_own_events() -> None:
    """Status lives on suspect and charge: the undecided charge stays prosecuted, the others are judged."""
    accounts = reconcile(_kang_mei()).accounts
    (person,) = accounts["suspects"]
    assert {c["article"]: c["status"] for c in person["charges"]} == {
        "161": "judged",
        "272": "prosecuted",
        "182": "judged",
        "393": "judged",
    }
    assert accounts["status"] == "judged"


def test_an_orphan_answer_is_found_after_a_day_and_closed_when_its_request_comes() -> None:
    """An answer may wait 24 hours for its request; later the finding opens, and closes with the request."""
    answer = say("f", "referral.filed", "2022-01-05T10:00", agency="mps", replies="s")
    late = say("s", "referral.submitted", "2022-01-04T10:00", admitted="2022-01-07T10:00")
    prompt = say("s", "referral.submitted", "2022-01-04T10:00", admitted="2022-01-06T10:00")
    assert _rules([answer], "2022-01-06T09:59") == []
    (finding,) = _found([answer], "2022-01-06T10:00")
    assert (finding.rule, finding.cls, finding.opened_at) == ("R20", "arrival", at("2022-01-06T10:00"))
    assert [(f.rule, f.state) for f in _found([answer, late], "2022-01-08") if f.rule == "R20"] == [
        ("R20", "closed")
    ]
    assert [f.rule for f in _found([answer, prompt], "2022-01-08") if f.rule == "R20"] == []


def test_words_about_the_bus_itself_are_no_orphans() -> None:
    """A receipt or an explanation names notices of the bus, not events of the chain."""
    signed = say(
        "z",
        "receipt.signed",
        "2022-01-05T10:00",
        agency="mps",
        replies="y",
        message_class="receipt",
        event=digest("y"),
        received_at=at("2022-01-05T10:00"),
    )
    assert _rules([signed], "2022-02-01") == []


def _superseded(bound: str, when: str) -> list[ChainEvent]:
    return [
        say("s", "referral.submitted", "2022-01-04T10:00", amounts=[]),
        say("c", "referral.corrected", "2022-01-05T10:00", corrects="s", amounts=[]),
        say("f", "referral.filed", when, agency="mps", replies="s", binds=bound),
    ]


def test_an_answer_to_a_superseded_version_is_found() -> None:
    """Version 1 answered after version 2 was sent: version 2 is still open."""
    (finding,) = _found(_superseded("s", "2022-01-06T10:00"), "2022-01-06T12:00")
    assert finding.rule == "R21"
    assert "answers version 1" in finding.because.en
    assert "version 2" in finding.because.en


def test_an_answer_to_the_current_version_or_before_the_correction_is_none() -> None:
    """Bound to the correction, or given before it: nothing to find."""
    assert _rules(_superseded("c", "2022-01-06T10:00"), "2022-01-06T12:00") == []
    assert _rules(_superseded("s", "2022-01-04T12:00"), "2022-01-06T12:00") == []


def test_an_answer_bound_to_no_version_is_found() -> None:
    """The hash that an answer carries belongs to no version of what it answers."""
    assert _rules(_superseded("x", "2022-01-06T10:00"), "2022-01-06T12:00") == ["R21"]


def test_two_different_answers_are_a_conflict_in_which_nothing_wins() -> None:
    """Filed and not filed: both accounts stand; withdrawing one ends the conflict."""
    events = [
        *_jiang(),
        say("n", "referral.not_filed", "2016-10-20", agency="mps", replies="s", reasons="none"),
    ]
    assert _rules(events) == ["R22"]
    assert _rules([*events, say("w", "referral.corrected", "2016-10-21", agency="mps", withdraws="n")]) == []


def test_disputes_of_the_fold_are_findings() -> None:
    """Rival corrections, corrections by others, circles and reused ids are each shown under their rule."""
    base = say("s", "referral.submitted", "2022-01-04", amounts=[])
    one = say("a", "referral.corrected", "2022-01-05", corrects="s", amounts=[])
    two = say("b", "referral.corrected", "2022-01-06", corrects="s", amounts=[])
    other = say("x", "referral.corrected", "2022-01-06", agency="mps", corrects="s", amounts=[])
    ring = [
        say("c", "clue.submitted", "2022-01-07", replies="d"),
        say("d", "clue.submitted", "2022-01-07", replies="c"),
    ]
    again = say("t", "referral.submitted", "2022-01-08", id_of="s", amounts=[])
    now = "2022-01-08"
    assert _rules([base, one, two], now) == ["R22"]
    assert _rules([base, other], now) == ["R40"]
    assert _rules(ring, now) == ["R07"]
    assert _rules([base, again], now) == ["R04"]


def test_an_extension_approved_too_late_is_still_missing() -> None:
    """Past day 10 on every reading without approval: R11, also if it is approved afterwards."""
    receipt = say(
        "r",
        "referral.receipted",
        "2022-06-01T09:00",
        agency="mps",
        to=("csrc",),
        received_at=at("2022-06-01T09:00"),
        competent=True,
        complete=True,
    )
    late = say("x", "referral.extension_approved", "2022-06-20", agency="mps", level="county")
    early = say("x", "referral.extension_approved", "2022-06-10", agency="mps", level="county")
    assert _rules([receipt], "2022-06-13T12:00") == []
    assert _rules([receipt], "2022-06-14") == ["R10", "R11"]
    assert _rules([receipt, late], "2022-06-21") == ["R11"]
    assert _rules([receipt, early], "2022-06-21") == []
    assert _rules([receipt, early], "2022-07-20") == ["R10", "R11"]


def test_a_finding_carries_what_agencies_say_to_it() -> None:
    """An explanation marks the finding explained, an acceptance accepted, whichever comes first."""
    events = _jiang(police="4619.00")
    (finding,) = _found(events)
    explained = say("e", "finding.explained", "2016-10-21", agency="mps", finding=finding.id, explanation="-")
    accepted = say("k", "finding.accepted", "2016-10-20", agency="csrc", finding=finding.id)
    assert [f.state for f in _found([*events, explained])] == ["explained"]
    assert [f.state for f in _found([*events, explained, accepted])] == ["accepted"]


def test_ids_of_findings_follow_from_their_causes() -> None:
    """The same events give the same ids; another cause gives another id."""
    first, again, other = (
        _found(_jiang("4619.00")),
        _found(_jiang("4619.00")[::-1]),
        _found(_jiang("4618.00")),
    )
    assert [f.id for f in first] == [f.id for f in again]
    assert first[0].id.version == 5
    assert [f.subject for f in first] == [f.subject for f in other]


def test_a_referral_withdrawn_after_filing_is_a_finding() -> None:
    """Once the police have filed the case only they can cancel it; withdrawn before it is no finding."""
    late = say("w", "referral.withdrawn", "2016-10-20", withdraws="s")
    (finding,) = [f for f in _found([*_jiang(), late], "2016-10-21") if f.rule == "R45"]
    assert (finding.severity, [a.agency for a in finding.accounts]) == ("high", ["csrc", "mps"])
    early = say("w", "referral.withdrawn", "2016-10-18T12:00", withdraws="s")
    assert "R45" not in _rules([*_jiang(), early], "2016-10-21")
    assert "R45" not in _rules(_jiang(), "2016-10-21")
