"""As-of: facts until a time, what somebody had at a time and how, and the law of another day."""

from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casebus_consumers.accounts_reader import AccountsReader
from casebus_schemas.case.as_of import LEVELS, AsOf, Level, had_at, sight
from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.errors import UsageError
from casebus_schemas.rules.case_view import case_view
from casebus_services.reconciler.accounts_database import Database
from support.cases.chains import at, digest, event_id, say
from support.events.admissions import data_of
from support.reconciler.desk import STORY_CHAIN, Desk, envelope_at, ms


def _signed(name: str, of: str, received: str, admitted: str, agency: str = "mps") -> ChainEvent:
    return say(
        name,
        "receipt.signed",
        received,
        agency=agency,
        to=("csrc",),
        admitted=admitted,
        message_class="receipt",
        event=digest(of),
        received_at=at(received),
    )


def _delivered(name: str, of: str, fetched: str, admitted: str, agency: str = "mps") -> ChainEvent:
    return say(
        name,
        "receipt.delivered",
        fetched,
        agency=agency,
        to=("csrc",),
        admitted=admitted,
        message_class="receipt",
        deliveries=[{"event": digest(of), "notice": event_id(of), "seq": 1, "fetched_at": at(fetched)}],
    )


STORY = [
    say("s", "referral.submitted", "2022-09-28T09:00", to=("mps",), told=("mps", "spp")),
    _delivered("d", "s", "2022-09-28T11:00", "2022-09-28T11:05"),
    _signed("g", "s", "2022-09-28T15:00", "2022-09-28T15:01"),
    say("q", "consultation.requested", "2022-09-28T16:00", to=("spp",)),
    say("p", "clue.submitted", "2022-09-29T09:00", agency="mps", to=("csrc",)),
]


@pytest.mark.parametrize(
    ("agency", "level", "had"),
    [
        ("mps", "available", {"s": "2022-09-28T09:00", "d": "", "g": "", "p": ""}),
        ("mps", "fetched", {"s": "2022-09-28T11:00", "d": "", "g": "", "p": ""}),
        ("mps", "receipted", {"s": "2022-09-28T15:00", "d": "", "g": "", "p": ""}),
        ("spp", "available", {"s": "2022-09-28T09:00", "q": "2022-09-28T16:00"}),
        ("spp", "fetched", {}),
        ("csrc", "available", {"s": "", "q": "", "d": "", "g": "", "p": "2022-09-29T09:00"}),
        ("court", "available", {}),
    ],
)
def test_who_had_what_since_when(agency: str, level: Level, had: dict[str, str]) -> None:
    """Its own events and those it was told of: from admission, from its receipt, from its signature."""
    known = {event.digest: event.admitted_at for event in STORY}
    expected = {digest(name): at(when) if when else known[digest(name)] for name, when in had.items()}
    assert had_at(STORY, agency, level) == expected


@pytest.mark.parametrize(
    ("fetched", "admitted", "expected"),
    [
        ("2022-09-01T09:00", "2022-09-28T12:00", "2022-09-28T09:00"),
        ("2030-01-01T09:00", "2022-09-28T12:00", "2022-09-28T12:00"),
    ],
)
def test_a_receipt_cannot_claim_a_time_that_cannot_be(fetched: str, admitted: str, expected: str) -> None:
    """Nobody had an event before the bus, nor only after having said that he has it."""
    had = had_at([STORY[0], _delivered("d", "s", fetched, admitted)], "mps", "fetched")
    assert had[digest("s")] == at(expected)


def test_a_receipt_of_another_agency_or_of_what_one_was_never_told_proves_nothing() -> None:
    """Only an agency's own word binds it, and only for what its admission let it have."""
    others = _delivered("d", "s", "2022-09-28T11:00", "2022-09-28T11:05", agency="spp")
    court = _signed("g", "s", "2022-09-28T15:00", "2022-09-28T15:01", agency="court")
    assert digest("s") not in had_at([STORY[0], others], "mps", "fetched")
    assert digest("s") not in had_at([STORY[0], court], "court", "receipted")


