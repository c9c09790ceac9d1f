"""One scene: a bus, a flow of events played into it, something that goes wrong meanwhile, and the check."""

import logging
import statistics
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread

from casebus_schemas.catalogue.topology import SERVICES
from support.scenes.crash_checks import Found, check, check_outages
from support.scenes.crash_run import Player, settle
from support.scenes.fault_stack import FaultStack, Outage, agency_keys, make_keys
from support.scenes.flow import Flow

log = logging.getLogger(__name__)

PER_S = 300
"""Events a second while the bus is disturbed."""

POINTS = {
    "router": ("router.before-output", "router.after-output", "router.before-acknowledge"),
    "ledger": (
        "ledger.before-commit",
        "ledger.after-commit",
        "ledger.after-publish",
        "ledger.before-acknowledge",
    ),
    "reconciler": (
        "reconciler.before-commit",
        "reconciler.after-commit",
        "reconciler.after-publish",
        "reconciler.before-acknowledge",
    ),
}
"""Where each service is killed: before its commit (or output), after it, after Kafka's acknowledgement of
what the outbox sent and before it is marked, and before the input is acknowledged."""

_PASSINGS = {"router": 15, "ledger": 15, "reconciler": 2}
"""Passings of a point in one life before the kill: up to a second of work, since the reconciler takes more at
once. The ledger passes at most 6 before the flow begins: keys and the clock."""

Disturb = Callable[[FaultStack], None]


@dataclass(frozen=True, slots=True)
class KillPlan:
    """How often each service is to die at each of its points."""

    times: Mapping[str, int]

    @classmethod
    def each(cls, kills: int) -> "KillPlan":
        """So many kills a service, spread over its points."""
        return cls._spread(dict.fromkeys(POINTS, kills))

    @classmethod
    def in_all(cls, kills: int) -> "KillPlan":
        """So many kills, dealt out to the services in turn."""
        names = list(POINTS)
        return cls._spread({name: len(range(number, kills, len(names))) for number, name in enumerate(names)})

    @classmethod
    def _spread(cls, kills: Mapping[str, int]) -> "KillPlan":
        times = {}
        for service, count in kills.items():
            points = POINTS[service]
            for number, point in enumerate(points):
                times[point] = len(range(number, count, len(points)))
        return cls({point: count for point, count in times.items() if count})

    @property
    def total(self) -> int:
        """All kills."""
        return sum(self.times.values())

    def faults(self) -> dict[str, str]:
        """CASEBUS_FAULT of each service."""
        return {
            service: ",".join(
                f"{point}=kill@{_passings(service, point)}x{self.times[point]}"
                for point in points
                if point in self.times
            )
            for service, points in POINTS.items()
        }


