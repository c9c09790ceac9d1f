"""A door that is killed at any moment loses nothing that it has taken, and says nothing twice."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from casebus_consumers.door.clients import add_client
from casebus_deploy.embedded.broker import EmbeddedBroker
from casebus_deploy.embedded.ports import free_ports
from casebus_producers.topic_reader import TopicReader
from casebus_schemas.fault_switch import FAULTS, TEST
from casebus_schemas.wire.headers import EventHeaders
from casebus_schemas.wire.ids import uuid7
from support.cases.members import door_event, settings_of, write_connection

pytestmark = pytest.mark.broker

BATCHES, EACH = 12, 25
TIMEOUT_S = 60.0


class RunningDoor:
    """The door of the regulator as a process of its own, started again whenever it has ended."""

    def __init__(self, connection: Path, url: str, key: str) -> None:
        self.process: subprocess.Popen[bytes] | None = None
        self._env = {**os.environ, "CASEBUS_CONNECTION": str(connection), "CASEBUS_DOOR_URL": url}
        self._log = connection.parent / "door.log"
        self.client = httpx2.Client(base_url=url, headers={"authorization": f"Bearer {key}"}, timeout=20)

    def start(self, fault: str | None = None) -> None:
        """Starts it, and waits until it answers or has ended."""
        env = self._env if fault is None else {**self._env, TEST: "yes", FAULTS: fault}
        command = [sys.executable, "-m", "casebus_deploy.cli.main", "run", "door", "--agency", "csrc"]
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(command, env=env, stdout=log, stderr=log)
        self.until(lambda: self.ended() or self._answers())

    def kill(self) -> None:
        """Signal 9."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(TIMEOUT_S)

    def ended(self) -> bool:
        """Whether it runs no more."""
        return self.process is not None and self.process.poll() is not None

    def until(self, holds: Callable[[], bool]) -> None:
        """Waits until it does, and fails if it never does."""
        deadline = time.monotonic() + TIMEOUT_S
        while not holds():
            assert time.monotonic() < deadline, self._log.read_text()[-2_000:]
            time.sleep(0.05)

    def _answers(self) -> bool:
        try:
            return self.client.get("/healthz").status_code in (200, 503)
        except httpx2.HTTPError:
            return False


@pytest.fixture
def connection(broker: EmbeddedBroker, credentials: Path, tmp_path: Path) -> Path:
    return write_connection(broker.bootstrap_servers, credentials, tmp_path)


@contextmanager
def running(connection: Path) -> Iterator[RunningDoor]:
    """A door that is ended with the block."""
    key = add_client(settings_of(connection, "csrc").data_dir, "ledger-system")
    door = RunningDoor(connection, f"http://127.0.0.1:{next(iter(free_ports(1)))}", key)
    try:
        yield door
    finally:
        if door.process is not None and not door.ended():
            door.kill()


def event(number: int) -> dict[str, Any]:
    """A referral of a case of its own, of this run alone."""
    reference = {"issuer": "csrc", "scheme": "case", "value": f"killed-{RUN}-{number}"}
    return door_event(id=str(IDS[number]), envelope={"local_refs": [reference]})


RUN = time.time_ns()
IDS = [uuid7(RUN // 1_000_000, number.to_bytes(10, "big")) for number in range(BATCHES * EACH)]


def in_kafka(connection: Path) -> dict[str, set[tuple[str, int, bytes]]]:
    """(producer, number, value) of each record of this run in Kafka, by event id."""
    wanted = set(map(str, IDS))
    found: dict[str, set[tuple[str, int, bytes]]] = {}
    with TopicReader(settings_of(connection, "csrc"), ["csrc.referral"]) as reader:
        for record in reader.read_to(reader.ends()):
            headers = EventHeaders.parse(record.headers)
            if str(headers.id) in wanted:
                said = (headers.producer, headers.seq, record.value or b"")
                found.setdefault(str(headers.id), set()).add(said)
    return found


def test_what_was_taken_is_sent_whenever_it_is_killed(connection: Path) -> None:
    """Killed by signal between batches, while one is on its way, and after Kafka's acknowledgement: every
    event for which a client had an answer is in Kafka under one number, and so is what it said again."""
    taken: set[str] = set()
    with running(connection) as door:
        door.start()
        for number in range(BATCHES):
            if door.ended():
                door.start()
            batch = [event(at) for at in range(number * EACH, (number + 1) * EACH)]
            while True:  # as a client does: again until there is an answer
                try:
                    answer = door.client.post(
                        "/v1/events",
                        content=json.dumps(batch),
                        headers={"content-type": "application/cloudevents-batch+json"},
                    )
                    break
                except httpx2.HTTPError:
                    door.until(door.ended)
                    door.start()
            assert answer.status_code == 202, answer.text
            taken |= {one["event"]["id"] for one in answer.json()["events"]}
            if number % 3 == 0:
                door.kill()
                # It dies again once Kafka has taken something of which the outbox knows nothing.
                door.start("publisher.after-ack=kill@1" if number % 2 else None)
        if not door.ended():
            door.kill()
        door.start()
        for id in map(str, IDS):
            address = f"/v1/receipts/{id}?wait=published&timeout=30"
            while (answer := door.client.get(address)).status_code == 429:
                time.sleep(float(answer.headers["retry-after"]))
            assert answer.json()["stage"] != "queued"
    assert taken == set(map(str, IDS))
    found = in_kafka(connection)
    assert set(found) == taken
    assert all(len(said) == 1 for said in found.values())
