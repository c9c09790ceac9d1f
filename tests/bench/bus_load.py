"""Loads a whole bus of its own and prints what came of it; runs under either build.

`python bus_load.py latency RATE SECONDS`: events at a steady rate, from publishing to the notice in an inbox
and to the committed entry. `python bus_load.py memory EVENTS`: so many events while the services are down,
then the most resident memory of each service until it has worked them off.
"""

import json
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
from confluent_kafka import Consumer, TopicPartition
from sqlalchemy import create_engine, text

from bench.either import either
from casebus_schemas.agencies import MEMBERS

if TYPE_CHECKING:
    from support.scenes.crash_run import Player, settle
    from support.scenes.flow import Flow
else:
    Player = either("support.scenes.crash_run", "support.crash_run").Player
    settle = either("support.scenes.crash_run", "support.crash_run").settle
    Flow = either("support.scenes.flow", "support.flow").Flow


inbox = either("casebus_schemas.catalogue.topology", "casebus_schemas.topology").inbox
key_file = either("casebus_deploy.stack.keys", "casebus_deploy.keys").key_file
SigningKey = either("casebus_schemas.wire.signing", "casebus_schemas.signing").SigningKey
stack_module = either("casebus_deploy.stack.stack", "casebus_deploy.stack")

SERVICES = ("router", "ledger", "reconciler")
EVENTS_A_CHAIN = 4.0
"""Of a flow, rounded up."""
CHAINS_AT_ONCE = 5_000
LONGEST_S = 1_800.0


@contextmanager
def bus() -> Iterator[Any]:
    """A whole bus in a folder of its own."""
    folder = Path(tempfile.mkdtemp(prefix="casebus-bench-"))
    try:
        with stack_module.Stack(stack_module.StackOptions(data=folder)) as running:
            yield running
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def keys_of(stack: Any) -> dict[str, Any]:
    """The agencies' keys."""
    return {name: SigningKey.from_file(key_file(stack.secrets, name)) for name in MEMBERS}


# --- latency ------------------------------------------------------------------------------------------


class Inboxes:
    """Notes when each notice can first be read, by the event's id."""

    def __init__(self, stack: Any) -> None:
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


class TimedPlayer(Player):
    """A player that notes when it said each event, and keeps its rate to the end."""

    def __init__(self, stack: Any, sent: dict[bytes, float]) -> None:
        super().__init__(stack)
        self._sent = sent

    def steady(self, flow: Flow, per_s: float) -> float:
        """Says a flow at a fixed rate; returns the seconds it took. All is acknowledged then."""
        begun = time.monotonic()
        for number, said in enumerate(flow.said):
            wait_s = begun + number / per_s - time.monotonic()
            if wait_s > 0:
                time.sleep(wait_s)
            self._send(said)
        took = time.monotonic() - begun
        for producer in self._producers.values():
            producer.flush(60)
        return took

    def _send(self, said: Any) -> None:
        self._sent.setdefault(said.record.headers[1][1], time.time())
        super()._send(said)


