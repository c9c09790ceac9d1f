"""The reconciler on real Kafka, killed in full flow: same accounts and same announcements as a calm run."""

import json
import logging
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from casebus_consumers.accounts_reader import AccountsReader
from casebus_deploy.embedded.broker import EmbeddedBroker
from casebus_deploy.stack.logins import password_file
from casebus_schemas.wire.headers import EventHeaders, digest_of
from casebus_schemas.wire.records import Outgoing, Record
from casebus_schemas.wire.signing import ZERO_DIGEST
from casebus_services.reconciler.accounts_database import Database
from support.reconciler.desk import Desk
from support.router.router_process import LONG_S, RouterBus

pytestmark = pytest.mark.broker

log = logging.getLogger(__name__)

POINTS = ("reconciler.before-commit", "reconciler.after-commit", "reconciler.after-publish")
CASES = 120


@pytest.fixture
def bus(tmp_path: Path) -> Iterator[RouterBus]:
    """A fresh bus."""
    with EmbeddedBroker(tmp_path / "broker") as broker:
        yield RouterBus(broker, tmp_path)


class Process:
    """The reconciler as a process of its own."""

    def __init__(self, bus: RouterBus, accounts_url: str) -> None:
        self._log = bus.folder / "reconciler.log"
        data = bus.folder / "reconciler"
        data.mkdir()
        self.environment = {
            **bus.environment(),
            "CASEBUS_SASL_USERNAME": "reconciler",
            "CASEBUS_SASL_PASSWORD_FILE": str(password_file(bus.credentials, "reconciler")),
            "CASEBUS_DATA_DIR": str(data),
            "CASEBUS_ACCOUNTS_URL": accounts_url,
        }
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, **more: str) -> None:
        with self._log.open("ab") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "casebus_deploy.cli.main", "run", "reconciler"],
                env={**self.environment, **more},
                stdout=out,
                stderr=out,
            )

    def ended(self) -> int:
        assert self.process is not None
        return self.process.wait(LONG_S)

    def end(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait(30)

    def tail(self) -> str:
        return self._log.read_text()[-3000:]


def _calm(folder: Path) -> tuple[Desk, str]:
    """The same admissions taken in one quiet go, and the accounts' hash."""
    url = f"sqlite:///{folder / 'calm.db'}"
    database = Database(url)
    database.migrate()
    desk = Desk(database)
    now_ms = time.time_ns() // 1_000_000
    for number in range(1, CASES + 1):
        desk.play(number, now_ms)
    desk.agent.handle(desk.admitter.batches())
    database.close()
    return desk, _hash(url)


def _hash(url: str) -> str:
    reader = AccountsReader(url)
    try:
        return reader.hash()
    finally:
        reader.close()


def _said(records: list[Record] | list[Outgoing]) -> set[tuple[str, bytes | None]]:
    return {(str(EventHeaders.parse(record.headers).id), record.value) for record in records}


def _assert_gap_free(records: list[Record]) -> None:
    heads: dict[tuple[str, str, int], tuple[int, bytes]] = {}
    seen = set()
    for record in records:
        digest = digest_of(record)
        if digest in seen:
            continue
        seen.add(digest)
        headers = EventHeaders.parse(record.headers)
        stream = (headers.producer, record.topic, record.partition)
        seq, prev = heads.get(stream, (0, ZERO_DIGEST))
        assert (headers.seq, headers.prev) == (seq + 1, prev)
        heads[stream] = (headers.seq, digest)


def test_killed_at_every_point_it_says_and_keeps_the_same(
    bus: RouterBus, tmp_path: Path, accounts_url: str
) -> None:
    """Killed before commit, after commit and after Kafka's acknowledgement: nothing lost, nothing twice."""
    desk, calm_hash = _calm(tmp_path)
    admissions = [
        Outgoing(record.topic, record.partition, record.key, record.value, record.headers)
        for batch in desk.admitter.batches()
        for record in batch.records
    ]
    kills, service = tmp_path / "kills", Process(bus, accounts_url)
    share = len(admissions) // (len(POINTS) + 1)
    try:
        for number, point in enumerate(POINTS):
            bus.produce(admissions[number * share : (number + 1) * share])
            service.start(CASEBUS_FAULT=f"{point}=kill@1", CASEBUS_FAULT_LOG=str(kills))
            assert service.ended() == -9, service.tail()
        bus.produce(admissions[len(POINTS) * share :])
        service.start()
        _wait(service, accounts_url, len(admissions))
    finally:
        service.end()
    lines = [json.loads(line) for line in kills.read_text().splitlines()]
    log.info("killed: %s", lines)
    assert [line["point"] for line in lines] == list(POINTS)
    assert min(line["in_flight"] for line in lines) > 0
    assert _hash(accounts_url) == calm_hash
    published = bus.read("bus.finding") + bus.read("bus.obligation")
    assert _said(published) == _said(desk.sink.sent)
    assert len(published) > len(desk.sink.sent)
    _assert_gap_free(published)


def _wait(service: Process, accounts_url: str, events: int) -> None:
    database = Database(accounts_url, read_only=True)
    deadline = time.monotonic() + LONG_S
    try:
        while _state(database) != (events, 0):
            assert time.monotonic() < deadline, f"{_state(database)} {service.tail()}"
            time.sleep(0.1)
    finally:
        database.close()


def _state(database: Database) -> tuple[Any, ...]:
    with database.reading() as transaction:
        (row,) = transaction.rows(
            "SELECT (SELECT count(*) FROM recon_event), (SELECT count(*) FROM recon_outbox WHERE sent = 0)"
        )
    return tuple(row)


def test_an_idle_reconciler_ends_when_asked(bus: RouterBus, tmp_path: Path) -> None:
    """SIGTERM drains and gives exit code 0."""
    service = Process(bus, f"sqlite:///{tmp_path / 'accounts.db'}")
    try:
        service.start()
        beat = Path(service.environment["CASEBUS_DATA_DIR"]) / "heartbeat.json"
        deadline = time.monotonic() + LONG_S
        while not beat.exists():
            assert time.monotonic() < deadline, service.tail()
            time.sleep(0.1)
        assert service.process is not None
        os.kill(service.process.pid, 15)
        assert service.ended() == 0, service.tail()
    finally:
        service.end()
