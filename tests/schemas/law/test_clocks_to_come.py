"""The language of clocks carries the clocks that are to come: each is written as test data and played."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.case.fold import fold
from casebus_schemas.case.obligations import Obligation
from casebus_schemas.rules.folded_case import Case
from casebus_schemas.rules.register import RULES
from casebus_schemas.rules.running import run_rule_at
from casebus_schemas.small_types import RuleId
from support.chains import at, say, suspects
from support.clock_tables import duties
from support.clocks_to_come import CASES, DESK, TABLE, Row


def _of(clock: str, events: Sequence[ChainEvent]) -> list[Obligation]:
    return [duty for duty in duties(events, TABLE) if duty.clock.id == clock]


def test_every_clock_to_come_is_played() -> None:
    """Each file of the folder has a case here."""
    assert set(TABLE.by_id) == set(CASES)


@pytest.mark.parametrize("clock", list(CASES))
def test_a_clock_to_come_gives_what_was_counted_by_hand(clock: str) -> None:
    """Who owes, the start, both ends and the state are those of the calendar."""
    events, now, expected = CASES[clock]
    found: list[Row] = [
        (
            duty.owed_by,
            duty.started_at,
            min(reading.due for reading in duty.readings),
            max(reading.due for reading in duty.readings),
            duty.state(at(now)),
        )
        for duty in _of(clock, events)
    ]
    assert found == [
        (who, at(start), at(first), at(last), state) for who, start, first, last, state in expected
    ]


def test_a_right_that_lapsed_was_used_in_time_or_not_at_all() -> None:
    """A right used in time is met; one used too late is lapsed, never overdue."""
    events, _, _ = CASES["DL07"]
    used = [
        say("r", "referral.reconsideration_requested", f"2022-06-{day}T10:00", replies="n")
        for day in ("03", "20")
    ]
    now = at("2022-07-01")
    assert [duty.state(now) for one in used for duty in _of("DL07", [*events, one])] == ["met", "lapsed"]


def test_b4_a_right_that_was_used_in_time_by_claim_only_is_contested() -> None:
    """A request that is dated back into its three days is R07, told to the police who must decide on it."""
    events, _, _ = CASES["DL07"]
    late = say(
        "r", "referral.reconsideration_requested", "2022-06-03T10:00", admitted="2022-12-01", replies="n"
    )
    (duty,) = _of("DL07", [*events, late])
    now = at("2023-01-01")
    assert (duty.claimed_state(now), duty.proven_state(now)) == ("met", "lapsed")
    (finding,) = run_rule_at(RULES[RuleId("R07")], Case(fold([*events, late]), (), (duty,)), now)
    assert "claimed 2022-06-03, admitted 2022-12-01" in finding.because.en
    assert finding.concerned() == ("csrc", "mps")


def test_a_reconsideration_that_was_won_starts_no_right() -> None:
    """The condition on the field of the starting event decides."""
    won = say(
        "d",
        "referral.reconsideration_decided",
        "2022-06-08T10:00",
        agency="mps",
        to=("csrc",),
        result="changed",
    )
    assert _of("DL09", [won]) == []


def test_time_without_certain_events_is_waited_for() -> None:
    """The right waits until three months are over; a conclusion within them ends it, a later one does not."""
    events, _, _ = CASES["DL15"]
    (waiting,) = _of("DL15", events)
    assert waiting.state(at("2022-06-10T12:00")) == "waiting"
    assert at("2022-06-11") in waiting.turns()
    ended = [say("c", "progress.concluded", f"2022-{day}T10:00", agency="mps") for day in ("05-20", "06-20")]
    assert [d.state(at("2022-07-01")) for one in ended for d in _of("DL15", [*events, one])] == [
        "moot",
        "open",
    ]


def test_the_rung_follows_the_starting_event() -> None:
    """Not in custody and complex: twenty days, to 06-28; the rung of custody is not there."""
    free = say(
        "a",
        "progress.arrest_requested",
        "2022-06-08T10:00",
        agency="mps",
        to=("spp",),
        in_custody=False,
        complex=True,
        suspects=suspects("甲"),
    )
    (duty,) = _of("DL18", [free])
    assert ([step.step for step in duty.steps], duty.suspect) == (["complex"], "甲")
    assert max(reading.due for reading in duty.readings) == at("2022-06-29")


def test_a_third_return_is_marked() -> None:
    """The law allows two returns in a case: the third start is beyond."""
    returns = [
        say(f"r{day}", "progress.returned_for_supplement", f"2022-0{day}-01T10:00", agency="spp", to=("mps",))
        for day in (3, 5, 7)
    ]
    assert [(duty.number, duty.beyond) for duty in _of("DL26", returns)] == [
        (1, False),
        (2, False),
        (3, True),
    ]


def test_a_term_that_stands_still_does_not_run_out() -> None:
    """While the person's request is not decided the state stays as it was; an answer then is in time."""
    asked = say("q", "outcome.reconsideration_requested", "2025-01-14T10:00", agency="mps")
    (duty,) = _of("DL29", [DESK, asked])
    assert (duty.stands_since, duty.state(at("2026-01-01"))) == (at("2025-01-14T10:00"), "open")
    answered = say("o", "reverse.opinion_issued", "2025-03-03T10:00", agency="spp")
    (done,) = _of("DL29", [DESK, asked, replace(answered, source="/spp/admin-desk")])
    assert (done.stands_since, done.state(at("2026-01-01"))) == (None, "met")


def test_the_court_approves_its_own_longer_time() -> None:
    """The approval lifts the limit to six months, to Thursday 12-01."""
    events, _, _ = CASES["DL33"]
    (duty,) = _of(
        "DL33", [*events, say("x", "outcome.trial_extended", "2022-08-01", agency="court", level="superior")]
    )
    assert max(reading.due for reading in duty.readings) == at("2022-12-02")


def test_units_of_one_agency_owe_each_other() -> None:
    """The criminal desk owes the administrative desk; the desk's own answer meets it, another's does not."""
    events, _, _ = CASES["DL28"]
    sent = say("s", "reverse.sent_to_admin_desk", "2025-01-13", agency="spp", replies="n")
    by = [replace(sent, source=f"/spp/{desk}") for desk in ("criminal-desk", "other-desk")]
    found = [duty for one in by for duty in _of("DL28", [*events, one])]
    assert [(duty.owed_to, duty.met_by is not None) for duty in found] == [
        (("spp/admin-desk",), True),
        (("spp/admin-desk",), False),
    ]
