"""What corrections, withdrawals and ends of a matter do to its case, its duties and who hears of it."""

from typing import Any

import pytest

from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.rules.case_view import case_view
from casebus_schemas.rules.finding import Finding
from casebus_schemas.rules.reconcile import Reconciled, reconcile
from casebus_schemas.rules.sight import hearers
from support.cases.chains import CHAIN, amount, at, charges, digest, say, suspects

CATALOG = Catalog.load()
NOW = at("2026-11-28T12:00")
ELSEWHERE = "55555555-5555-8555-8555-555555555555"
SENT = say(
    "s",
    "referral.submitted",
    "2026-11-02",
    to=("mps",),
    suspects=suspects("甲某", "乙某"),
    charges=charges(("S1", "182"), ("S2", "182")),
    amounts=[amount("illegal_gain", "1000000.00")],
)
RECEIVED = say(
    "r",
    "referral.receipted",
    "2026-11-03",
    agency="mps",
    to=("csrc",),
    replies="s",
    message_class="receipt",
    received_at=at("2026-11-03T00:00"),
    competent=True,
    complete=True,
)
FILED = say(
    "f",
    "referral.filed",
    "2026-11-06",
    agency="mps",
    to=("csrc",),
    replies="s",
    suspects=suspects("甲某", "乙某"),
)


def _corrected(name: str, when: str, corrects: str | None = "s", **facts: Any) -> ChainEvent:
    return say(name, "referral.corrected", when, to=("mps",), corrects=corrects, reasons="示例", **facts)


def _withdrawn(name: str, when: str, withdraws: str | None = "s") -> ChainEvent:
    return say(name, "referral.withdrawn", when, to=("mps",), withdraws=withdraws, reasons="示例")


def _grown(*events: ChainEvent) -> Reconciled:
    """Carried on event by event: equal to all at once."""
    found = reconcile(events[:1])
    for event in events[1:]:
        found.take(event)
    assert found.findings(NOW) == reconcile(events).findings(NOW)
    assert [d.to_json(NOW) for d in found.duties] == [d.to_json(NOW) for d in reconcile(events).duties]
    assert found.status == reconcile(events).accounts["status"]
    return found


def _found(rule: str, *events: ChainEvent) -> list[Finding]:
    return [finding for finding in _grown(*events).findings(NOW) if finding.rule == rule]


@pytest.mark.parametrize("names", ["nothing", "unknown"])
@pytest.mark.parametrize("make", [_corrected, _withdrawn])
def test_c3_what_names_no_known_event_has_no_effect(make: Any, names: str) -> None:
    """A correction of nothing, or of what is not there, changes nothing and is R20 after a day."""
    event = make("c", "2026-11-04", "x" if names == "unknown" else None)
    plain, found = reconcile([SENT, RECEIVED]), _grown(SENT, RECEIVED, event)
    assert found.status == plain.status == "received"
    assert found.accounts["amounts"] == plain.accounts["amounts"]
    assert found.findings(at("2026-11-04T23:59")) == ()
    (finding,) = found.findings(at("2026-11-05T00:01"))
    assert finding.rule == "R20"
    assert hearers(finding) == ("csrc", "mps", "spp")


def test_c4_a_corrected_referral_is_withdrawn_by_its_first_version() -> None:
    """The matter goes with its corrections: the case says so, the police owe nothing, nothing is R22."""
    events = (SENT, RECEIVED, _corrected("c", "2026-11-04"), _withdrawn("w", "2026-11-05"))
    found = _grown(*events)
    assert (found.status, found.findings(NOW)) == ("withdrawn", ())
    assert {duty.state(NOW) for duty in found.duties if duty.owed_by == "mps"} <= {"moot", "met"}
    shown = case_view(events, NOW)
    assert [event["withdrawn_by"] is not None for event in shown["events"]] == [True, False, True, False]


def test_c4_rivals_are_heard_by_all_who_were_told_of_one() -> None:
    """Who read a correction that has no effect gets the finding, not only who said it."""
    (finding,) = _found("R22", SENT, _corrected("c", "2026-11-04"), _corrected("d", "2026-11-05"))
    assert hearers(finding) == ("csrc", "mps", "spp")


def test_e6_following_the_finding_ends_the_conflict() -> None:
    """R22 names the digest to take back; taking it back leaves one correction in effect, and no finding."""
    events = [
        SENT,
        _corrected("c", "2026-11-04", amounts=[amount("illegal_gain", "3000000.00")]),
        _corrected("d", "2026-11-06", suspects=suspects("甲某")),
    ]
    before = _grown(*events)
    assert before.accounts["amounts"] == reconcile([SENT]).accounts["amounts"]
    (finding,) = [found for found in before.findings(NOW) if found.rule == "R22"]
    assert digest("d").hex() in finding.because.zh
    assert digest("d").hex() in finding.because.en
    assert finding.suggestion is not None
    after = _grown(*events, say("w", finding.suggestion.type, "2026-11-07", to=("mps",), withdraws="d"))
    assert [found.rule for found in after.findings(NOW) if found.rule == "R22"] == []
    assert after.accounts["amounts"][0]["accounts"][0]["value"] == "3000000.00"
    assert [suspect["name"] for suspect in after.accounts["suspects"]] == ["甲某", "乙某"]


def _merged(into: str, name: str = "m") -> ChainEvent:
    return say(
        name,
        "referral.merged",
        "2026-11-05",
        agency="mps",
        to=("csrc",),
        merged=[{"chain": CHAIN if into != CHAIN else ELSEWHERE, "ref": None}],
        into={"chain": into, "ref": None},
    )


