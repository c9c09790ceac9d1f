"""How fast the reconciler takes admitted events: all rules, one transaction a batch, announcements signed."""

import time

import pytest

from bench.figures import Figure
from casebus_services.reconciler.database import Database
from support.admissions import batch_of
from support.desk import Desk

pytestmark = pytest.mark.bench

CASES = 400
AT_ONCE = 200


@pytest.mark.parametrize("technology", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def test_taking(technology: str, request: pytest.FixtureRequest, figure: Figure) -> None:
    """Events a second of wall and of processor time, in batches of 200, over 400 cases of three events."""
    if technology == "sqlite":
        url = f"sqlite:///{request.getfixturevalue('tmp_path') / 'accounts.db'}"
    else:
        url = request.getfixturevalue("postgres_url")
    database = Database(url)
    database.migrate()
    desk = Desk(database)
    now_ms = time.time_ns() // 1_000_000
    for number in range(1, CASES + 1):
        desk.play(number, now_ms)
    batches = desk.admitter.batches()
    wall, cpu = time.perf_counter(), time.process_time()
    for batch in batches:
        for start in range(0, len(batch.records), AT_ONCE):
            desk.agent.handle([batch_of(batch.records[start : start + AT_ONCE])])
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    events = 3 * CASES
    figure(technology, events / wall, "events/s")
    figure(f"{technology}, of processor time", events / cpu, "events/s")
    figure(f"{technology}, announcements an event", len(desk.sink.sent) / events)
    assert desk.rows("SELECT count(*) FROM recon_event") == [(events,)]
    database.close()
