"""The book of a chain: what it says depends on the order of admission only, never on cuts or timers."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from casebus_schemas.case.chain import ChainEvent
from casebus_services.reconciler.book import ChainBook
from support.cases.chains import CHAIN, at
from support.cases.random_cases import random_cases
from support.reconciler.disturbed_books import assert_disturbing_changes_nothing

END = at("2023-03-01")


@settings(max_examples=150, deadline=None)
@given(random_cases(), st.randoms(use_true_random=False))
def test_cuts_and_timers_change_nothing_that_is_said_or_entered(
    events: list[ChainEvent], chance: random.Random
) -> None:
    """Reopened after any event, and looked at by a timer at any time, a book says and holds the same."""
    events.sort(key=lambda event: (event.admitted_at, event.digest))
    assert_disturbing_changes_nothing(ChainBook(CHAIN), ChainBook(CHAIN), events, END, chance)


@settings(max_examples=100, deadline=None)
@given(random_cases())
def test_what_is_entered_is_what_the_events_mean(events: list[ChainEvent]) -> None:
    """At the end each duty and finding stands as all events together say; no other is open."""
    events.sort(key=lambda event: (event.admitted_at, event.digest))
    book = ChainBook(CHAIN)
    for event in events:
        book.take(event)
    book.advance(END)
    duties = {duty.id: duty.said(END) for duty in book.meaning.duties}
    assert {id: entry.duty for id, entry in book.duties.items() if id in duties} == duties
    assert all(entry.duty.state == "moot" for id, entry in book.duties.items() if id not in duties)
    found = {finding.id: finding for finding in book.meaning.findings(END)}
    assert {id: f for id, f in book.findings.items() if f.state != "closed"} == {
        id: f for id, f in found.items() if f.state != "closed"
    }
