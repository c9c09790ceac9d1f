"""Answers and approvals that are dated back: nothing closes by a date that only its speaker vouches for."""

from casebus_schemas.case.chain import ChainEvent
from casebus_services.reconciler.book import ChainBook
from casebus_services.reconciler.hearing import Announcement
from support.cases.chains import CHAIN, at, digest, say


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


def _asked() -> ChainEvent:
    """The police want what is missing: three days from the receipt, on 06-01."""
    return say(
        "a", "referral.supplement_requested", "2022-06-01T10:00", agency="mps", to=("csrc",), missing=["x"]
    )


def _fetched(when: str) -> ChainEvent:
    deliveries = [{"event": digest("a"), "fetched_at": at(when)}]
    return say("d", "receipt.delivered", when, to=("mps",), deliveries=deliveries)


def _passed(book: ChainBook) -> list[tuple[str, bool]]:
    return [(found.state, found.contested) for found in book.findings.values() if found.rule == "R10"]


def test_b4_a_debtors_late_receipt_does_not_close_what_is_open() -> None:
    """After 45 days of silence it says that it has only now fetched the request: contested, and told so."""
    referral = say("s", "referral.submitted", "2022-05-31T10:00", to=("mps",))
    book, _ = _told([referral, _asked()], "2022-07-14T10:00")
    assert _passed(book) == [("open", False)]
    said = book.take(_fetched("2022-07-15T10:00"))
    assert _passed(book) == [("open", True)]
    (found,) = [one for one in book.findings.values() if one.rule == "R10"]
    assert "contested: its start is claimed only: claimed 2022-07-15, admitted 2022-06-01" in found.because.en
    assert [(one.kind, one.to) for one in said if one.kind.startswith("finding.")] == [
        ("finding.opened", ("csrc", "mps"))
    ]
    # The term that it gave itself is over too.
    book.advance(at("2022-09-01"))
    assert _passed(book) == [("open", False)]


def test_b4_a_debtors_late_receipt_shows_at_once() -> None:
    """Before the bus may say for certain that a term without a receipt has passed, the receipt says it."""
    referral = say("s", "referral.submitted", "2022-05-31T10:00", to=("mps",))
    book, _ = _told([referral, _asked(), _fetched("2022-06-09T10:00")], "2022-06-09T11:00")
    assert _passed(book) == [("open", True)]


def test_b4_a_receipt_within_the_term_moves_it() -> None:
    """Who says in time that he has the request has the law's days from then, and nothing is contested."""
    referral = say("s", "referral.submitted", "2022-05-31T10:00", to=("mps",))
    sent = say("x", "referral.supplemented", "2022-06-06T10:00", to=("mps",), replies="a")
    book, _ = _told([referral, _asked(), _fetched("2022-06-02T10:00"), sent], "2022-06-09T10:00")
    assert _passed(book) == []
