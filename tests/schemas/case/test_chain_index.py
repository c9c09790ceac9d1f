"""The index of a chain: it finds what reading the whole chain finds, also when carried on."""

from collections.abc import Iterable, Sequence

from hypothesis import given
from hypothesis import strategies as st

from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.case.chain_index import ChainIndex
from casebus_schemas.case.fold import Folded, fold
from support.cases.chains import say

TYPES = ("consultation.requested", "consultation.answered", "referral.filed")


def _belonging(folded: Folded, cause: ChainEvent, type: str) -> list[ChainEvent]:
    """What belongs to a cause, found by reading the chain from end to end."""
    behind = folded.standing[[e.digest for e in folded.standing].index(cause.digest) + 1 :]
    kind = [event for event in folded.order if event.type == cause.type]
    tied = frozenset[bytes]().union(*(folded.thread(event) for event in kind))
    return [
        event
        for event in behind
        if event.type == type
        and (
            not folded.thread(event).isdisjoint(folded.thread(cause)) or folded.thread(event).isdisjoint(tied)
        )
    ]


@st.composite
def _chains(draw: st.DrawFn) -> list[ChainEvent]:
    count = draw(st.integers(1, 9))
    events = []
    for number in range(count):
        replies = draw(st.none() | st.integers(0, max(number - 1, 0)))
        corrects = draw(st.sampled_from([None] * 6 + list(range(number)))) if number else None
        events.append(
            say(
                str(number),
                draw(st.sampled_from(TYPES)),
                f"2022-01-{number + 1:02}",
                replies=None if replies is None or not number else str(replies),
                corrects=None if corrects is None else str(corrects),
            )
        )
    return events


def _same(left: Iterable[ChainEvent], right: Sequence[ChainEvent]) -> bool:
    return list(left) == list(right)


@given(_chains())
def test_an_index_finds_what_reading_the_chain_finds(events: list[ChainEvent]) -> None:
    """For every cause and type, an index made at once and one carried on give what a whole reading gives."""
    folded = fold(())
    carried = ChainIndex(folded)
    for event in events:
        if folded.grow(event):
            carried.add(event)
        else:
            folded = fold((*folded.order, event))
            carried = ChainIndex(folded)
        made = ChainIndex(folded)
        for cause in folded.standing:
            for type in TYPES:
                wanted = _belonging(folded, cause, type)
                assert _same(made.belonging(cause, [type]), wanted)
                assert _same(carried.belonging(cause, [type]), wanted)


def test_what_answers_no_start_itself_reaches_the_last_ones_only() -> None:
    """Of 22 questions an answer that names none belongs to the last 20; one that names the first, to it."""
    asked = [say(f"q{n}", "consultation.requested", f"2022-01-01T10:{n:02}", to=("mps",)) for n in range(22)]
    loose = say("l", "consultation.answered", "2022-01-02", agency="mps")
    named = say("n", "consultation.answered", "2022-01-03", agency="mps", replies="q0")
    index = ChainIndex(fold([*asked, loose, named]))
    found = [list(index.belonging(question, ("consultation.answered",))) for question in asked]
    assert found == [[named], [], *[[loose]] * 20]
