"""The whole bus: publish to notice and to committed entry at a fixed load, and what it costs when idle."""

import os
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from confluent_kafka import Consumer, TopicPartition
from sqlalchemy import create_engine, text

from bench.figures import Figure
from casebus_deploy.stack.keys import key_file
from casebus_deploy.stack.stack import Stack, StackOptions
from casebus_schemas.agencies import MEMBERS
from casebus_schemas.catalogue.topology import inbox
from casebus_schemas.wire.signing import SigningKey
from support.crash_run import Player
from support.flow import Flow

pytestmark = [pytest.mark.broker, pytest.mark.bench, pytest.mark.timeout(300)]

P99_MS = 250.0
IDLE_SHARE_OF_A_CORE = 0.20
IDLE_S = 20.0


@pytest.fixture
def stack() -> Iterator[Stack]:
    """A whole bus in a folder of its own."""
    folder = Path(tempfile.mkdtemp(prefix="casebus-bench-"))
    try:
        with Stack(StackOptions(data=folder)) as running:
            yield running
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class Inboxes:
    """Notes when each notice can first be read, by the event's id."""

    def __init__(self, stack: Stack) -> None:
        assert stack.broker is not None
        admin = stack.broker.admin_settings()
        self.seen: dict[bytes, float] = {}
        self._stop = threading.Event()
        self._consumer = Consumer(
            {
                "bootstrap.servers": stack.bootstrap_servers,
                "security.protocol": "SASL_PLAINTEXT",
                "sasl.mechanism": "SCRAM-SHA-512",
                "sasl.username": admin["sasl_plain_username"],
                "sasl.password": admin["sasl_plain_password"],
                "group.id": "bench",
                "enable.auto.commit": False,
                "fetch.wait.max.ms": 100,
            }
        )
        self._consumer.assign([TopicPartition(inbox(agency), 0, 0) for agency in MEMBERS])
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        while not self._stop.is_set():
            for message in self._consumer.consume(500, 0.05):
                now = time.time()
                headers: Any = message.headers() or ()
                for name, value in headers:
                    if name == "ce_id":
                        self.seen.setdefault(value, now)
                        break

    def close(self) -> None:
        """Stops reading."""
        self._stop.set()
        self._thread.join(5)
        self._consumer.close()


def _percentiles(values: list[float]) -> tuple[float, float]:
    ordered = sorted(values)
    return ordered[len(ordered) // 2] * 1000, ordered[int(len(ordered) * 0.99)] * 1000


def _committed(stack: Stack) -> dict[tuple[str, int], list[tuple[int, int, float]]]:
    engine = create_engine(stack.database_url("ledger"))
    with engine.connect() as connection:
        rows = connection.execute(
            text(
                "SELECT l.topic, l.partition, b.first_offset, b.last_offset, b.committed_at "
                "FROM batch b JOIN log l ON l.log_id = b.log_id"
            )
        ).all()
    engine.dispose()
    found: dict[tuple[str, int], list[tuple[int, int, float]]] = {}
    for topic, partition, first, last, at in rows:
        found.setdefault((topic, partition), []).append((first, last, at / 1000))
    return found


def _wait_for(done: Any, timeout_s: float = 60.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not done():
        assert time.monotonic() < deadline, "the flow did not come through"
        time.sleep(0.1)


@pytest.mark.parametrize("rate", [100, 1000])
def test_latency_at_a_fixed_load(stack: Stack, figure: Figure, rate: int) -> None:
    """At 100 events a second, notice and committed entry follow the publishing within the bound."""
    keys = {name: SigningKey.from_file(key_file(stack.secrets, name)) for name in MEMBERS}
    inboxes = Inboxes(stack)
    sent: dict[bytes, float] = {}
    player = _Timed(stack, sent)
    # The first connections and imports are not the flow's.
    player.play(Flow(keys, chains=10, name="warm"), per_s=50)
    _wait_for(lambda: len(inboxes.seen) >= 20)
    sent.clear()
    inboxes.seen.clear()
    flow = Flow(keys, chains=rate * 4, name=f"at-{rate}")
    played = player.play(flow, per_s=rate, until=lambda: False)
    wanted = {said.record.headers[1][1] for said in flow.said if said.admitted}
    _wait_for(lambda: wanted <= inboxes.seen.keys())
    time_in = [inboxes.seen[id_] - sent[id_] for id_ in wanted if id_ is not None]
    batches = _committed(stack)
    in_ledger = []
    for said, place, offset in played.places:
        id_ = said.record.headers[1][1]
        if id_ in sent:
            at = next(at for first, last, at in batches[place] if first <= offset <= last)
            in_ledger.append(at - sent[id_])
    inboxes.close()
    notice, entry = _percentiles(time_in), _percentiles(in_ledger)
    bound = P99_MS if rate == 100 else None
    for what, (middle, late) in (("notice", notice), ("committed entry", entry)):
        figure(f"publish to {what} at {rate}/s, p50", middle, "ms")
        figure(f"publish to {what} at {rate}/s, p99", late, "ms", at_most=bound)


class _Timed(Player):
    """A player that notes when it said each event."""

    def __init__(self, stack: Any, sent: dict[bytes, float]) -> None:
        super().__init__(stack)
        self._sent = sent

    def _send(self, said: Any) -> None:
        self._sent.setdefault(said.record.headers[1][1], time.time())
        super()._send(said)


def test_the_idle_bus(stack: Stack, figure: Figure) -> None:
    """All processes of an idle bus together take less than a fifth of one core."""
    assert stack.supervisor is not None
    assert stack.broker is not None
    time_s = _cpu_seconds(stack)
    begun = time.monotonic()
    while time.monotonic() - begun < IDLE_S:
        time.sleep(0.5)
    spent = {name: _cpu_seconds(stack)[name] - before for name, before in time_s.items()}
    seconds = time.monotonic() - begun
    memory = sum(psutil.Process(pid).memory_info().rss for pid in _pids(stack).values()) / 1e6
    for name, value in spent.items():
        figure(f"idle: {name}", 100 * value / seconds, "% of a core")
    share = 100 * sum(spent.values()) / seconds
    figure("idle: all", share, "% of a core", at_most=100 * IDLE_SHARE_OF_A_CORE)
    figure("idle: all, resident memory", memory, "MB")


def _pids(stack: Stack) -> dict[str, int]:
    assert stack.supervisor is not None
    assert stack.broker is not None
    found = {name: pid for name, pid in stack.supervisor.pids.items() if pid is not None}
    if stack.broker.pid is not None:
        found["kafka"] = stack.broker.pid
    return found | {"supervisor": os.getpid()}


def _cpu_seconds(stack: Stack) -> dict[str, float]:
    found = {}
    for name, pid in _pids(stack).items():
        times = psutil.Process(pid).cpu_times()
        found[name] = times.user + times.system
    return found
