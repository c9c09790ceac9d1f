"""One head count: who is who depends on the papers, not on their order, in cases and statistics alike."""

import random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from casebus_schemas.case.fold import fold
from casebus_schemas.case.persons import Entry, Suspects, identify
from casebus_schemas.statistics.measures import find_measure
from casebus_schemas.statistics.tally import Tally
from support.cases.chains import charges, say

A, B = b"a" * 32, b"b" * 32


def _listed(*papers: tuple[bytes, ...]) -> list[dict[str, Any]]:
    return [
        {"ref": f"S{number}", "kind": "natural", "name": None, "role": None, "tokens": list(tokens)}
        for number, tokens in enumerate(papers, 1)
    ]


def test_c11_tokens_that_hang_together_through_a_third_paper_are_one_person() -> None:
    """{A}, {B} and {A, B} in one chain are one suspect of the case and one person of the statistics."""
    events = [
        say(
            name,
            "outcome.prosecuted",
            f"2021-03-0{day}",
            agency="spp",
            suspects=_listed(tokens),
            charges=charges(("S1", "180")),
        )
        for day, (name, tokens) in enumerate({"x": (A,), "y": (B,), "z": (A, B)}.items(), 1)
    ]
    people = find_measure("persons_prosecuted")
    for said, count in ((events, 1), (events[:2], 2)):
        assert len(fold(said).suspects.persons) == count
        assert len(Tally(said).items(people)) == count


_ENTRIES = st.builds(
    Entry,
    st.sampled_from(("csrc", "mps")),
    st.sampled_from(("S1", "S2", "S3")),
    st.sampled_from(("natural", "legal")),
    st.none() | st.sampled_from(("甲", "乙")),
    st.frozensets(st.sampled_from((b"1", b"2", b"3")), max_size=2),
)


@given(st.lists(_ENTRIES, max_size=8), st.randoms(use_true_random=False))
def test_who_is_who_does_not_depend_on_the_order(entries: list[Entry], chance: random.Random) -> None:
    """Shuffled papers give the same persons; only their numbers follow the order."""
    shuffled = chance.sample(entries, len(entries))
    one = {entry: person.key for entry, person in identify(entries).items()}
    assert one == {entry: person.key for entry, person in identify(shuffled).items()}


@given(st.lists(st.lists(_ENTRIES, max_size=3), max_size=5))
def test_suspects_added_paper_by_paper_are_those_of_all_papers(papers: list[list[Entry]]) -> None:
    """Whoever is found after each paper, the end is what all papers say at once."""
    events = [
        say(
            f"e{number}",
            "referral.filed",
            "2022-01-01",
            agency="mps",
            suspects=[
                {"ref": f"S{at}", "kind": e.kind, "name": e.name, "role": None, "tokens": list(e.tokens)}
                for at, e in enumerate(paper, 1)
            ],
        )
        for number, paper in enumerate(papers)
    ]
    grown = Suspects()
    for event in events:
        grown.add(event)
    whole = Suspects(events)
    assert grown.persons == whole.persons
    assert [grown.listed(event) for event in events] == [whole.listed(event) for event in events]
