"""What an event costs does not grow with its chain, whatever kind of events the chain is made of."""

import os
import sys
from collections.abc import Iterable
from types import FrameType

import pytest

from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.case.persons import Suspects
from casebus_schemas.rules.reconcile import Reconciled, reconcile
from support.cases.chains import say, suspects
from support.cases.long_chains import FLAT, chain_of
from support.cases.long_rules import long_chain, rounds_of_rules

ROUNDS = rounds_of_rules()
ROUND_EVENTS = 360
EVENTS = 250 if os.environ.get("CASEBUS_SMOKE") else 500


class Calls:
    """Counts the calls of functions, Python's own too: the same in every run."""

    def __init__(self) -> None:
        self.count = 0

    def __enter__(self) -> "Calls":
        sys.setprofile(self._called)
        return self

    def __exit__(self, *_: object) -> None:
        sys.setprofile(None)

    def _called(self, _frame: FrameType, event: str, _what: object) -> None:
        if event in ("call", "c_call"):
            self.count += 1


def _cost(meaning: Reconciled, events: Iterable[ChainEvent]) -> int:
    with Calls() as calls:
        for event in events:
            moved = meaning.take(event)
            meaning.look(moved.keys, event.admitted_at)
            assert meaning.hash
    return calls.count


@pytest.mark.parametrize("kind", FLAT)
def test_a7_the_last_events_of_a_chain_cost_what_its_first_ones_did(kind: str) -> None:
    """The last fifth of the events takes at most twice the steps of that from 30 to 50 % of them."""
    events = list(chain_of(kind, EVENTS))
    meaning = reconcile(())
    first, second, last = (EVENTS * part // 10 for part in (3, 5, 8))
    for event in events[:first]:
        meaning.take(event)
    early = _cost(meaning, events[first:second])
    for event in events[second:last]:
        meaning.take(event)
    assert _cost(meaning, events[last:]) <= 2 * early


@pytest.mark.parametrize("rule", ROUNDS)
def test_what_a_rule_looks_at_costs_the_same_in_a_long_chain(rule: str) -> None:
    """Its cases told over and over: the last 60 of 360 events take at most twice the steps of 60 before."""
    events = list(long_chain(ROUNDS[rule], ROUND_EVENTS, one_matter=False))
    meaning = reconcile(())
    early, last = (ROUND_EVENTS * part // 6 for part in (2, 5))
    for event in events[:early]:
        meaning.take(event)
    steps = _cost(meaning, events[early : early + ROUND_EVENTS // 6])
    for event in events[early + ROUND_EVENTS // 6 : last]:
        meaning.take(event)
    assert _cost(meaning, events[last:]) <= 2 * steps


@pytest.mark.parametrize("number", [1_000])
def test_a6_many_suspects_cost_what_they_are_many(number: int) -> None:
    """Four times as many suspects in one event take at most five times the steps."""

    def cost(of: int) -> int:
        event = say(
            "s", "referral.submitted", "2022-01-03", suspects=suspects(*(f"人{n}" for n in range(of)))
        )
        with Calls() as calls:
            known = Suspects([event])
            for suspect in event.data["suspects"]:
                known.find(event, suspect["ref"])
            known.listed(event)
        return calls.count

    assert cost(4 * number) <= 5 * cost(number)
