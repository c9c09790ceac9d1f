"""Services of a whole bus killed -9 with work in flight, at every point where it could matter."""

import os

import pytest

from support.scenes.crash_scene import KillPlan, Scenes

pytestmark = pytest.mark.broker

CHAINS = 2000
"""Some 7,000 events: 23 s at 300/s, in which three kills a service have their time."""


@pytest.mark.faults
def test_three_kills_a_service_on_sqlite(scenes: Scenes) -> None:
    """Killed before and after commits and outputs, the bus loses nothing, does nothing twice, on SQLite."""
    assert scenes.killed("3 kills a service, SQLite", CHAINS, KillPlan.each(3)).problems == []


@pytest.mark.faults
@pytest.mark.postgres
def test_a_short_crash_run_on_postgres(scenes: Scenes, postgres_url: str) -> None:
    """The same on PostgreSQL: nothing lost and nothing done twice."""
    outcome = scenes.killed("3 kills a service, PostgreSQL", CHAINS, KillPlan.each(3), postgres_url)
    assert outcome.problems == []


@pytest.mark.faults
def test_a_short_crash_run(scenes: Scenes) -> None:
    """A few kills over all services harm nothing."""
    kills = int(os.environ.get("CASEBUS_FAULT_KILLS", "5"))
    plan = KillPlan.in_all(kills)
    chains = max(CHAINS, kills * 150)
    assert scenes.killed(f"{kills} kills in all, SQLite", chains, plan).problems == []


@pytest.mark.faults
@pytest.mark.timeout(1200)
def test_five_kills_a_service_on_sqlite(scenes: Scenes) -> None:
    """Five kills a service, at each point at least one, harm nothing on SQLite."""
    assert scenes.killed("5 kills a service, SQLite", 4000, KillPlan.each(5)).problems == []


@pytest.mark.faults
@pytest.mark.postgres
@pytest.mark.timeout(1800)
def test_twenty_kills_a_service_on_postgres(scenes: Scenes, postgres_url: str) -> None:
    """Twenty kills a service, at each point five or more, harm nothing on PostgreSQL."""
    outcome = scenes.killed("20 kills a service, PostgreSQL", 12_000, KillPlan.each(20), postgres_url)
    assert outcome.problems == []
