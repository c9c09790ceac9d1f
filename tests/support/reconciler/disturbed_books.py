"""A chain's book that is reopened and looked at between its events, beside one that nobody disturbs."""

import random
from collections.abc import Iterable
from datetime import datetime, timedelta

from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.case.fold import fold
from casebus_services.reconciler.book import ChainBook
from casebus_services.reconciler.hearing import Announcement
from casebus_services.reconciler.rows import duty_entry, duty_row, finding_row, found_before


def assert_disturbing_changes_nothing(
    plain: ChainBook, disturbed: ChainBook, events: Iterable[ChainEvent], end: datetime, chance: random.Random
) -> None:
    """Both books take the events in their order, then the time until `end`: they say and hold the same."""
    said: list[Announcement] = []
    again: list[Announcement] = []
    for event in events:
        said += plain.take(event)
        if chance.random() < 0.5:
            again += disturbed.advance(event.admitted_at - timedelta(minutes=chance.randint(0, 100_000)))
        again += disturbed.take(event)
        if chance.random() < 0.5:
            disturbed = _reopened(disturbed)
    said += plain.advance(end)
    again += disturbed.advance(end)
    assert list(map(_said, again)) == list(map(_said, said))
    assert _state(disturbed) == _state(plain)


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
        calendars=book.calendars,
    )


def _said(announcement: Announcement) -> tuple[object, ...]:
    return (announcement.kind, announcement.subject, announcement.causes, announcement.to, announcement.at)


def _state(book: ChainBook) -> object:
    duties = sorted(map(duty_row, book.duties.values()), key=lambda row: str(row[0]))
    findings = sorted(map(finding_row, book.findings.values()), key=lambda row: str(row[0]))
    return book.wakes_at(), book.meaning.hash, book.meaning.status, duties, findings
