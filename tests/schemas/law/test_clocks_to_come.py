"""The language of clocks carries the clocks that are to come: each is written as test data and played."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import pytest

from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.case.fold import fold
from casebus_schemas.case.obligations import Obligation
from casebus_schemas.rules.folded_case import Case
from casebus_schemas.rules.register import RULES
from casebus_schemas.rules.running import run_rule_at
from casebus_schemas.small_types import RuleId
from support.chains import at, digest, say, suspects
from support.clock_tables import duties, table_of

FOLDER = Path(__file__).parent / "clocks_to_come"
TABLE = table_of({file.name: file.read_text(encoding="utf-8") for file in FOLDER.glob("*.yaml")})
Row = tuple[str, datetime, datetime, datetime, str]
"""Who owes, from when, due at the earliest and at the latest, and the state at the asked time."""


def _signed(event: str, by: str, when: str) -> ChainEvent:
    return say(
        f"signed {event}", "receipt.signed", when, agency=by, event=digest(event), received_at=at(when)
    )


def _two() -> list[dict[str, object]]:
    return suspects("甲", "乙")


DESK = replace(
    say("s", "reverse.sent_to_admin_desk", "2025-01-09", agency="spp", to=("spp/admin-desk",)),
    source="/spp/criminal-desk",
)
CASES: dict[str, tuple[list[ChainEvent], str, list[tuple[str, str, str, str, str]]]] = {
    # Received on Thursday 06-02: day 3 is Sunday 06-05 (Dragon Boat), then Monday 06-06; workdays 6, 7, 8.
    "DL07": (
        [
            say("n", "referral.not_filed", "2022-06-01T10:00", agency="mps", to=("csrc",)),
            _signed("n", "csrc", "2022-06-02T09:00"),
        ],
        "2022-06-09",
        [("csrc", "2022-06-02T09:00", "2022-06-06", "2022-06-09", "lapsed")],
    ),
    # Fetched on Wednesday 06-08: day 3 is Saturday 06-11, then Monday 06-13; workdays 9, 10, 13.
    "DL09": (
        [
            say(
                "d",
                "referral.reconsideration_decided",
                "2022-06-08T10:00",
                agency="mps",
                to=("csrc",),
                result="upheld",
            ),
            say(
                "f",
                "receipt.delivered",
                "2022-06-08T12:00",
                deliveries=[{"event": digest("d"), "fetched_at": at("2022-06-08T11:00")}],
            ),
        ],
        "2022-06-13",
        [("csrc", "2022-06-08T11:00", "2022-06-12", "2022-06-14", "contested")],
    ),
    # No receipt: seven days from the sending, 06-08, end on 06-15, from the arrival, 06-10, on 06-17.
    "DL11": (
        [
            say(
                "q",
                "supervision.reasons_requested",
                "2022-06-08T10:00",
                agency="spp",
                to=("mps",),
                admitted="2022-06-10",
            )
        ],
        "2022-06-20",
        [("mps", "2022-06-08T10:00", "2022-06-16", "2022-06-18", "contested")],
    ),
    # Received on 06-09: filed in the last minute of day 15, Friday 06-24.
    "DL12": (
        [
            say("o", "supervision.notice_to_file", "2022-06-08T10:00", agency="spp", to=("mps",)),
            _signed("o", "mps", "2022-06-09T10:00"),
            say("f", "referral.filed", "2022-06-24T23:59", agency="mps", replies="o"),
        ],
        "2022-07-01",
        [("mps", "2022-06-09T10:00", "2022-06-25", "2022-06-25", "met")],
    ),
    # The regulator's own word starts nothing, the procuratorate's does: seven days, to Wednesday 06-15.
    "DL14": (
        [
            say("c", "supervision.overdue_decision", "2022-06-06T10:00", to=("spp",)),
            say(
                "o",
                "supervision.overdue_decision",
                "2022-06-08T10:00",
                agency="spp",
                to=("mps",),
                replies="c",
            ),
        ],
        "2022-06-15T12:00",
        [("mps", "2022-06-08T10:00", "2022-06-16", "2022-06-16", "due")],
    ),
    # Three months from 03-10 are over with 06-10.
    "DL15": (
        [say("f", "referral.filed", "2022-03-10T10:00", agency="mps")],
        "2022-06-11",
        [("spp", "2022-06-11", "2023-06-12", "2023-06-12", "open")],
    ),
    # Day 3 is 06-11; the longer time is for the second suspect only, seven days, to 06-15.
    "DL17": (
        [
            say("d", "progress.detained", "2022-06-08T10:00", agency="mps", suspects=_two()),
            say("a", "progress.arrest_requested", "2022-06-10T10:00", agency="mps", suspects=suspects("甲")),
            say(
                "x",
                "progress.custody_extended",
                "2022-06-10T11:00",
                agency="mps",
                approved_by="county",
                suspects=suspects("乙"),
            ),
        ],
        "2022-06-16",
        [
            ("mps", "2022-06-08T10:00", "2022-06-12", "2022-06-12", "met"),
            ("mps", "2022-06-08T10:00", "2022-06-16", "2022-06-16", "overdue"),
        ],
    ),
    # In custody seven days without moving past holidays, to 06-15.
    "DL18": (
        [
            say(
                "a",
                "progress.arrest_requested",
                "2022-06-08T10:00",
                agency="mps",
                to=("spp",),
                in_custody=True,
                complex=False,
                suspects=_two(),
            ),
            _signed("a", "spp", "2022-06-08T11:00"),
            say(
                "y",
                "progress.arrest_approved",
                "2022-06-14T10:00",
                agency="spp",
                replies="a",
                suspects=suspects("甲"),
            ),
        ],
        "2022-06-15T09:00",
        [
            ("spp", "2022-06-08T11:00", "2022-06-16", "2022-06-16", "met"),
            ("spp", "2022-06-08T11:00", "2022-06-16", "2022-06-16", "due"),
        ],
    ),
    # From the last day of January two months end on the last of March, three on the last of April.
    "DL22": (
        [
            say(
                "e",
                "progress.arrest_executed",
                "2022-02-01T10:00",
                agency="mps",
                to=("spp",),
                executed_on=date(2022, 1, 31),
                suspects=_two(),
            ),
            say(
                "x",
                "progress.custody_extended",
                "2022-03-20T10:00",
                agency="spp",
                approved_by="next-higher",
                suspects=suspects("甲"),
            ),
            say(
                "z",
                "progress.custody_extended",
                "2022-03-20T11:00",
                agency="mps",
                approved_by="next-higher",
                suspects=suspects("乙"),
            ),
        ],
        "2022-04-01",
        [
            ("mps", "2022-01-31", "2022-05-01", "2022-05-01", "open"),
            ("mps", "2022-01-31", "2022-04-01", "2022-04-01", "overdue"),
        ],
    ),
    # A month and 15 days from 06-01 end on Saturday 07-16, then Monday 07-18; anew from 06-20 on 08-04.
    "DL23": (
        [
            say("t", "progress.transferred_for_prosecution", "2022-06-01T10:00", agency="mps", to=("spp",)),
            say("j", "progress.jurisdiction_changed", "2022-06-20T10:00", agency="spp", replies="t"),
        ],
        "2022-07-20",
        [
            ("spp", "2022-06-01T10:00", "2022-07-17", "2022-07-19", "moot"),
            ("spp", "2022-06-20T10:00", "2022-08-05", "2022-08-05", "open"),
        ],
    ),
    # A month from 06-01 ends on Friday 07-01.
    "DL26": (
        [say("r", "progress.returned_for_supplement", "2022-06-01T10:00", agency="spp", to=("mps",))],
        "2022-07-01T09:00",
        [("mps", "2022-06-01T10:00", "2022-07-02", "2022-07-02", "due")],
    ),
    # Thirty days from 06-09 end on Saturday 07-09, then Monday 07-11.
    "DL27": (
        [
            say("n", "outcome.not_prosecuted", "2022-06-08T10:00", agency="spp", to=("mps",)),
            _signed("n", "mps", "2022-06-09T10:00"),
        ],
        "2022-07-12",
        [("mps", "2022-06-09T10:00", "2022-07-10", "2022-07-12", "lapsed")],
    ),
    # Workdays 10, 13, 14 January.
    "DL28": (
        [
            replace(
                say("n", "outcome.not_prosecuted", "2025-01-09", agency="spp"), source="/spp/criminal-desk"
            )
        ],
        "2025-01-14T09:00",
        [("spp/criminal-desk", "2025-01-09", "2025-01-15", "2025-01-15", "due")],
    ),
    # Ten workdays end on 01-23; three workdays stood still (15, 16, 17), made good on 24, 26 (made up), 27.
    "DL29": (
        [
            DESK,
            say("q", "outcome.reconsideration_requested", "2025-01-14T10:00", agency="mps"),
            say("d", "outcome.reconsideration_decided", "2025-01-17T10:00", agency="spp"),
        ],
        "2025-01-24",
        [("spp/admin-desk", "2025-01-09", "2025-01-28", "2025-01-28", "open")],
    ),
    # Three months from 06-01 end on Thursday 09-01.
    "DL33": (
        [
            say("p", "outcome.prosecuted", "2022-06-01T10:00", agency="spp", to=("court",)),
            _signed("p", "court", "2022-06-01T15:00"),
        ],
        "2022-09-02",
        [("court", "2022-06-01T15:00", "2022-09-02", "2022-09-02", "overdue")],
    ),
    # Two months from 06-08 end on Monday 08-08.
    "DL35": (
        [
            say("i", "recommendation.issued", "2022-06-08T10:00", agency="spp", addressee="某公司"),
            say("r", "recommendation.replied", "2022-08-08T10:00", agency="spp", replies="i"),
        ],
        "2022-09-01",
        [("某公司", "2022-06-08T10:00", "2022-08-09", "2022-08-09", "met")],
    ),
}


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


def test_an_outsider_is_told_nothing() -> None:
    """Whoever takes no part in the bus owes by name, and only members are told."""
    events, _, _ = CASES["DL35"]
    (duty,) = _of("DL35", events)
    assert (duty.owed_by, duty.owed_to, duty.to_tell) == ("某公司", ("spp",), ("spp",))


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
