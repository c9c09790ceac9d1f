"""All rules together: independent of arrival, and hashed without what the time or the bus decides."""

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.rules.reconcile import Reconciled, reconcile
from support.cases.chains import at, say
from support.cases.made_up import made_up
from support.cases.random_cases import random_cases

NOW = at("2022-12-01")


def _meaning(events: Sequence[ChainEvent]) -> object:
    return _meaning_of(reconcile(events))


def _meaning_of(meaning: Reconciled) -> object:
    duties = sorted((duty.said(NOW).to_json() for duty in meaning.duties), key=lambda duty: duty["id"])
    return meaning.accounts, duties, [f.to_json() for f in meaning.findings(NOW)], meaning.hash


@pytest.mark.thorough
@settings(max_examples=made_up(150), deadline=None)
@given(random_cases(), st.randoms(use_true_random=False))
def test_state_findings_are_a_function_of_the_set_of_events(
    events: list[ChainEvent], chance: random.Random
) -> None:
    """Any order and any repetition of the same events give the same accounts, duties, findings and hash."""
    arrived = events + [event for event in events if chance.random() < 0.5]
    chance.shuffle(arrived)
    assert _meaning(arrived) == _meaning(events)


@settings(max_examples=made_up(50), deadline=None)
@given(random_cases(), st.integers(0, 10_000))
def test_the_hash_does_not_depend_on_when_the_bus_had_the_events(
    events: list[ChainEvent], minutes: int
) -> None:
    """Another run with other times of admission has the same hash."""
    later = [replace(event, admitted_at=event.admitted_at + timedelta(minutes=minutes)) for event in events]
    assert reconcile(later).hash == reconcile(events).hash


def test_the_hash_depends_on_what_was_said() -> None:
    """Another event, or the same ones of which one takes another back, have another hash."""
    one = say("a", "referral.submitted", "2022-09-01")
    assert reconcile([one]).hash != reconcile([say("b", "referral.submitted", "2022-09-01")]).hash
    assert reconcile([one]).hash != reconcile([one, say("c", "referral.filed", "2022-09-02")]).hash


def _carried(events: Sequence[ChainEvent], nows: Sequence[datetime]) -> Reconciled:
    """What events mean if they are taken one by one, with looks at the time between."""
    meaning = reconcile(())
    for event, now in zip(events, nows, strict=True):
        moved = meaning.take(event)
        meaning.look(meaning.everything() if moved.all else moved.keys, now)
    return meaning


@settings(max_examples=made_up(150), deadline=None)
@given(random_cases(), st.randoms(use_true_random=False), st.booleans())
def test_carried_on_event_by_event_is_what_all_events_mean_at_once(
    events: list[ChainEvent], chance: random.Random, in_order: bool
) -> None:
    """In any order and with repetitions: accounts, duties, findings, turns of time, state and hash."""
    arrived = events + [event for event in events if chance.random() < 0.3]
    chance.shuffle(arrived)
    if in_order:
        arrived.sort(key=lambda event: event.sort_key)
    nows = [at(f"2022-{chance.randint(9, 12):02d}-01") for _ in arrived]
    carried, whole = _carried(arrived, nows), reconcile(events)
    assert _meaning_of(carried) == _meaning_of(whole)
    assert carried.status == whole.status == whole.accounts["status"]
    for now in (at("2022-09-02"), at("2022-10-10"), NOW):
        assert carried.wakes_at(now) == whole.wakes_at(now)


@settings(max_examples=made_up(100), deadline=None)
@given(random_cases(), st.randoms(use_true_random=False))
def test_what_an_event_moves_is_all_that_changes(events: list[ChainEvent], chance: random.Random) -> None:
    """A finding or duty that is not named as moved by the next event says what it said before."""
    chance.shuffle(events)
    meaning = reconcile(())
    for event in events:
        duties = {duty.id: duty.said(NOW) for duty in meaning.duties}
        findings = {found.id: found for found in meaning.findings(NOW)}
        meaning.look(meaning.everything(), NOW)
        moved = meaning.take(event)
        if moved.all:
            continue
        before, after = meaning.look(moved.keys, NOW)
        touched = {duty.id for key in moved.keys for duty in meaning.duties_at(key)}
        for id in [duty.id for duty in meaning.duties if duty.id not in touched]:
            duties_now = {duty.id: duty.said(NOW) for duty in meaning.duties}
            assert duties_now[id] == duties[id]
        named = {found.id for found in (*moved.before, *moved.after, *before, *after)}
        now = {found.id: found for found in meaning.findings(NOW)}
        assert {id: f for id, f in now.items() if id not in named} == {
            id: f for id, f in findings.items() if id not in named
        }
