"""The table of clocks: versions, rungs and what it refuses."""

from datetime import date

import pytest

from casebus_schemas.errors import UsageError
from casebus_schemas.law import clock, clocks, met_by, opened_by
from casebus_schemas.law.clock_json import clock_json


def test_the_filing_clock_is_a_ladder_of_four_rungs() -> None:
    """DL06 since 2018: 3 days as target, 10 at the latest, 30 and 60 with an approval each."""
    version = clock("DL06").in_force(date(2022, 9, 29))
    assert version is not None
    assert [(r.step, r.limit, r.needs) for r in version.rungs] == [
        ("target", "P3D", None),
        ("latest", "P10D", None),
        ("county", "P30D", "county"),
        ("superior", "P60D", "superior"),
    ]
    assert version.rungs[version.base_rung()].step == "latest"


def test_the_law_is_dated() -> None:
    """Before the 2017 provisions the filing decision had three days, before the decree no limit."""
    filing = clock("DL06")
    earlier = filing.in_force(date(2016, 10, 18))
    assert earlier is not None
    assert [(r.step, r.limit) for r in earlier.rungs] == [("latest", "P3D")]
    assert filing.in_force(date(2001, 7, 8)) is None


@pytest.mark.parametrize("clock_id", list(clocks()))
def test_each_clock_is_complete(clock_id: str) -> None:
    """Every clock names its duty, sources and readings; its versions follow each other without overlap."""
    entry = clock(clock_id)
    assert entry.duty
    assert clock_json(entry)["id"] == clock_id
    for version in entry.versions:
        assert version.source
        assert all(rung.readings for rung in version.rungs)
    for earlier, later in zip(entry.versions, entry.versions[1:], strict=False):
        assert earlier.until == later.since


def test_clocks_are_found_by_the_event_that_starts_them() -> None:
    """A receipt may start three clocks, a type without clocks none."""
    assert [entry.id for entry in opened_by("referral.receipted")] == ["DL03", "DL04", "DL06"]
    assert opened_by("clue.closed") == ()
    assert [entry.id for entry in met_by("referral.handed_over")] == ["DL10"]


def test_an_unknown_clock_is_refused_with_the_known_ones() -> None:
    """Asking for a clock that does not exist names those that do."""
    with pytest.raises(UsageError, match="DL06"):
        clock("DL99")
