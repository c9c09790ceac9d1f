"""The clocks of supervision, custody, review, trial and penalty, each held against the calendar."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

import pytest

from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.case.fold import fold
from casebus_schemas.case.obligations import Obligation
from casebus_schemas.law.clocks import Clock, clock_table, clocks
from casebus_schemas.rules.folded_case import Case
from casebus_schemas.rules.register import RULES
from casebus_schemas.rules.running import run_rule_at
from casebus_schemas.small_types import RuleId
from support.cases.chains import at, say, suspects
from support.cases.custody_clocks import CUSTODY, REVIEW
from support.cases.prosecution_clocks import DESK, REVERSE, SUPERVISION, Row, mps, signed, spp

CASES = {**SUPERVISION, **REVERSE, **CUSTODY, **REVIEW}
ELSEWHERE = {
    *(
        "DL02",
        "DL03",
        "DL04",
        "DL05",
        "DL06",
        "DL10",
        "DL16",
        "DL36",
    ),  # tests/schemas/case/test_obligations.py
    "DL34",  # tests/schemas/law/test_remedy_clocks.py
}


def _of(clock: str, events: Sequence[ChainEvent]) -> list[Obligation]:
    return [duty for duty in Case.of(events).duties if duty.clock.id == clock]


def test_every_clock_of_the_prosecution_is_played() -> None:
    """Each clock up to DL33, and those without a number in the list of obligations, has a case here."""
    ours = {id for id in clocks() if id <= "DL33" or "DL37" <= id <= "DL50"} | {"DL55"}
    assert ours - ELSEWHERE == set(CASES)


@pytest.mark.parametrize("clock", list(CASES))
def test_a_clock_gives_what_was_counted_by_hand(clock: str) -> None:
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


def test_whoever_asks_for_supervision_at_once_needs_no_reconsideration() -> None:
    """The regulator may go to the procuratorate directly: its right to reconsideration ends with that."""
    events, _, _ = CASES["DL07"]
    asked = say("u", "supervision.suggested", "2022-06-03T10:00", to=("spp",), replies="n")
    (duty,) = _of("DL07", [*events, asked])
    assert duty.state(at("2022-07-01")) == "moot"


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


@pytest.mark.parametrize(
    ("clock", "type", "agency"),
    [
        ("DL09", "referral.reconsideration_decided", "mps"),
        ("DL42", "progress.arrest_reconsideration_decided", "spp"),
        ("DL45", "outcome.reconsideration_decided", "spp"),
    ],
)
def test_a_reconsideration_that_was_won_starts_no_right(clock: str, type: str, agency: str) -> None:
    """Only who was told no may go one level up."""
    won, lost = (
        say("d", type, "2022-06-08T10:00", agency=agency, to=("csrc", "mps"), result=result)
        for result in ("changed", "upheld")
    )
    assert (_of(clock, [won]), len(_of(clock, [lost]))) == ([], 1)


def test_only_a_case_that_was_filed_on_order_may_be_urged() -> None:
    """A case that the police file by themselves starts no right to urge it."""
    filed = mps("f", "referral.filed", "2022-03-10T10:00")
    assert _of("DL15", [filed]) == []


def test_time_without_certain_events_is_waited_for() -> None:
    """The right waits until three months are over; a conclusion within them ends it, a later one does not."""
    events, _, _ = CASES["DL15"]
    (waiting,) = _of("DL15", events)
    assert waiting.state(at("2022-06-10T12:00")) == "waiting"
    assert at("2022-06-11") in waiting.turns()
    ended = [mps("c", "progress.concluded", f"2022-{day}T10:00") for day in ("05-20", "06-20")]
    assert [d.state(at("2022-07-01")) for one in ended for d in _of("DL15", [*events, one])] == [
        "moot",
        "open",
    ]


def test_the_decision_on_filing_answers_a_demand_for_reasons() -> None:
    """Police who file after all owe no reasons any more; police who are silent do."""
    asked = spp("q", "supervision.reasons_requested", "2022-06-08T10:00")
    filed = mps("f", "referral.filed", "2022-06-13T10:00")
    assert [duty.state(at("2022-07-20")) for duty in _of("DL11", [asked, filed])] == ["met"]
    assert [duty.state(at("2022-07-20")) for duty in _of("DL11", [asked])] == ["overdue"]


def test_the_rung_follows_the_starting_event() -> None:
    """Not in custody and complex: twenty days, to 06-28; the rung of custody is not there."""
    free = mps(
        "a",
        "progress.arrest_requested",
        "2022-06-08T10:00",
        in_custody=False,
        complex=True,
        suspects=suspects("甲"),
    )
    (duty,) = _of("DL18", [free])
    assert ([step.step for step in duty.steps], duty.suspect) == (["complex"], "甲")
    assert max(reading.due for reading in duty.readings) == at("2022-06-29")


def test_a_receipt_of_a_refused_arrest_starts_no_custody() -> None:
    """The police return a receipt after a refusal, too: nobody is in custody by it."""
    refused = spp("r", "progress.arrest_refused", "2022-06-08T10:00", suspects=suspects("甲"))
    receipt = mps(
        "e",
        "progress.arrest_executed",
        "2022-06-09T10:00",
        replies="r",
        executed_on=date(2022, 6, 9),
        suspects=suspects("甲"),
    )
    assert _of("DL22", [refused, receipt]) == []
    assert [duty.state(at("2022-07-01")) for duty in _of("DL40", [refused, receipt])] == ["met"]


def test_another_grave_crime_starts_custody_anew() -> None:
    """Two months from the day of discovery, 03-15, end on 05-15, a Sunday: custody is not moved."""
    events, _, _ = CASES["DL22"]
    anew = mps(
        "n",
        "progress.custody_recalculated",
        "2022-03-16T10:00",
        discovered_on=date(2022, 3, 15),
        suspects=suspects("甲"),
    )
    found = _of("DL22", [*events[:2], anew])
    assert [(duty.suspect, duty.state(at("2022-05-16"))) for duty in found] == [
        ("甲", "moot"),
        ("乙", "overdue"),
        ("甲", "overdue"),
    ]
    assert [reading.due for reading in found[2].readings] == [at("2022-05-16")]


def test_a_return_ends_the_review_and_the_case_coming_back_starts_it() -> None:
    """Returned on 06-20 and back on 07-15: a month and fifteen days end on Tuesday 08-30."""
    events = [
        mps("t", "progress.transferred_for_prosecution", "2022-06-01T10:00"),
        spp("r", "progress.returned_for_supplement", "2022-06-20T10:00", replies="t"),
        mps("b", "progress.resubmitted", "2022-07-15T10:00", replies="r"),
    ]
    first, second = _of("DL23", events)
    assert (first.state(at("2022-08-01")), second.state(at("2022-08-01"))) == ("moot", "open")
    assert {reading.due for reading in second.readings} == {at("2022-08-31")}


@pytest.mark.parametrize(("over", "due"), [(False, "2022-06-19"), (True, "2022-06-24")])
def test_the_fast_track_ends_the_ordinary_term(over: bool, due: str) -> None:
    """Ten days, or fifteen where more than a year is possible; the month does not run beside them."""
    sent = mps("t", "progress.transferred_for_prosecution", "2022-06-08T10:00")
    fast = spp(
        "f",
        "progress.fast_track_chosen",
        "2022-06-09T10:00",
        replies="t",
        received_on=date(2022, 6, 8),
        over_one_year=over,
    )
    assert [duty.state(at("2022-08-01")) for duty in _of("DL23", [sent, fast])] == ["moot"]
    (duty,) = _of("DL24", [sent, fast])
    assert min(reading.due for reading in duty.readings) == at(due)


def test_a_third_return_is_marked() -> None:
    """The law allows two returns in a case: the third start is beyond."""
    returns = [
        spp(f"r{day}", "progress.returned_for_supplement", f"2022-0{day}-01T10:00") for day in (3, 5, 7)
    ]
    assert [(duty.number, duty.beyond) for duty in _of("DL26", returns)] == [
        (1, False),
        (2, False),
        (3, True),
    ]


def test_supplementary_investigation_counts_from_the_receipt() -> None:
    """The police had the papers on 06-03: the month ends on Sunday 07-03, then Monday 07-04."""
    events, _, _ = CASES["DL26"]
    (duty,) = _of("DL26", [*events, signed("r", "mps", "2022-06-03T10:00")])
    assert sorted({reading.due for reading in duty.readings}) == [at("2022-07-04"), at("2022-07-05")]


@pytest.mark.parametrize(
    ("stops", "goes_on", "agency"),
    [
        ("outcome.reconsideration_requested", "outcome.reconsideration_decided", "mps"),
        ("outcome.review_requested", "outcome.review_decided", "mps"),
        ("outcome.complained", "outcome.complaint_decided", "spp"),
        ("outcome.privately_prosecuted", "reverse.resumed", "court"),
        ("reverse.suspended", "reverse.resumed", "spp"),
    ],
)
def test_a_term_that_stands_still_does_not_run_out(stops: str, goes_on: str, agency: str) -> None:
    """While the decision is contested the state stays as it was; then the ten workdays go on."""
    asked = say("q", stops, "2025-01-14T10:00", agency=agency)
    (duty,) = _of("DL29", [DESK, asked])
    assert (duty.stands_since, duty.state(at("2026-01-01"))) == (at("2025-01-14T10:00"), "open")
    answered = say("o", "reverse.opinion_issued", "2025-03-03T10:00", agency="spp", to=("csrc",))
    (done,) = _of("DL29", [DESK, asked, replace(answered, source="/spp/admin-desk")])
    assert (done.stands_since, done.state(at("2026-01-01"))) == (None, "met")
    on = say("g", goes_on, "2025-01-17T10:00", agency="spp")
    (again,) = _of("DL29", [DESK, asked, on])
    assert (again.stands_since, again.state(at("2025-01-28"))) == (None, "overdue")


def test_an_urgent_opinion_sets_its_own_day() -> None:
    """Where the opinion says by when a reply is wanted, that day counts, not the two months."""
    events, _, _ = CASES["DL30"]
    opinion, receipt = events
    urgent = replace(opinion, data={**opinion.data, "reply_by": date(2022, 6, 24)})
    (duty,) = _of("DL30", [urgent, receipt])
    assert {reading.due for reading in duty.readings} == {at("2022-06-25")}


def test_there_is_no_clock_to_the_administrative_desk_before_the_guideline() -> None:
    """A non-prosecution of 2024-11-25 starts nothing, one of the next day does."""
    days = ("2024-11-25", "2024-11-26")
    found = [say("n", "outcome.not_prosecuted", day, agency="spp", suspects=suspects("甲")) for day in days]
    assert [len(_of("DL28", [one])) for one in found] == [0, 1]


def test_the_court_has_its_longer_time_approved() -> None:
    """The approval lifts the limit to six months, to Thursday 12-01."""
    events, _, _ = CASES["DL33"]
    longer = say("x", "outcome.trial_extended", "2022-08-01", agency="court", level="next_higher")
    (duty,) = _of("DL33", [*events, longer])
    assert max(reading.due for reading in duty.readings) == at("2022-12-02")


def test_units_of_one_agency_owe_each_other() -> None:
    """The criminal desk owes the administrative desk; the desk's own answer meets it, another's does not."""
    (decided, _), _, _ = CASES["DL28"]
    sent = say("s", "reverse.sent_to_admin_desk", "2025-01-13", agency="spp", replies="n")
    by = [replace(sent, source=f"/spp/{desk}") for desk in ("criminal-desk", "other-desk")]
    found = [duty for one in by for duty in _of("DL28", [decided, one])]
    assert [(duty.owed_to, duty.met_by is not None) for duty in found] == [
        (("spp/admin-desk",), True),
        (("spp/admin-desk",), True),
        (("spp/admin-desk",), False),
        (("spp/admin-desk",), False),
    ]


@pytest.mark.parametrize(
    ("day", "source", "verified"),
    [
        ("2012-06-08", None, None),
        ("2017-06-08", "spp-rules-2012", True),
        ("2020-01-08", "spp-rules-2019", True),
        ("2022-06-08", "mps-procedure-2020", True),
    ],
)
def test_an_order_to_file_runs_under_the_rules_of_its_day(
    day: str, source: str | None, verified: bool | None
) -> None:
    """Fifteen days by the provisional rules of 2012, by those of 2019, by the police's own since 2020."""
    ordered = [spp("o", "supervision.notice_to_file", f"{day}T10:00"), signed("o", "mps", f"{day}T11:00")]
    found = _of("DL12", ordered)
    assert [duty.version.verified for duty in found] == ([] if source is None else [verified])
    for duty in found:
        assert source in [article.instrument for article in duty.version.source]
        assert duty.readings[0].due == at(day) + timedelta(days=16)


@pytest.mark.parametrize("clock", clocks().values(), ids=lambda clock: clock.id)
def test_no_clock_rests_on_a_text_that_was_not_in_force(clock: Clock) -> None:
    """Each text of a clock cites only instruments that were in force when it began and while it counts."""
    known = clock_table().instruments
    for version in clock.versions:
        for article in version.source:
            cited = known[article.instrument]
            assert cited.in_force <= version.since, (clock.id, article)
            assert cited.until is None or (version.until or date.max) <= cited.until, (clock.id, article)
