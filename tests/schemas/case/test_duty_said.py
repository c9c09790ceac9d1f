"""A duty as it is stored and announced."""

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
