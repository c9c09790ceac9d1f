"""A whole bus on real servers whose services can be told where to die, watched while they do."""

import contextlib
import json
import shutil
import signal
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from casebus_deploy.stack.keys import key_file, make_secrets
from casebus_deploy.stack.operations import Operator
from casebus_deploy.stack.stack import Stack, StackOptions
from casebus_schemas.agencies import MEMBERS
from casebus_schemas.catalogue.topology import (
    ADMISSION,
    COMMAND,
    FINDING,
    OBLIGATION,
    SERVICES,
    agency_topics,
    ledgered_topics,
)
from casebus_schemas.fault_switch import TEST
from casebus_schemas.wire.signing import SigningKey
from support.scenes.flow import CLOCK
from support.scenes.kafka_view import KafkaView, librdkafka_config

BACK_IN_S = 5.0
"""How long a killed service may be away (issue: under 5 s)."""
SLOW_MACHINE = 4.0
"""Where even a calm start is slow: so many times its duration."""
LONGEST_BACK_IN_S = 30.0
"""No single outage is longer, however much else the machine does at that moment."""


_INPUT = {
    "router": (*(spec.name for spec in agency_topics()), FINDING, OBLIGATION, COMMAND),
    "ledger": tuple(spec.name for spec in ledgered_topics()),
    "reconciler": (ADMISSION,),
}
STREAM_SERVICES = tuple(_INPUT)
"""Those that read topics in a group; the sealer has tests of its own (test_sealed_ledger.py)."""


@dataclass(frozen=True, slots=True)
class Kill:
    """One kill: when, of which service, at which point, with how many records in flight."""

    time: float
    service: str
    point: str
    pid: int
    in_flight: int


@dataclass(frozen=True, slots=True)
class Outage:
    """How long a killed service took to be assigned again, and to its first batch (None: there was none)."""

    kill: Kill
    assigned_s: float | None
    first_batch_s: float | None


@dataclass
class _Life:
    first_beat: float
    first_batch: float | None = None


