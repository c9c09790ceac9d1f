"""What it costs to check that admissions are the router's."""

import time

import pytest

from bench.figures import Figure
from casebus_schemas.wire.records import Record
from casebus_services.reconciler.accounts_database import Database
from casebus_services.reconciler.arrivals import arrival
from casebus_services.reconciler.proven import Proof
from support.events.admissions import KnownKeys, batch_of
from support.reconciler.desk import Desk

pytestmark = pytest.mark.bench

CASES = 1000


@pytest.fixture(scope="module")
def admissions(tmp_path_factory: pytest.TempPathFactory) -> tuple[Desk, list[list[Record]]]:
    """Admissions of 1,000 cases of three events, by partition."""
    database = Database(f"sqlite:///{tmp_path_factory.mktemp('proof') / 'accounts.db'}")
    database.migrate()
    desk = Desk(database)
    for number in range(1, CASES + 1):
        desk.play(number, 1_700_000_000_000)
    return desk, list(desk.admitter.records.values())


@pytest.mark.parametrize(("at_once", "most"), [(1, None), (20, 60.0), (200, 60.0)])
def test_checking(
    at_once: int, most: float | None, admissions: tuple[Desk, list[list[Record]]], figure: Figure
) -> None:
    """Microseconds of processor time an admission beyond reading it, alone and in runs."""
    desk, partitions = admissions
    proof = Proof(KnownKeys(desk.admitter.keyring))
    runs = [
        batch_of(records[start : start + at_once])
        for records in partitions
        for start in range(0, len(records), at_once)
    ]
    reading = checking = 0.0
    for run in runs:  # in turns, so that a disturbed machine disturbs both
        begun = time.process_time()
        for record in run.records:
            arrival(record)
        reading -= begun - time.process_time()
        begun = time.process_time()
        proof.of([run])
        checking -= begun - time.process_time()
    assert proof.stopped() == {}
    count = sum(map(len, partitions))
    figure(f"runs of {at_once}", (checking - reading) / count * 1e6, "µs an admission", at_most=most)
    figure(f"runs of {at_once}, reading alone", reading / count * 1e6, "µs an admission")
