"""All rules together: independent of arrival, and hashed without what the time or the bus decides."""

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.rules.reconcile import reconcile
from support.chains import amount, at, charges, results, say, suspects

NOW = at("2022-12-01")
_TYPES = (
    "referral.submitted",
    "referral.receipted",
    "referral.filed",
    "referral.not_filed",
    "referral.corrected",
    "referral.extension_approved",
    "outcome.prosecuted",
    "outcome.judgment",
    "consultation.requested",
    "consultation.answered",
)
_NAMES = "abcdefg"


@st.composite
def cases(draw: st.DrawFn) -> list[ChainEvent]:
    """Random cases whose events answer and correct each other and state amounts, suspects, charges."""
    events = []
    for name in _NAMES[: draw(st.integers(1, len(_NAMES)))]:
        day = draw(st.integers(1, 28))
        who = draw(st.lists(st.sampled_from(("甲", "乙", "丙")), max_size=2, unique=True))
        pairs = [(f"S{n}", draw(st.sampled_from(("161", "182")))) for n in range(1, len(who) + 1)]
        data: dict[str, Any] = {
            "suspects": suspects(*who),
            "charges": charges(*pairs),
            "results": results(*pairs),
            "amounts": [amount("illegal_gain", str(draw(st.sampled_from((1, 2, 10000)))))],
            "received_at": at(f"2022-09-{day:02d}T10:00"),
            "competent": draw(st.booleans()),
            "complete": draw(st.booleans()),
            "level": draw(st.sampled_from(("county", "superior"))),
        }
        events.append(
            say(
                name,
                draw(st.sampled_from(_TYPES)),
                f"2022-09-{day:02d}T10:00",
                agency=draw(st.sampled_from(("csrc", "mps", "spp"))),
                to=("mps", "csrc"),
                replies=draw(st.none() | st.sampled_from(_NAMES)),
                binds=draw(st.none() | st.sampled_from(_NAMES)),
                corrects=draw(st.none() | st.none() | st.sampled_from(_NAMES)),
                admitted=f"2022-10-{draw(st.integers(1, 28)):02d}T10:00",
                **data,
            )
        )
    return events


def _meaning(events: Sequence[ChainEvent]) -> object:
    meaning = reconcile(events)
    duties = [duty.to_json(NOW) for duty in meaning.duties]
    return meaning.accounts, duties, [f.to_json() for f in meaning.findings(NOW)], meaning.hash


@pytest.mark.thorough
@settings(max_examples=150, deadline=None)
@given(cases(), st.randoms(use_true_random=False))
def test_state_findings_are_a_function_of_the_set_of_events(
    events: list[ChainEvent], chance: random.Random
) -> None:
    """Any order and any repetition of the same events give the same accounts, duties, findings and hash."""
    arrived = events + [event for event in events if chance.random() < 0.5]
    chance.shuffle(arrived)
    assert _meaning(arrived) == _meaning(events)


@settings(max_examples=50, deadline=None)
@given(cases(), st.integers(0, 10_000))
def test_the_hash_does_not_depend_on_when_the_bus_had_the_events(
    events: list[ChainEvent], minutes: int
) -> None:
    """Another run with other times of admission has the same hash."""
    later = [replace(event, admitted_at=event.admitted_at + timedelta(minutes=minutes)) for event in events]
    assert reconcile(later).hash == reconcile(events).hash


def test_the_hash_depends_on_what_was_said() -> None:
    """One figure changed, another hash."""
    one = say("a", "referral.submitted", "2022-09-01", amounts=[amount("illegal_gain", "1.00")])
    other = say("a", "referral.submitted", "2022-09-01", amounts=[amount("illegal_gain", "2.00")])
    assert reconcile([one]).hash != reconcile([other]).hash