def _passings(service: str, point: str) -> int:
    # What is published comes in larger pieces than what is taken.
    return max(2, _PASSINGS[service] // 2) if point.endswith("after-publish") else _PASSINGS[service]


@dataclass
class Outcome:
    """What a scene gave."""

    problems: list[str]
    found: Found
    outages: list[Outage]

    def figures(self, name: str) -> str:
        """One line for a person."""
        away = sorted(one.assigned_s for one in self.outages if one.assigned_s is not None)
        first = sorted(one.first_batch_s for one in self.outages if one.first_batch_s is not None)
        words = [f"{self.found.figures['records']} events"]
        if away and first:
            words.append(f"{len(self.outages)} kills")
            words.append(f"back after p50 {statistics.median(away):.1f} s, most {away[-1]:.1f} s")
            words.append(f"first batch p50 {statistics.median(first):.1f} s, most {first[-1]:.1f} s")
        lost = sum("missing" in problem for problem in self.problems)
        words.append("lost 0" if not lost else f"LOST in {lost} checks")
        figures = self.found.figures
        words.append(f"{figures.get('admissions repeated', 0)} admissions repeated")
        words.append(f"{figures.get('notices repeated', 0)} of {figures.get('notices', 0)} notices repeated")
        return f"{name}: " + ", ".join(words)


@dataclass
class Scenes:
    """Plays scenes with one set of keys, so that the same flow is the same signed records in each."""

    folder: Path
    say: Callable[[str], None]
    calm: dict[int, Found] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.secrets = make_keys(self.folder / "keys")
        self._flows: dict[int, Flow] = {}
        self._number = 0

    def flow(self, chains: int) -> Flow:
        """The flow of so many chains (about 3.5 events each)."""
        if chains not in self._flows:
            self._flows[chains] = Flow(agency_keys(self.secrets), chains)
        return self._flows[chains]

    @contextmanager
    def bus(
        self,
        database_url: str | None = None,
        faults: Mapping[str, str] | None = None,
        workers: int = 1,
        services: tuple[str, ...] = SERVICES,
        nodes: int | None = None,
    ) -> Iterator[FaultStack]:
        """A running bus in a folder of its own."""
        self._number += 1
        folder = self.folder / f"scene-{self._number}"
        stack = FaultStack(
            folder,
            self.secrets,
            database_url=database_url,
            faults=faults,
            workers=workers,
            services=services,
            nodes=nodes,
        )
        with stack:
            yield stack

    def calm_run(self, chains: int) -> Found:
        """What the flow of so many chains gives when nothing goes wrong; played once."""
        if chains not in self.calm:
            with self.bus() as stack:
                played = Player(stack).play(self.flow(chains), PER_S * 10)
                still_open = settle(stack)
                found = check(stack, self.flow(chains), played)
            found.problems += still_open
            self.calm[chains] = found
        return self.calm[chains]

    def killed(self, name: str, chains: int, plan: KillPlan, database_url: str | None = None) -> Outcome:
        """The flow with the services killed as planned; compared with the calm run."""
        with self.bus(database_url, plan.faults()) as stack:
            played = Player(stack).play(self.flow(chains), PER_S, lambda: len(stack.kills()) >= plan.total)
            still_open = settle(stack)
            found = check(stack, self.flow(chains), played)
            problems = [*still_open, *found.problems, *check_outages(stack, plan.times)]
            outcome = Outcome(problems, found, stack.outages())
            log.info("paced %d records, %.1f s", played.paced, played.seconds)
            for outage in outcome.outages:
                log.info("%s", outage)
        self._compare(chains, outcome)
        self.say(outcome.figures(name))
        return outcome

    def disturbed(
        self,
        name: str,
        chains: int,
        disturb: Disturb,
        database_url: str | None = None,
        workers: int = 1,
        nodes: int | None = None,
    ) -> Outcome:
        """The flow while `disturb` does something to the bus in a thread of its own; compared as above."""
        with self.bus(database_url, workers=workers, nodes=nodes) as stack:
            failures: list[str] = []

            def work() -> None:
                try:
                    disturb(stack)
                except BaseException as error:  # an edge: shown by the test that waits for this thread
                    log.exception("the disturbance failed")
                    failures.append(f"the disturbance failed: {error!r}")

            thread = Thread(target=work, name=name)
            thread.start()
            played = Player(stack).play(self.flow(chains), PER_S, lambda: not thread.is_alive())
            thread.join(120)
            still_open = settle(stack)
            found = check(stack, self.flow(chains), played)
            outcome = Outcome([*failures, *still_open, *found.problems], found, [])
            for kill in stack.kills():
                log.info("%s", kill)
                if kill.in_flight <= 0 and kill.point != "SIGCONT":
                    outcome.problems.append(f"{kill} had nothing in flight")
            signals = Counter(kill.point for kill in stack.kills())
        self._compare(chains, outcome)
        self.say(outcome.figures(name + "".join(f", {word} x{count}" for word, count in signals.items())))
        return outcome

    def _compare(self, chains: int, outcome: Outcome) -> None:
        calm = self.calm_run(chains)
        outcome.problems += [f"calm run: {problem}" for problem in calm.problems]
        outcome.found.problems.clear()
        outcome.found.differ("accounts", calm.chain_hashes, outcome.found.chain_hashes)
        outcome.problems += outcome.found.problems
        if calm.accounts_hash != outcome.found.accounts_hash:
            outcome.problems.append("the hash of the accounts is not that of the calm run")
