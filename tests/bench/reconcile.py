"""The reconciler's agent over a story, under this build or an earlier one: prints what an event costs.

`python reconcile.py CASES MATTERS FOLDER`: so many cases, each of so many matters of three events (referral,
receipt, filing with another figure) in one chain; batches of 200, one SQLite transaction a batch. One case
more is played before the measured part: what a process reads of law, schemas and rules once is no cost of an
event.
"""

import gc
import json
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from bench.either import either

if TYPE_CHECKING:
    from support.cases.chains import amount, at, suspects
    from support.events.admissions import batch_of
    from support.reconciler.desk import Desk
else:
    amount = either("support.cases.chains", "support.chains").amount
    at = either("support.cases.chains", "support.chains").at
    suspects = either("support.cases.chains", "support.chains").suspects
    batch_of = either("support.events.admissions", "support.admissions").batch_of
    Desk = either("support.reconciler.desk", "support.desk").Desk


AT_ONCE = 200


def run(cases: int, matters: int, folder: Path) -> dict[str, float]:
    """Processor and wall time of each event in microseconds, and how much was announced."""
    database = either(
        "casebus_services.reconciler.accounts_database", "casebus_services.reconciler.database"
    ).Database(f"sqlite:///{folder / 'accounts.db'}")
    database.migrate()
    desk = Desk(database)
    _play(desk, cases + 1, 0)
    read = {partition: len(records) for partition, records in desk.admitter.records.items()}
    for batch in desk.admitter.batches():
        desk.agent.handle([batch])
    said = len(desk.sink.sent)
    for matter in range(matters):
        for number in range(1, cases + 1):
            _play(desk, number, matter)
    batches = [
        batch_of(one.records[start : start + AT_ONCE])
        for one in desk.admitter.batches()
        for start in range(read.get(one.partition, 0), len(one.records), AT_ONCE)
    ]
    gc.collect()
    gc.disable()  # the service leaves the cycle collector to run rarely
    wall, cpu = time.perf_counter(), time.process_time()
    for batch in batches:
        desk.agent.handle([batch])
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    events = 3 * cases * matters
    assert desk.rows("SELECT count(*) FROM recon_event") == [(events + 3,)]
    database.close()
    return {
        "cpu_us": cpu / events * 1e6,
        "wall_us": wall / events * 1e6,
        "announcements": (len(desk.sink.sent) - said) / events,
    }


def _play(desk: Desk, number: int, matter: int) -> None:
    """One matter, each of its events later than all before in its chain."""
    day = at("2022-09-28T10:00") + timedelta(days=3 * matter)
    said, received, filed = (f"{day + timedelta(days=n):%Y-%m-%dT%H:%M}" for n in range(3))
    now_ms = time.time_ns() // 1_000_000
    referral = desk.refer(said, number)
    desk.admitter.admit(referral, at_ms=now_ms)
    facts = {"received_at": at(received), "competent": True, "complete": True}
    receipt = desk.answer(referral, received, "referral.receipted", number, **facts)
    desk.admitter.admit(receipt, at_ms=now_ms)
    figure = [amount("illegal_gain", "4619.00", "2009-04-01", "2013-02-28")]
    who = suspects("姜某君", "柳某")
    filing = desk.answer(referral, filed, "referral.filed", number, suspects=who, amounts=figure)
    desk.admitter.admit(filing, at_ms=now_ms)


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory(dir=sys.argv[3]) as folder:
        print(json.dumps(run(int(sys.argv[1]), int(sys.argv[2]), Path(folder))))
