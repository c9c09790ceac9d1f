"""Ids of others used again: they draw no answers, make nobody a party, and cost nobody else time."""

from collections.abc import Iterable

import pytest

from casebus_schemas.case.chain import ChainEvent
from casebus_services.reconciler.book import ChainBook
from support.cases.chains import CHAIN, at, say


def _book(events: Iterable[ChainEvent]) -> ChainBook:
    book = ChainBook(CHAIN)
    for event in events:
        book.take(event)
    book.advance(at("2022-06-01"))
    return book


@pytest.mark.parametrize("last", ["answer", "theft"])
def test_new_an_id_of_others_draws_no_answer_to_itself(last: str) -> None:
    """The police answered; an earlier-dated question under the same id, told to others, changes nothing."""
    asked = say("q", "consultation.requested", "2022-03-01T10:00", to=("mps",))
    theft = say(
        "z",
        "consultation.requested",
        "2022-02-01T10:00",
        agency="spp",
        to=("csrc",),
        id_of="q",
        admitted="2022-03-02T10:00",
    )
    answer = say(
        "a",
        "consultation.answered",
        "2022-03-03T10:00",
        agency="mps",
        to=("csrc",),
        told=("csrc",),
        replies="q",
    )
    book = _book([asked, theft, answer] if last == "answer" else [asked, answer, theft])
    assert {entry.duty.state for entry in book.duties.values() if entry.duty.owed_by == "mps"} == {"met"}
    assert "R10" not in {found.rule for found in book.findings.values() if "mps" in found.concerned()}


def test_new_an_id_of_others_makes_nobody_a_party() -> None:
    """The court says its word under the id of a question that a party answered: it stays a stranger."""
    asked = say("q", "consultation.requested", "2022-03-01T10:00", to=("mps",))
    answer = say("a", "consultation.answered", "2022-03-03T10:00", agency="mps", to=("csrc",), replies="q")
    word = say(
        "j", "outcome.judgment", "2022-03-04T10:00", agency="court", id_of="q", suspects=[], results=[]
    )
    folded = _book((asked, answer, word)).folded
    assert folded.belonging.parties == {"csrc", "mps"}
    assert word not in folded.standing


def test_e2_a_question_said_again_live_is_no_second_duty() -> None:
    """A restored outbox says it under a new number: nothing is announced, the repeat is on record."""
    asked = say("q", "consultation.requested", "2022-03-01T10:00", to=("mps",))
    again = say(
        "q2", "consultation.requested", "2022-03-01T10:00", to=("mps",), id_of="q", admitted="2022-03-02"
    )
    book = ChainBook(CHAIN)
    assert [announced.kind for announced in book.take(asked)] == ["obligation.announced"]
    assert book.take(again) == []
    assert [finding.rule for finding in book.findings.values()] == ["R03"]
    assert len(book.duties) == 1
    assert (
        book.take(say("q3", "consultation.requested", "2022-03-01T10:00", to=("mps",), admitted="2022-03-03"))
        == []
    )
    answer = say(
        "a", "consultation.answered", "2022-03-04T10:00", agency="mps", to=("csrc",), replies="q3", binds="q2"
    )
    book.take(answer)
    assert [entry.duty.state for entry in book.duties.values()] == ["met"]
    assert book.known(again.digest) == asked
