"""The language of clocks carries the clocks that are to come: each is written as test data and played."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.case.obligations import Obligation
from support.chains import at
from support.clock_tables import duties
from support.clocks_to_come import CASES, TABLE, Row


def _of(clock: str, events: Sequence[ChainEvent]) -> list[Obligation]:
    return [duty for duty in duties(events, TABLE) if duty.clock.id == clock]


def test_every_clock_to_come_is_played() -> None:
    """Each file of the folder has a case here."""
    assert set(TABLE.by_id) == set(CASES)


@pytest.mark.parametrize("clock", list(CASES))
def test_a_clock_to_come_gives_what_was_counted_by_hand(clock: str) -> None:
    """Who owes, the start, both ends and the state are those of the calendar."""
    events, now, expected = CASES[clock]
    found: list[Row] = [
        (
            duty.owed_by,
            duty.started_at,
            min(reading.due for reading in duty.readings),
            max(reading.due for reading in duty.readings),
            duty.state(at(now)),
        )
        for duty in _of(clock, events)
    ]
    assert found == [
        (who, at(start), at(first), at(last), state) for who, start, first, last, state in expected
    ]


def test_an_outsider_is_told_nothing() -> None:
    """Whoever takes no part in the bus owes by name, and only members are told."""
    events, _, _ = CASES["DL35"]
    (duty,) = _of("DL35", events)
    assert (duty.owed_by, duty.owed_to, duty.to_tell) == ("某公司", ("spp",), ("spp",))


@pytest.mark.parametrize("name", ["mps", "mps/desk", "MPS", "bus"])
def test_new_an_outsider_called_like_an_agency_is_not_taken_for_it(name: str) -> None:
    """Who names a company after an agency lays no duty on that agency, and nobody else is told."""
    issued, *_ = CASES["DL35"][0]
    named = replace(issued, data={**issued.data, "addressee": name})
    (duty,) = _of("DL35", [named])
    assert (duty.owed_by, duty.to_tell) == (f"“{name}”", ("spp",))
    assert duty.said(at("2022-08-01")).parties == ("spp",)
