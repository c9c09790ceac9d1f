"""A duty as it is stored and announced."""

from typing import Any

import pytest

from casebus_schemas.case.duty_said import with_latest

LAST = "2022-10-10T00:00:00+08:00"


def test_the_latest_end_is_that_of_the_readings() -> None:
    """The day that a notice on holidays may still move counts as late as it can be."""
    readings = [{"name": "calendar", "due": LAST, "provisional": False}]
    found = with_latest({"due_earliest": LAST, "due_latest": LAST, "readings": readings})
    assert found["latest_possible"] == LAST


def test_without_readings_the_end_that_is_said_stands() -> None:
    """A schema allows an empty list of readings: such a duty is shown with its own ends."""
    found = with_latest({"due_earliest": LAST, "due_latest": LAST, "readings": []})
    assert (found["latest_possible"], found["readings"]) == (LAST, [])


@pytest.mark.parametrize(
    ("rule", "started", "verified"),
    [
        ("DL06", "2022-10-01T00:00:00+08:00", True),
        ("DL43", "2022-10-01T00:00:00+08:00", False),
        ("DL12", "2017-03-01T00:00:00+08:00", True),
        ("DL18", "2017-03-01T00:00:00+08:00", False),
        ("DL18", "2022-03-01T00:00:00+08:00", True),
        ("DL99", "2022-03-01T00:00:00+08:00", None),
    ],
)
def test_whether_its_limit_was_read_in_the_law_of_its_day_is_said(
    rule: str, started: str, verified: bool | None
) -> None:
    """By the text that was in force when it started; of a clock that is not known nothing is claimed."""
    body: dict[str, Any] = {"rule": rule, "started_at": started, "due_latest": LAST, "readings": []}
    assert with_latest(body)["verified"] is verified