def latency(rate: str, seconds: str) -> dict[str, float]:
    """Milliseconds, and the processor time of every process of the bus for an event."""
    with bus() as stack:
        keys = keys_of(stack)
        chains = max(20, int(float(rate) * float(seconds) / EVENTS_A_CHAIN))
        flow = Flow(keys, chains=chains, name=f"at-{rate}")
        inboxes = Inboxes(stack)
        sent: dict[bytes, float] = {}
        player = TimedPlayer(stack, sent)
        # The first connections and imports are not the flow's.
        player.play(Flow(keys, chains=10, name="warm"), per_s=50)
        wait_for(lambda: len(inboxes.seen) >= 20)
        sent.clear()
        inboxes.seen.clear()
        cpu = cpu_seconds(stack)
        played_s = player.steady(flow, float(rate))
        wanted = {said.record.headers[1][1] for said in flow.said if said.admitted}
        wait_for(lambda: wanted <= inboxes.seen.keys())
        time_in = [inboxes.seen[id] - sent[id] for id in wanted if id is not None]
        entered = entries(stack, player.played, sent)
        used = {name: seconds - cpu.get(name, 0.0) for name, seconds in cpu_seconds(stack).items()}
        inboxes.close()
    found = {"events": float(len(flow.said)), "played_per_s": len(flow.said) / played_s}
    for what, times in (("notice", time_in), ("entry", entered)):
        ordered = sorted(times)
        found[f"{what}_p50_ms"] = 1000 * ordered[len(ordered) // 2]
        found[f"{what}_p99_ms"] = 1000 * ordered[int(len(ordered) * 0.99)]
    return found | {f"cpu_us_{name}": 1e6 * value / len(flow.said) for name, value in used.items()}


def entries(stack: Any, played: Any, sent: dict[bytes, float]) -> list[float]:
    """Seconds from saying each event to the commit of its entry."""
    wanted: dict[tuple[str, int], int] = {}
    for _, place, offset in played.places:
        wanted[place] = max(offset, wanted.get(place, 0))
    engine = create_engine(stack.database_url("ledger"))
    batches: dict[tuple[str, int], list[tuple[int, int, float]]] = {}

    def all_there() -> bool:
        batches.clear()
        with engine.connect() as connection:
            for topic, partition, first, last, at in connection.execute(text(_BATCHES)):
                batches.setdefault((topic, partition), []).append((first, last, at / 1000))
        return all(
            any(offset <= last for _, last, _ in batches.get(place, ())) for place, offset in wanted.items()
        )

    wait_for(all_there)
    engine.dispose()
    found = []
    for said, place, offset in played.places:
        id = said.record.headers[1][1]
        if id in sent:
            at = next(at for first, last, at in batches[tuple(place)] if first <= offset <= last)
            found.append(at - sent[id])
    return found


_BATCHES = (
    "SELECT l.topic, l.partition, b.first_offset, b.last_offset, b.committed_at "
    "FROM batch b JOIN log l ON l.log_id = b.log_id"
)


# --- memory -------------------------------------------------------------------------------------------


def memory(events: str) -> dict[str, float]:
    """MB that each service held at most, and how long all of them took."""
    with bus() as stack:
        keys, supervisor = keys_of(stack), stack.supervisor
        names = [name for name in supervisor.pids if name != "kafka"]
        for name in names:
            supervisor[name].stop()
        said, number = 0, 0
        while said < int(events):
            left = int((int(events) - said) / EVENTS_A_CHAIN) + 1
            flow = Flow(keys, chains=min(CHAINS_AT_ONCE, left), name=f"backlog-{number}")
            player = Player(stack)
            player.play(flow, per_s=1e9, until=lambda: True)
            said, number = said + len(flow.said), number + 1
        most = dict.fromkeys(names, 0.0)
        stop = threading.Event()
        watcher = threading.Thread(target=watch, args=(supervisor, most, stop), daemon=True)
        begun = time.monotonic()
        for name in names:
            supervisor[name].start()
        watcher.start()
        stack.services = SERVICES
        waiting = settle(stack, LONGEST_S)
        stop.set()
        watcher.join(5)
        took = time.monotonic() - begun
    if waiting:
        raise AssertionError(f"not at rest after {LONGEST_S:.0f} s: {waiting[:3]}")
    return {"events": said, "seconds": took} | {f"mb_{name}": value for name, value in most.items()}


def watch(supervisor: Any, most: dict[str, float], stop: threading.Event) -> None:
    """Keeps the most resident memory of each service and its children."""
    while not stop.wait(0.2):
        for name, pid in supervisor.pids.items():
            try:
                process = psutil.Process(pid)
                family = [process, *process.children(recursive=True)]
                resident = sum(one.memory_info().rss for one in family) / 1e6
            except (psutil.Error, TypeError, ValueError):  # between two lives
                continue
            most[name] = max(most.get(name, 0.0), resident)


# --- both ---------------------------------------------------------------------------------------------


def pids_of(stack: Any) -> dict[str, int]:
    """Every process of the bus that is a child of this one."""
    found = {name: pid for name, pid in stack.supervisor.pids.items() if pid is not None}
    return found | ({"kafka": stack.broker.pid} if stack.broker.pid is not None else {})


def cpu_seconds(stack: Any) -> dict[str, float]:
    """Processor time that each process has used so far."""
    used = {}
    for name, pid in pids_of(stack).items():
        times = psutil.Process(pid).cpu_times()
        used[name] = times.user + times.system
    return used


def wait_for(done: Any, timeout_s: float = 600.0) -> None:
    """Waits until `done` gives true."""
    deadline = time.monotonic() + timeout_s
    while not done():
        if time.monotonic() > deadline:
            raise AssertionError("the flow did not come through")
        time.sleep(0.2)


if __name__ == "__main__":
    ways: dict[str, Callable[..., dict[str, float]]] = {"latency": latency, "memory": memory}
    print(json.dumps(ways[sys.argv[1]](*sys.argv[2:])))