@dataclass
class Lives:
    """Watches the heartbeats of all services: when each process began to work."""

    folder: Path
    seen: dict[str, dict[int, _Life]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="lives", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Ends watching."""
        self._stopping.set()
        self._thread.join(5)

    def after(self, name: str, moment: float) -> tuple[float | None, float | None]:
        """First heartbeat and first batch of the first life of a service that began after that moment."""
        lives = [life for life in dict(self.seen.get(name, {})).values() if life.first_beat > moment]
        if not lives:
            return None, None
        life = min(lives, key=lambda one: one.first_beat)
        return life.first_beat, life.first_batch

    def _watch(self) -> None:
        while not self._stopping.wait(0.02):
            for file in self.folder.glob("services/*/heartbeat.json"):
                with contextlib.suppress(OSError, ValueError, KeyError):
                    beat = json.loads(file.read_text())
                    life = self.seen.setdefault(file.parent.name, {}).setdefault(
                        beat["pid"], _Life(beat["at"])
                    )
                    if life.first_batch is None and beat["records"]:
                        life.first_batch = beat["last_batch_at"]


class FaultStack(Stack):
    """A bus with a simulated clock that stands still, the test's own keys, and a fault plan a service."""

    def __init__(
        self,
        folder: Path,
        secrets: Path,
        *,
        database_url: str | None = None,
        faults: Mapping[str, str] | None = None,
        workers: int = 1,
        services: tuple[str, ...] = SERVICES,
        nodes: int | None = None,
    ) -> None:
        """`secrets` holds keys made before (`make_keys`); `faults` maps a service to its CASEBUS_FAULT."""
        super().__init__(
            StackOptions(
                data=folder / "bus",
                simulated_clock=True,
                database_url=database_url,
                workers=workers,
                page=False,
                registry=False,
                nodes=nodes,
            )
        )
        self.faults = dict(faults or {})
        self.fault_log = folder / "kills.jsonl"
        self.noted: list[Kill] = []
        self.calm_start_s: dict[str, float] = {}
        self.services = services
        self.data.mkdir(parents=True)
        shutil.copytree(secrets, self.secrets)
        self.lives = Lives(self.data)

    def start(self) -> None:
        """Starts all, then sets the clock: every run of a flow sees the same time."""
        super().start()
        assert self.supervisor is not None
        for name, state in self.supervisor.states().items():
            first, _ = self.lives.after(name, 0.0)
            self.calm_start_s[name] = 0.0 if first is None else first - state.since
        operator = Operator(self.connection)
        operator.set_clock(CLOCK, rate=0.0)
        operator.close()

    def stop(self) -> None:
        """Stops all in order."""
        self.lives.stop()
        super().stop()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    # --- kills -------------------------------------------------------------------------------------------

    def kills(self) -> list[Kill]:
        """All kills so far in order of time: those the services wrote down before they died, and `noted`."""
        lines = self.fault_log.read_text().splitlines() if self.fault_log.exists() else []
        logged = [json.loads(line) for line in lines]
        own = [
            Kill(one["time"], one["point"].partition(".")[0], one["point"], one["pid"], one["in_flight"])
            for one in logged
        ]
        return sorted([*own, *self.noted], key=lambda kill: kill.time)

    def kill(self, name: str, number: signal.Signals = signal.SIGKILL) -> Kill:
        """Signals a service from outside; in flight is what it has not acknowledged in Kafka just before."""
        assert self.supervisor is not None
        assert self.broker is not None
        service = name.partition("-")[0]
        view, topics = KafkaView(self.broker), _INPUT[service]
        acknowledged = view.committed(service, topics)
        in_flight = sum(end - acknowledged[place] for place, end in view.ends(topics).items())
        pid = self.supervisor[name].signal(number)
        noted = Kill(time.time(), service, number.name, pid, in_flight)
        self.noted.append(noted)
        return noted

    def outages(self) -> list[Outage]:
        """How long each killed service was away; for stacks of one worker a service."""
        found = []
        for kill in self.kills():
            beat, batch = self.lives.after(kill.service, kill.time)
            found.append(
                Outage(kill, beat and beat - kill.time, batch and batch - kill.time)  # 0.0 is no time stamp
            )
        return found

    def may_be_away_s(self, service: str) -> float:
        """Bound of the median outage on this machine."""
        return max(BACK_IN_S, SLOW_MACHINE * self.calm_start_s.get(service, 0.0))

    def again(self, name: str, fault: str) -> None:
        """Stops a service in order and starts it anew with another fault plan."""
        assert self.supervisor is not None
        child = self.supervisor[name]
        child.stop()
        self.faults[name.partition("-")[0]] = fault
        child.spec = replace(child.spec, env={**child.spec.env, "CASEBUS_FAULT": fault})
        child.start()

    # --- within ------------------------------------------------------------------------------------------

    def _children(self) -> list[Any]:
        return [child for child in super()._children() if child.name.partition("-")[0] in self.services]

    def _service_env(self, service: str, name: str, worker: int) -> dict[str, str]:
        return super()._service_env(service, name, worker) | {
            "CASEBUS_FAULT": self.faults.get(service, ""),
            "CASEBUS_FAULT_LOG": str(self.fault_log),
            TEST: "yes",
        }


def make_keys(folder: Path) -> Path:
    """Makes the signing keys of everybody, for several runs of the same signed records."""
    make_secrets(folder)
    return folder


def agency_keys(secrets: Path) -> dict[str, SigningKey]:
    """The members' keys in a folder of secrets."""
    return {name: SigningKey.from_file(key_file(secrets, name)) for name in MEMBERS}


def client_config(stack: FaultStack, agency: str) -> dict[str, Any]:
    """librdkafka's settings of an agency's own login."""
    login = stack.connection.principal(agency)
    assert stack.broker is not None
    return librdkafka_config(stack.broker, login.username, login.password_file.read_text().strip())
