"""Rules carried on event by event find what they find in the whole chain."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casebus_schemas.case.basis import Basis
from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.rules.reconcile import Reconciled, reconcile
from casebus_schemas.rules.sight import handling_of, told_of_all
from support.cases.chains import at, say
from support.cases.long_rules import long_chain, rounds_of_clocks, rounds_of_rules
from support.cases.made_up import made_up

ROUNDS = {**rounds_of_rules(), **rounds_of_clocks()}
SAID = [event for told in ROUNDS.values() for event in told]
EVENTS = 66
"""More than the last events of a kind that something loose reaches."""


def _all_of(meaning: Reconciled) -> object:
    duties = sorted(meaning.duties, key=lambda duty: duty.id)
    return meaning.findings(at("2022-12-01")), duties, meaning.hash, meaning.status


@pytest.mark.parametrize("one_matter", [False, True])
@pytest.mark.parametrize("about", ROUNDS)
def test_what_is_carried_on_is_that_of_the_whole_chain(about: str, one_matter: bool) -> None:
    """After half of the events and after all: findings, duties, hash and state are those of a run anew."""
    events = list(long_chain(ROUNDS[about], EVENTS, one_matter=one_matter))
    meaning = reconcile(())
    for number, event in enumerate(events, 1):
        meaning.take(event)
        if number in (EVENTS // 2, EVENTS):
            assert _all_of(meaning) == _all_of(reconcile(events[:number]))


@settings(max_examples=made_up(40), deadline=None)
@given(st.lists(st.sampled_from(SAID), min_size=1, max_size=12), st.booleans())
def test_whatever_is_said_together_is_carried_on(told: list[ChainEvent], one_matter: bool) -> None:
    """What the cases of any rules say, in any mixture, twice over."""
    events = list(long_chain(told, 2 * len(told), one_matter=one_matter))
    meaning = reconcile(())
    for event in events:
        meaning.take(event)
    assert _all_of(meaning) == _all_of(reconcile(events))


@given(
    st.lists(
        st.tuples(st.sampled_from(("csrc", "mps")), st.sets(st.sampled_from(("csrc", "mps", "spp")))),
        min_size=1,
        max_size=12,
    ),
    st.randoms(use_true_random=False),
)
def test_a_few_events_stand_for_many(spoken: list[tuple[str, set[str]]], chance: Random) -> None:
    """Who may see all of them, their highest level and the time of the last follow from the few."""
    events = []
    for number, (agency, told) in enumerate(spoken):
        day = f"2022-01-{chance.randint(1, 28):02}"
        event = say(f"e{number}", "referral.submitted", day, agency=agency, told=tuple(told))
        event.envelope["handling"] = chance.choice(("H0", "H1", "H2"))  # type: ignore[index]
        events.append(event)
    basis = Basis()
    for event in events:
        basis.add(event)
    few = list(basis)
    assert (few[0], few[-1], basis.count) == (events[0], events[-1], len(events))
    assert told_of_all(few) == told_of_all(events)
    assert handling_of(few) == handling_of(events)
    assert max(e.last_said_at for e in few) == max(e.last_said_at for e in events)
