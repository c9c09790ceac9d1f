"""How a duty stands as time passes and answers come."""

from datetime import date, datetime, timedelta

import pytest

from casebus_schemas.law import Answer, due, state_at
from casebus_schemas.law.calendar import NOTICE_MARGIN, published

YEAR = max(published().years) + 1
"""A year whose holidays are not published."""
THREE = due(date(2022, 9, 29), "P3D")
"""2, 8 or 9 October 2022."""


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text + "+08:00")


@pytest.mark.parametrize(
    ("now", "state"),
    [
        ("2022-10-01T23:59:59", "open"),
        ("2022-10-02T00:00:00", "due"),
        ("2022-10-02T23:59:59", "due"),
        ("2022-10-03T00:00:00", "contested"),
        ("2022-10-09T23:59:59", "contested"),
        ("2022-10-10T00:00:00", "overdue"),
    ],
)
def test_an_unanswered_duty_passes_through_its_states(now: str, state: str) -> None:
    """Open before the first last day, due on it, contested between the readings, overdue after them all."""
    assert state_at(_at(now), THREE) == state


@pytest.mark.parametrize(
    ("claimed", "admitted", "state"),
    [
        ("2022-10-02T23:59:00", "2022-10-02T23:59:30", "met"),
        ("2022-10-02T10:00:00", "2022-10-03T09:00:00", "contested"),
        ("2022-10-02T10:00:00", "2022-11-03T09:00:00", "contested"),
        ("2022-10-03T00:00:00", "2022-10-03T00:00:01", "contested"),
        ("2022-10-09T10:00:00", "2022-10-11T00:00:01", "contested"),
        ("2022-10-10T00:00:00", "2022-10-10T00:00:01", "overdue"),
    ],
)
def test_an_answer_is_met_contested_or_late(claimed: str, admitted: str, state: str) -> None:
    """Met needs every reading by claim and provably; by some reading or the claim only is contested."""
    answer = Answer(_at(claimed), _at(admitted))
    assert state_at(_at("2023-01-01T00:00:00"), THREE, met=answer) == state


def test_a_duty_ended_in_time_is_moot_and_one_ended_late_stays_overdue() -> None:
    """What ends a duty without an answer does not excuse a lateness before it."""
    now = _at("2023-01-01T00:00:00")
    early, late = _at("2022-10-05T00:00:00"), _at("2022-10-12T00:00:00")
    assert state_at(now, THREE, moot=Answer(early, early)) == "moot"
    assert state_at(now, THREE, moot=Answer(late, late)) == "overdue"


def test_the_last_instant_of_a_term_in_hours_is_in_time() -> None:
    """Twenty-four hours after the start is still within twenty-four hours."""
    found = due(_at("2022-09-29T10:20:00"), "PT24H", ["hours"])
    assert state_at(_at("2022-09-30T10:20:00"), found) == "due"
    assert state_at(_at("2022-09-30T10:20:01"), found) == "overdue"


PROVISIONAL = due(date(YEAR, 3, 1), "P3D", ["working"])


@pytest.mark.parametrize(
    ("days", "state"),
    [(0, "contested"), (NOTICE_MARGIN.days - 1, "contested"), (NOTICE_MARGIN.days, "overdue")],
)
def test_a_provisional_reading_alone_accuses_nobody(days: int, state: str) -> None:
    """Past a due date that a notice may still move: contested until no notice could make it timely."""
    (reading,) = PROVISIONAL
    moment = reading.due + timedelta(days=days)
    assert state_at(moment, PROVISIONAL) == state
    assert state_at(moment, PROVISIONAL, met=Answer(moment, moment)) == state
    assert state_at(reading.due - timedelta(seconds=1), PROVISIONAL) == "due"
