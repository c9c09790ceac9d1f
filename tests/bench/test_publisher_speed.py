"""How fast an agency says things: queuing signed events, and relaying them to Kafka."""

import statistics
import time
from pathlib import Path

import pytest

from bench.baseline import InTurns
from bench.figures import Figure
from casebus_deploy.embedded.broker import EmbeddedBroker
from casebus_producers.outbox.publisher import Publisher
from support.cases.members import outbox_of, ready, settings_of, write_connection

pytestmark = [pytest.mark.bench, pytest.mark.broker]

COUNT = 10_000
ROUNDS = 3
WAYS = [("single", 400, 1.0), ("threads", 800, 2.0), ("hundreds", 2_000, 2.0)]
"""How events are queued, how many, how many times as fast as the earlier build even on a busy machine."""


@pytest.mark.parametrize(("way", "count", "ratio"), WAYS)
def test_queuing(
    tmp_path: Path, in_turns: InTurns, figure: Figure, way: str, count: int, ratio: float
) -> None:
    """Events checked, encoded, signed and on disk a second, against the earlier build in turns."""
    turns = in_turns(Path(__file__).with_name("door.py"), way, str(count), str(tmp_path), rounds=ROUNDS)
    old, new = turns.best("per_s")
    figure(f"queued, {way}", new, "events/s")
    figure(f"queued, {way}, earlier build", old, "events/s")
    figure(f"queued, {way}, against the earlier build", turns.ratio("per_s"), "x", at_least=ratio)
    old, new = turns.best("cpu_us", lowest=True)
    figure(f"queued, {way}, processor time", new, "us each")
    figure(f"queued, {way}, processor time, earlier build", old, "us each")


def test_relaying(tmp_path: Path, broker: EmbeddedBroker, credentials: Path, figure: Figure) -> None:
    """Queued events relayed and marked sent a second."""
    settings = settings_of(write_connection(broker.bootstrap_servers, credentials, tmp_path), "csrc")
    outbox = outbox_of(settings)
    outbox.enqueue([ready(at, chain=at % 50, body=bytes(500)) for at in range(COUNT)])
    publisher = Publisher(outbox, settings)
    begun = time.perf_counter()
    publisher.run(lambda: outbox.status().pending == 0)
    figure("relayed", COUNT / (time.perf_counter() - begun), "events/s")
    assert outbox.status().sent == COUNT
    outbox.close()


@pytest.mark.parametrize("rate", [100, 1_000])
def test_latency(
    tmp_path: Path, broker: EmbeddedBroker, credentials: Path, figure: Figure, rate: int
) -> None:
    """Milliseconds from queuing an event to its being marked sent at a steady rate."""
    settings = settings_of(write_connection(broker.bootstrap_servers, credentials, tmp_path), "csrc")
    outbox = outbox_of(settings)
    publisher = Publisher(outbox, settings)
    taken: list[float] = []
    queued: dict[int, float] = {}
    mark = outbox.mark_sent

    def marked(acknowledged: object) -> None:
        mark(acknowledged)  # type: ignore[arg-type]  # passed on as it came
        now = time.perf_counter()
        taken.extend(now - queued[ack.position] for ack in acknowledged)  # type: ignore[attr-defined]

    outbox.mark_sent = marked  # type: ignore[method-assign]  # measured where it happens
    with publisher.running():
        begun = time.perf_counter()
        for at in range(0, rate * 10, max(1, rate // 100)):
            time.sleep(max(0.0, begun + at / rate - time.perf_counter()))
            now = time.perf_counter()
            with outbox.writing() as writing:
                for number in range(at, at + max(1, rate // 100)):
                    queued[writing.enqueue(ready(number, chain=number % 50, body=bytes(500))).position] = now
            publisher.wake()
        publisher.wait_sent([max(queued)], 60)
    ordered = sorted(taken[rate:])
    figure(f"queued to sent at {rate}/s, p50", 1000 * statistics.median(ordered), "ms")
    figure(f"queued to sent at {rate}/s, p99", 1000 * ordered[int(len(ordered) * 0.99)], "ms")
    assert len(taken) == rate * 10
    outbox.close()
