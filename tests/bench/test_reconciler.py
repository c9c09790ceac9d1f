"""How fast the reconciler takes admitted events: all rules, one transaction a batch, announcements signed."""

import gc
import time
from pathlib import Path
from statistics import fmean

import pytest

from bench.baseline import InTurns
from bench.figures import Figure
from casebus_services.reconciler.accounts_database import Database
from casebus_services.reconciler.book import ChainBook
from support.cases.chains import CHAIN
from support.cases.long_chains import matters
from support.events.admissions import batch_of
from support.reconciler.desk import Desk

pytestmark = pytest.mark.bench

CASES = 400
AT_ONCE = 200
STORIES = {"400 cases of three events": ("400", "1"), "30 cases of sixty events": ("30", "20")}
RATIO = 3.0
"""Of processor time against commit 99a179f, which has a third of the rules and clocks."""
SIXTY_US = 300.0
REPEATS = 15


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


@pytest.mark.parametrize("story", STORIES)
def test_against_the_earlier_build(tmp_path: Path, in_turns: InTurns, figure: Figure, story: str) -> None:
    """What an event costs the agent with its database, under the earlier build and this one in turns."""
    turns = in_turns(Path(__file__).with_name("reconcile.py"), *STORIES[story], str(tmp_path))
    old, new = turns.best("cpu_us", lowest=True)
    figure(f"{story}, 99a179f", old, "us each")
    figure(f"{story}, now", new, "us each")
    figure(f"{story}, announcements an event", turns.best("announcements", lowest=True)[1])
    figure(f"{story}, how much faster", old / new, "x", at_least=RATIO)


def test_an_event_of_a_chain_of_sixty(figure: Figure) -> None:
    """What an event that sorts last costs the book of a chain of 60, the best of many runs of each event."""
    events = matters(15, 2)
    runs = []
    gc.collect()
    gc.disable()  # the service leaves the cycle collector to run rarely
    for _ in range(REPEATS):
        book, times = ChainBook(CHAIN), []
        for event in events:
            begun = time.process_time()
            book.take(event)
            book.changes()
            assert book.meaning.hash
            book.wakes_at()
            times.append((time.process_time() - begun) * 1e6)
        runs.append(times)
    gc.enable()
    figure("an event of a chain of 60", fmean(map(min, zip(*runs, strict=True))), "us", at_most=SIXTY_US)
