"""What all findings share, and the accounts beside them; the cases of each rule are in tests/rules."""

from collections.abc import Sequence

from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.rules.finding import Finding
from casebus_schemas.rules.reconcile import reconcile
from support.cases.chains import amount, at, charges, results, say, suspects

GAIN = ("2009-04-01", "2013-02-28")


def _found(events: Sequence[ChainEvent], now: str = "2016-10-19T08:00") -> list[Finding]:
    return list(reconcile(events).findings(at(now)))


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


def test_other_basis_or_period_is_shown_side_by_side() -> None:
    """Operating profit of two periods by two speakers stands side by side, marked as not comparable."""
    events = [
        say(
            "n",
            "administrative.penalty_notified",
            "2019-08-16",
            to=("spp",),
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
    assert {row["comparison"] for row in reconcile(events).accounts["amounts"]} == {"own act"}


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


def test_a_finding_carries_what_agencies_say_to_it() -> None:
    """An explanation marks the finding explained; it is accepted once all whom it concerns accept it."""
    events = _jiang(police="4619.00")
    (finding,) = _found(events)
    explained = say("e", "finding.explained", "2016-10-21", agency="mps", finding=finding.id, explanation="-")
    accepted = say("k", "finding.accepted", "2016-10-20", agency="csrc", finding=finding.id)
    both = say("l", "finding.accepted", "2016-10-22", agency="mps", finding=finding.id)
    assert [f.state for f in _found([*events, explained])] == ["explained"]
    assert [f.state for f in _found([*events, explained, accepted])] == ["explained"]
    (settled,) = _found([*events, explained, accepted, both])
    assert settled.state == "accepted"
    assert [(word.agency, word.said) for word in settled.words] == [("csrc", "accepted"), ("mps", "accepted")]


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


def test_a_finding_says_why_in_two_languages() -> None:
    """Chinese and English are two fields."""
    (finding,) = _found(_jiang(police="4619.00"))
    assert finding.to_json()["because"] == {"zh": finding.because.zh, "en": finding.because.en}
