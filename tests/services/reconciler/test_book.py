"""The book of a chain: what it says depends on the order of admission only, never on cuts or timers."""

import random
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.case.fold import fold
from casebus_services.reconciler.book import ChainBook
from casebus_services.reconciler.hearing import Announcement
from casebus_services.reconciler.rows import duty_entry, duty_row, finding_row, found_before
from support.chains import CHAIN, at
from support.random_cases import random_cases

END = at("2023-03-01")


def _reopened(book: ChainBook) -> ChainBook:
    """The book as another worker reads it from its rows."""
    duties = [duty_entry((row[9], row[5], row[8])) for row in map(duty_row, book.duties.values())]
    findings = [found_before((row[7],)) for row in map(finding_row, book.findings.values())]
    return ChainBook(
        book.chain,
        fold(book.folded.events),
        book.told_until,
        {entry.duty.id: entry for entry in duties},
        {finding.id: finding for finding in findings},
    )


def _said(announcement: Announcement) -> tuple[object, ...]:
    return (announcement.kind, announcement.subject, announcement.causes, announcement.to, announcement.at)


def _state(book: ChainBook) -> object:
    duties = sorted(map(duty_row, book.duties.values()), key=lambda row: str(row[0]))
    findings = sorted(map(finding_row, book.findings.values()), key=lambda row: str(row[0]))
    return book.wakes_at(), book.meaning.hash, book.meaning.status, duties, findings


@settings(max_examples=150, deadline=None)
@given(random_cases(), st.randoms(use_true_random=False))
def test_cuts_and_timers_change_nothing_that_is_said_or_entered(
    events: list[ChainEvent], chance: random.Random
) -> None:
    """Reopened after any event, and looked at by a timer at any time, a book says and holds the same."""
    events.sort(key=lambda event: (event.admitted_at, event.digest))
    plain, disturbed = ChainBook(CHAIN), ChainBook(CHAIN)
    said: list[Announcement] = []
    again: list[Announcement] = []
    for event in events:
        said += plain.take(event)
        if chance.random() < 0.5:
            again += disturbed.advance(event.admitted_at - timedelta(minutes=chance.randint(0, 100_000)))
        again += disturbed.take(event)
        if chance.random() < 0.5:
            disturbed = _reopened(disturbed)
    said += plain.advance(END)
    again += disturbed.advance(END)
    assert list(map(_said, again)) == list(map(_said, said))
    assert _state(disturbed) == _state(plain)


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