def test_a_case_as_an_agency_knew_it() -> None:
    """The case is folded from what the agency had, and says what was asked and what is left out."""
    asked = AsOf(known_by="mps", known_at=at("2022-09-28T12:00"), level="receipted")
    with pytest.raises(UsageError, match="nothing is known") as nothing:
        case_view(STORY[:1], at("2022-10-01"), asked=asked)
    assert "1 events left out" in str(nothing.value)
    view = case_view(STORY, at("2022-10-01"), asked=AsOf(known_by="spp"), why=True)
    assert [line["type"] for line in view["events"]] == ["referral.submitted", "consultation.requested"]
    assert view["as_of"]["known_by"] == "spp"
    assert view["why"][0]["had"] == {"available": "2022-09-28T09:00:00+08:00"}
    assert {line["type"] for line in view["left_out"]} == {
        "receipt.delivered",
        "receipt.signed",
        "clue.submitted",
    }
    assert "as_of" not in case_view(STORY, at("2022-10-01"))


def test_the_law_of_another_day() -> None:
    """A receipt of 2022 under the text of 2016 has three days and one rung; before 2001 no clock."""
    facts: dict[str, Any] = {"received_at": at("2022-06-01T10:00"), "competent": True, "complete": True}
    receipt = say("r", "referral.receipted", "2022-06-01T10:00", agency="mps", to=("csrc",), **facts)

    def duties(law_of: date | None) -> list[tuple[str, int]]:
        found = case_view([receipt], at("2022-06-02"), asked=AsOf(law_of=law_of))["obligations"]
        return [(duty["due_earliest"][:10], len(duty["ladder"])) for duty in found]

    assert duties(None) == [("2022-06-12", 4)]
    assert duties(date(2016, 10, 18)) == [("2022-06-05", 1)]
    assert duties(date(2000, 1, 1)) == []


def test_questions_that_make_no_sense_are_refused() -> None:
    """An unknown agency, an unknown level, a level of nobody."""
    with pytest.raises(UsageError, match="no such agency"):
        AsOf(known_by="fbi")
    with pytest.raises(UsageError, match="no such level"):
        AsOf(known_by="mps", level="guessed")  # type: ignore[arg-type]  # what a command line may hold
    with pytest.raises(UsageError, match="known by whom"):
        AsOf(level="fetched")


_TIMES = st.integers(0, 400).map(lambda hours: at("2022-09-01T00:00") + timedelta(hours=hours))
_AGENCIES = ("csrc", "mps", "spp")


@st.composite
def histories(draw: st.DrawFn) -> list[ChainEvent]:
    """Events told to some agencies, and receipts of them with any times, honest or not."""
    events: list[ChainEvent] = []
    names = "abcdef"[: draw(st.integers(1, 6))]
    for name in names:
        told = tuple(draw(st.lists(st.sampled_from(_AGENCIES), max_size=3, unique=True)))
        speaker = draw(st.sampled_from(_AGENCIES))
        events.append(
            say(
                name,
                "clue.submitted",
                _text(draw(_TIMES)),
                agency=speaker,
                told=told,
                admitted=_text(draw(_TIMES)),
            )
        )
    for name in "uvwxyz"[: draw(st.integers(0, 6))]:
        make = draw(st.sampled_from((_signed, _delivered)))
        of = draw(st.sampled_from(names))
        events.append(
            make(name, of, _text(draw(_TIMES)), _text(draw(_TIMES)), draw(st.sampled_from(_AGENCIES)))
        )
    return events


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M")


def _known(events: list[ChainEvent], asked: AsOf) -> set[bytes]:
    return {event.digest for event in sight(events, asked).seen}


