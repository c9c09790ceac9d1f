"""Answers and approvals that are dated back: nothing closes by a date that only its speaker vouches for."""

from casebus_schemas.case.chain import ChainEvent
from casebus_services.reconciler.book import ChainBook
from casebus_services.reconciler.hearing import Announcement
from support.chains import CHAIN, at, say


def _told(events: list[ChainEvent], until: str) -> tuple[ChainBook, list[Announcement]]:
    book = ChainBook(CHAIN)
    said = [one for event in events for one in book.take(event)]
    return book, said + book.advance(at(until))


def _receipt() -> ChainEvent:
    return say(
        "r",
        "referral.receipted",
        "2022-06-01T09:00",
        agency="mps",
        to=("csrc",),
        replies="s",
        received_at=at("2022-06-01T09:00"),
        competent=True,
        complete=True,
    )


def test_b4_an_overdue_filing_that_is_dated_day_two_is_contested_and_told_to_whom_it_was_owed() -> None:
    """After 200 days the duty is contested, R10 and R11 stay open and name both days, nothing is closed."""
    filed = say(
        "f",
        "referral.filed",
        "2022-06-02T10:00",
        admitted="2022-12-18T10:00",
        agency="mps",
        to=("csrc",),
        replies="s",
    )
    referral = say("s", "referral.submitted", "2022-05-31T10:00", to=("mps",))
    book, said = _told([referral, _receipt(), filed], "2022-12-18T11:00")
    assert {entry.duty.state for entry in book.duties.values() if entry.duty.rule == "DL06"} == {"contested"}
    late = [found for found in book.findings.values() if found.rule in ("R10", "R11")]
    about_filing = [found for found in late if "DL06" in found.because.en or found.rule == "R11"]
    assert {(found.rule, found.state, found.contested) for found in about_filing} == {
        ("R10", "open", True),
        ("R11", "open", True),
    }
    assert all("claimed 2022-06-02, admitted 2022-12-18" in found.because.en for found in about_filing)
    last = [one for one in said if one.at >= at("2022-12-18") and one.kind.startswith("finding.")]
    assert {(one.kind, one.to) for one in last} == {("finding.opened", ("csrc", "mps"))}
    assert {about.id for one in last for about in one.about} >= {found.id for found in about_filing}


def test_b4_a_filing_that_is_entered_on_the_next_day_is_met() -> None:
    """What is admitted within the term needs no more proof, whatever day it names."""
    filed = say(
        "f",
        "referral.filed",
        "2022-06-02T10:00",
        admitted="2022-06-03T10:00",
        agency="mps",
        to=("csrc",),
        replies="s",
    )
    referral = say("s", "referral.submitted", "2022-05-31T10:00", to=("mps",))
    book, _ = _told([referral, _receipt(), filed], "2022-06-04T11:00")
    assert {entry.duty.state for entry in book.duties.values() if entry.duty.rule == "DL06"} == {"met"}
    assert [found for found in book.findings.values() if found.rule in ("R07", "R10", "R11")] == []
