"""A notice on holidays that is entered while the bus runs: what moves, what is said, what a rebuild finds."""

import random
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casebus_consumers.accounts_reader import AccountsReader
from casebus_schemas.case.as_of import AsOf
from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.law.calendars import Calendars
from casebus_schemas.times import beijing_text
from casebus_schemas.wire.headers import EventHeaders
from casebus_services.reconciler.accounts_database import Database
from casebus_services.reconciler.agent import ReconcilerAgent
from casebus_services.reconciler.book import ChainBook
from casebus_services.reconciler.rebuild import rebuild
from support.cases.chains import CHAIN, at
from support.cases.random_cases import random_cases
from support.events.admissions import data_of
from support.events.notices import entered
from support.reconciler.desk import STORY_CHAIN, Desk, ms
from support.reconciler.disturbed_books import assert_disturbing_changes_nothing

FROM = "2026-12-30T00:00"


def _referred(desk: Desk) -> None:
    """A referral that the police have received on 28 December 2026: ten days end on 7 January."""
    referral = desk.refer("2026-12-27")
    desk.admitter.admit(referral, at_ms=ms("2026-12-27T10:00"))
    facts: dict[str, Any] = {"received_at": at("2026-12-28T10:00"), "competent": True, "complete": True}
    receipt = desk.answer(referral, "2026-12-28T10:00", "referral.receipted", **facts)
    desk.admitter.admit(receipt, at_ms=ms("2026-12-28T10:01"))


def _ends(desk: Desk) -> list[list[str]]:
    """The ends of each announcement of the filing decision, in the order in which they were said."""
    said = [
        data_of(record)
        for record in desk.sink.sent
        if EventHeaders.parse(record.headers).type == "obligation.announced"
    ]
    duties = [duty for data in said for duty in data["obligations"] if duty["rule"] == "DL06"]
    return [[beijing_text(one["due"])[:10] for one in duty["readings"]] for duty in duties]


def _let_pass(desk: Desk, agent: ReconcilerAgent, when: str) -> None:
    desk.now_ms = ms(when)
    agent.tick()
    assert rebuild(desk.database, Catalog.load()).differences == ()


@pytest.mark.parametrize("ticks", [True, False], ids=["looked at before it counts", "looked at after"])
def test_an_entered_notice_moves_ends_and_damages_nothing(
    database: Database, accounts_url: str, ticks: bool
) -> None:
    """From its midnight on the end is counted and announced anew, once; a rebuild agrees at every step."""
    desk, orders = Desk(database), [entered(FROM)]
    _referred(desk)
    desk.agent.handle(desk.admitter.batches())
    _let_pass(desk, desk.agent, "2026-12-29T12:00")
    before, after = ["2027-01-08", "2027-01-08"], ["2027-01-08", "2027-01-12"]
    assert _ends(desk) == [before]
    agent = desk.new_agent(notices=orders)
    agent.handle(desk.admitter.batches())
    if ticks:
        _let_pass(desk, agent, "2026-12-29T23:59")
        assert _ends(desk) == [before]
    _let_pass(desk, agent, "2026-12-30T00:01")
    assert _ends(desk) == [before, after]
    reader = AccountsReader(accounts_url)
    (duty,) = (one for one in reader.obligations(at("2026-12-31")) if one["rule"] == "DL06")
    assert [reading["provisional"] for reading in duty["readings"]] == [False, False]
    assert _seen(reader, AsOf()) == _seen(reader, AsOf(until=at("2026-12-31"))) == after
    assert _seen(reader, AsOf(until=at("2026-12-28T12:00"))) == after, "published on 5 November"
    _let_pass(desk, desk.new_agent(notices=orders), "2027-01-11T23:59")
    assert desk.rows("SELECT rule FROM recon_finding WHERE state = 'open'") == []
    _let_pass(desk, agent, "2027-01-12T00:01")
    found = desk.rows("SELECT rule FROM recon_finding WHERE state = 'open' ORDER BY rule")
    assert found == [("R10",), ("R11",)]


def _seen(reader: AccountsReader, asked: AsOf) -> list[str]:
    view = reader.case(STORY_CHAIN, at("2026-12-31"), asked=asked)
    (duty,) = (one for one in view["obligations"] if one["rule"] == "DL06")
    return [reading["due"][:10] for reading in duty["readings"]]


def test_without_the_notice_the_end_waits_for_the_margin(database: Database) -> None:
    """The same case is not overdue on that day where no notice was entered: its end is provisional."""
    desk = Desk(database)
    _referred(desk)
    desk.agent.handle(desk.admitter.batches())
    _let_pass(desk, desk.agent, "2027-01-12T00:01")
    assert desk.rows("SELECT rule FROM recon_finding WHERE state = 'open'") == []


def test_an_order_that_comes_too_late_counts_from_the_next_midnight(database: Database) -> None:
    """Time that has passed stays as it was counted: nothing is damaged, and the end moves a day later."""
    desk = Desk(database)
    _referred(desk)
    desk.agent.handle(desk.admitter.batches())
    _let_pass(desk, desk.agent, "2027-01-07T12:00")
    told = len(_ends(desk))
    agent = desk.new_agent(notices=[entered(FROM)])
    agent.handle(desk.admitter.batches())
    _let_pass(desk, agent, "2027-01-07T13:00")
    assert len(_ends(desk)) == told
    _let_pass(desk, agent, "2027-01-08T00:01")
    assert _ends(desk)[-1] == ["2027-01-08", "2027-01-12"]
    assert [row[0] for row in desk.rows("SELECT from_ms FROM recon_notice")] == [ms("2027-01-08T00:00")]


END = at("2023-03-01")
MOVED = {
    "year": 2022,
    "number": "国办发明电〔2022〕99号",
    "known_since": "2022-09-30",
    "days_off": ["2022-10-11", "2022-10-12", "2022-11-02"],
    "workdays": ["2022-10-15"],
    "as_usual": ["2022-10-08", "2022-10-09"],
}


@settings(max_examples=60, deadline=None)
@given(random_cases(), st.integers(0, 60), st.randoms(use_true_random=False))
def test_cuts_and_timers_change_nothing_around_an_entered_notice(
    events: list[ChainEvent], day: int, chance: random.Random
) -> None:
    """Whenever it is looked at or reopened, a chain takes the notice at its midnight, and says the same."""
    events.sort(key=lambda event: (event.admitted_at, event.digest))
    one = entered("2022-10-01", **MOVED)
    calendars = Calendars([one._replace(in_force_from=one.in_force_from + timedelta(days=day))])
    plain, disturbed = ChainBook(CHAIN, calendars=calendars), ChainBook(CHAIN, calendars=calendars)
    assert_disturbing_changes_nothing(plain, disturbed, events, END, chance)