@settings(max_examples=200, deadline=None)
@given(histories(), st.sampled_from(_AGENCIES), _TIMES, _TIMES, st.sampled_from(LEVELS))
def test_knowledge_only_grows_and_each_level_is_within_the_one_before(
    events: list[ChainEvent], agency: str, one: datetime, other: datetime, level: Level
) -> None:
    """Known by somebody is part of all; monotone in time; receipted within fetched within available."""
    earlier, later = sorted((one, other))
    everything = {event.digest for event in events}
    before = _known(events, AsOf(known_by=agency, known_at=earlier, level=level))
    after = _known(events, AsOf(known_by=agency, known_at=later, level=level))
    assert before <= after <= everything
    by_bus = _known(events, AsOf(known_at=later))
    levels = [_known(events, AsOf(known_by=agency, known_at=later, level=name)) for name in LEVELS]
    assert all(wider >= narrower for wider, narrower in pairwise([by_bus, *levels]))


@settings(max_examples=100, deadline=None)
@given(histories(), st.sampled_from(_AGENCIES), _TIMES, st.randoms(use_true_random=False))
def test_what_was_known_is_a_function_of_the_set_of_events(
    events: list[ChainEvent], agency: str, when: datetime, chance: object
) -> None:
    """Order and repetition of arrival do not matter."""
    asked = AsOf(known_by=agency, known_at=when, level="fetched")
    shuffled = [*events, *events]
    chance.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis gives a random.Random
    assert _known(shuffled, asked) == _known(events, asked)


def test_recipients_are_kept_with_the_first_admission(database: Database, accounts_url: str) -> None:
    """Who was told stands in the accounts, as the first admission of the record says it."""
    desk = Desk(database)
    desk.play()
    referral = next(r for b in desk.admitter.batches() for r in b.records)
    desk.admitter.again(referral)
    desk.agent.handle(desk.admitter.batches())
    assert desk.rows("SELECT DISTINCT recipients FROM recon_admission ORDER BY 1") == [
        ("csrc:to",),
        ("csrc:to,spp:by-law",),
        ("mps:to,spp:by-law",),
    ]
    reader = AccountsReader(accounts_url)
    case = reader.case(STORY_CHAIN, at("2022-10-02"), asked=AsOf(known_by="spp"))
    assert [line["type"] for line in case["events"]] == ["referral.submitted", "referral.filed"]
    with database.writing() as transaction:
        transaction.run("UPDATE recon_admission SET recipients = NULL")
    with pytest.raises(UsageError):
        reader.case(STORY_CHAIN, at("2022-10-02"), asked=AsOf(known_by="spp"))
    reader.close()


def test_a_receipt_through_the_bus_counts(database: Database, accounts_url: str) -> None:
    """A signed receipt.delivered of the police makes the referral fetched since the time that it names."""
    desk = Desk(database)
    referral = desk.refer()
    desk.admitter.admit(referral, at_ms=ms("2022-09-28T10:00"))
    body = {
        "envelope": envelope_at("2022-09-28T12:00", to=["csrc"], message_class="receipt"),
        "deliveries": [
            {
                "event": referral.digest,
                "notice": event_id("n"),
                "seq": 1,
                "fetched_at": at("2022-09-28T11:00"),
            }
        ],
    }
    receipt = desk.admitter.speaker("mps").say("receipt.delivered", body, STORY_CHAIN)
    desk.admitter.admit(receipt, at_ms=ms("2022-09-28T12:01"))
    assert data_of(receipt.record)["deliveries"]
    desk.agent.handle(desk.admitter.batches())
    reader = AccountsReader(accounts_url)

    def seen(known_at: str, level: Level) -> list[str]:
        asked = AsOf(known_by="mps", known_at=at(known_at), level=level)
        try:
            return [
                line["type"] for line in reader.case(STORY_CHAIN, at("2022-10-02"), asked=asked)["events"]
            ]
        except UsageError:
            return []

    assert seen("2022-09-28T10:59", "available") == ["referral.submitted"]
    assert seen("2022-09-28T10:59", "fetched") == []
    assert seen("2022-09-28T11:00", "fetched") == ["referral.submitted"]
    assert seen("2022-09-28T11:00", "receipted") == []
    reader.close()