def test_e7_a_merged_matter_ends_with_its_duties() -> None:
    """The chain that goes on in another one is merged and owes nothing; the one that goes on is as it was."""
    ended = _grown(SENT, RECEIVED, _merged(ELSEWHERE))
    assert ended.status == "merged"
    assert {(duty.clock.id, duty.state(NOW)) for duty in ended.duties if duty.met_by is None} == {
        ("DL06", "moot")
    }
    assert ended.findings(NOW) == ()
    going_on = _grown(SENT, RECEIVED, _merged(CHAIN))
    assert going_on.status == "received"
    assert [duty.state(NOW) for duty in going_on.duties if duty.clock.id == "DL06"] == ["overdue"]


def test_e7_a_merger_that_names_numbers_only_is_read_by_them() -> None:
    """Where the matter that goes on is named by its number, a chain that bears the number goes on."""
    into = {"chain": None, "ref": {"issuer": "mps", "scheme": "case", "value": "〔2026〕7号"}}
    merged = say("m", "referral.merged", "2026-11-05", agency="mps", to=("csrc",), merged=[], into=into)
    assert _grown(SENT, merged).status == "merged"
    merged.envelope["local_refs"].append({"issuer": "mps", "scheme": "case", "value": "(2026) 7号"})
    assert _grown(SENT, merged).status == "referred"


def test_e7_a_cancelled_case_owes_nothing() -> None:
    """Cancelled for all whom it was filed for, the case owes no hand-over; for one of two it goes on."""

    def cancelled(name: str, *who: str) -> ChainEvent:
        return say(
            name, "progress.cancelled", "2026-11-09", agency="mps", to=("csrc",), suspects=suspects(*who)
        )

    for last in (
        [cancelled("c")],
        [cancelled("c", "甲某", "乙某")],
        [cancelled("c", "甲某"), cancelled("d", "乙某")],
    ):
        found = _grown(SENT, RECEIVED, FILED, *last)
        assert (found.status, found.findings(NOW)) == ("cancelled", ())
        assert [duty.state(NOW) for duty in found.duties if duty.clock.id == "DL10"] == ["moot"]
    one = _grown(SENT, RECEIVED, FILED, cancelled("c", "甲某"))
    assert one.status == "filed"
    assert [duty.state(NOW) for duty in one.duties if duty.clock.id == "DL10"] == ["overdue"]
    anew = say("f2", "referral.filed", "2026-11-12", agency="mps", to=("csrc",), replies="s")
    again = _grown(SENT, RECEIVED, FILED, cancelled("c"), anew)
    assert [duty.state(NOW) for duty in again.duties if duty.clock.id == "DL10"] == ["moot", "contested"]


@pytest.mark.parametrize(
    "type", [type for type, known in CATALOG.types.items() if known.about in ("listed", "case")]
)
def test_e7_every_type_brings_into_its_state_or_leaves_the_state_alone(type: str) -> None:
    """A type of the catalogue moves a case into the state that is declared, or moves nothing."""
    known = CATALOG.types[type]
    facts: dict[str, Any] = {"suspects": suspects("甲某", "乙某")}
    if known.ends == "elsewhere":
        facts["into"] = {"chain": ELSEWHERE, "ref": None}
    event = say(
        "e", type, "2026-11-20", agency=min(known.speakers), to=("csrc", "mps", "spp", "court"), **facts
    )
    before = say("a", "clue.submitted", "2026-11-01", to=("csrc", "mps", "spp", "court"), **facts)
    told = ("csrc", "mps", "spp", "court")
    for state in known.moves_from:
        way = [
            say(f"w{place}", one, f"2026-11-{place + 2:02d}", agency=_speaker(one), to=told, **facts)
            for place, one in enumerate(_way_to(state))
        ]
        assert _grown(before, *way).status == state
        assert _grown(before, *way, event).status == known.brings_to
    status = _grown(before, event).status
    moves = known.brings_to is not None and (not known.moves_from or "clue" in known.moves_from)
    assert status == (known.brings_to if moves else "clue")


def _speaker(type: str) -> str:
    return min(CATALOG.types[type].speakers)


def _way_to(state: str) -> list[str]:
    """Types that, one after the other, bring a clue into a state."""
    bringing = [type for type, known in CATALOG.types.items() if known.brings_to == state]
    free = [type for type in bringing if not CATALOG.types[type].moves_from]
    if free:
        return free[:1]
    first = next(type for type in bringing if state not in CATALOG.types[type].moves_from)
    return [*_way_to(CATALOG.types[first].moves_from[0]), first]


def test_c5_silence_after_a_referral_is_seen() -> None:
    """A day after the delivery the police owe a receipt by practice and R02 says so; it is never R10."""
    found = _grown(SENT)
    assert found.findings(at("2026-11-03T23:59")) == ()
    assert [one.rule for one in found.findings(at("2026-11-04"))] == ["R02"]
    (duty,) = found.duties
    assert (duty.clock.id, duty.owed_by, duty.owed_to) == ("DL36", "mps", ("csrc",))
    assert [duty.state(at(day)) for day in ("2026-11-03", "2026-11-04", "2026-11-20")] == [
        "waiting",
        "open",
        "overdue",
    ]
    assert [(one.rule, hearers(one)) for one in found.findings(NOW)] == [("R02", ("csrc", "mps"))]
    assert {duty.clock.id for duty in _grown(SENT, RECEIVED).duties} == {"DL06"}


def test_c5_a_late_answer_ends_the_silence() -> None:
    """Once the police answer, the finding is gone, and the duty is met as it was: late."""
    late = say("r", "referral.returned_not_competent", "2026-11-20", agency="mps", to=("csrc",), replies="s")
    found = _grown(SENT, late)
    assert found.findings(NOW) == ()
    assert [(duty.clock.id, duty.state(NOW)) for duty in found.duties] == [("DL36", "overdue")]
