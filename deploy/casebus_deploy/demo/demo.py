"""The demo: a whole bus in a temporary folder plays the public cases and proves what came of them."""

import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from casebus_consumers.panels import Screen
from casebus_deploy.embedded.ports import listening
from casebus_deploy.stack.operations import Operator
from casebus_deploy.stack.stack import Stack, StackOptions
from casebus_schemas.agencies import MEMBERS
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.errors import RetryLater

from . import checks as checks
from .damage import Break, break_ledger, ledger_file, swap_notices
from .evidence import Evidence, wait_for
from .final_head import FinalCheckpoint, final_checkpoint
from .play import Player, Spoken
from .players import Desks
from .report import Check, Latency, Report
from .scenario import load_all
from .screen import DemoScreen
from .script import Script

END = datetime(2022, 12, 1, tzinfo=UTC)
"""After the last step of the public cases: by then time has decided whatever it decides."""

PAUSE_S = 1.2
"""Rest between two steps at speed 1, for a person to read."""


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """What `casebus demo` can be told. `speed` None plays without a rest."""

    once: bool = False
    speed: float | None = 1.0
    damage: tuple[Break, ...] = ()

    @property
    def pause_s(self) -> float:
        """Rest between steps."""
        return 0.0 if self.speed is None else PAUSE_S / self.speed


def run_demo(options: DemoOptions, console: Screen) -> Report:
    """Plays all scenarios and examines what came of them; without `once` stays up until interrupted.

    Leaves no process, port or file, however it ends. Raises BusError if the bus does not come up or answer.
    """
    begun = time.monotonic()
    catalog = Catalog.load()
    script = Script(load_all(), catalog)
    screen = DemoScreen(console, script, catalog)
    folder = Path(tempfile.mkdtemp(prefix="casebus-demo-"))
    stack = Stack(
        StackOptions(data=folder, simulated_clock=True, doors=not options.once, desks=not options.once),
        say=screen.say,
    )
    traces = _Traces(stack, set(), set())
    try:
        screen.opening()
        with stack:
            traces.note()
            screen.desks(stack.desks())
            report = _run(options, script, screen, stack)
            if not options.once:
                report.seconds = time.monotonic() - begun
                screen.summary(report)
                screen.desks(stack.desks())
                screen.next_steps(stack.connection_file, stack.connection.web_url)
                with suppress(KeyboardInterrupt):
                    signal.pause()
            traces.note()
        shutil.rmtree(folder)
        report.checks.append(traces.left_behind())
        if not options.once:
            screen.verdict(report.checks[-1])
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    report.seconds = time.monotonic() - begun
    if options.once:
        screen.summary(report)
    return report


def _run(options: DemoOptions, script: Script, screen: DemoScreen, stack: Stack) -> Report:
    connection = stack.connection
    with (
        Desks(connection, MEMBERS, Catalog.load()) as desks,
        Evidence(connection) as evidence,
        closing(Operator(connection)) as operator,
    ):

        def settle(group: Sequence[Spoken]) -> None:
            evidence.wait_reconciled([one.queued.digest for one in group if one.admitted])
            _await_words(player, evidence)

        def pass_time(at: datetime) -> None:
            evidence.wait_passed(at)
            _await_words(player, evidence)

        def set_clock(at: datetime) -> None:
            operator.set_clock(at, rate=0.0)

        player = Player(script, desks, screen, set_clock, settle, pass_time, options.pause_s)
        player.play()
        set_clock(END)
        pass_time(END)
        player.wait_until_ledgered()
        evidence.wait_ledgered()
        final = final_checkpoint(connection, evidence.size()[0])
        for what in options.damage:
            screen.say(f"破坏 damage: {_damage(what, player, stack)}")
        return _examine(script, player, evidence, stack.data / "rebuilt.db", final)


def _await_words(player: Player, evidence: Evidence) -> None:
    """Until what the bus has said of obligations and findings is in the inboxes, or it is late."""

    def heard() -> bool:
        player.drain()
        return evidence.words() <= {str(notice.record.headers.id) for notice in player.of_bus}

    try:
        wait_for(heard, "obligations and findings in the inboxes", wait_s=20)
    except RetryLater:
        return  # the check by that name says what is missing


def _damage(what: Break, player: Player, stack: Stack) -> str:
    if what is not Break.SWAP_NOTICE:
        return break_ledger(what, ledger_file(stack.connection))
    before = len(player.forged)
    said = swap_notices([notice for one in player.spoken for notice in one.notices], stack.connection)

    def arrived() -> bool:
        player.drain()
        return len(player.forged) >= before + 2

    wait_for(arrived, "the exchanged notices in the inbox")
    return said


def _examine(
    script: Script, player: Player, evidence: Evidence, scratch: Path, final: FinalCheckpoint
) -> Report:
    spoken = player.spoken
    obligations, findings = evidence.obligations(END), evidence.findings()
    entries, logs = evidence.size()
    return Report(
        checks=[
            checks.steps_played(script, spoken),
            checks.admitted(spoken),
            checks.admitted_in_time(spoken),
            checks.notices(script, player),
            checks.sealed(spoken, evidence.in_the_clear),
            checks.ledgered(spoken),
            checks.clocks(script, obligations),
            *checks.findings(script, findings),
            checks.announced(player.of_bus, obligations, findings),
            evidence.verified(),
            evidence.verified_against_kafka(),
            evidence.ledger_rebuilt(scratch),
            evidence.accounts_rebuilt(),
            final.check,
        ],
        final=final.note,
        events=len(spoken),
        notices=sum(len(one.notices) for one in spoken) + len(player.of_bus),
        refused=sum(1 for one in spoken if one.refused),
        entries=entries,
        logs=logs,
        obligations=len(obligations),
        findings=sorted(finding["rule"] for finding in findings if finding["state"] != "closed"),
        inbox=Latency.of([wait for one in spoken for wait in one.waits_ms()]),
        ledger=Latency.of(list(_ledger_waits(spoken, evidence))),
    )


def _ledger_waits(spoken: Sequence[Spoken], evidence: Evidence) -> Iterator[float]:
    for one in spoken:
        if one.ledgered is not None:
            committed = evidence.committed_at_ms(one.ledgered["log"], one.ledgered["index"])
            yield committed - one.queued_at_ms


@dataclass(slots=True)
class _Traces:
    """What of a stack could be left: its processes, its ports, its folder."""

    stack: Stack
    pids: set[int]
    ports: set[int]

    def note(self) -> None:
        """Remembers what runs now."""
        if self.stack.supervisor is not None:
            states = self.stack.supervisor.states().values()
            self.pids |= {state.pid for state in states if state.pid is not None}
        if self.stack.broker is not None:
            ports = self.stack.broker.ports
            self.ports |= {ports.client, ports.internal, ports.controller}
        if self.stack.web_port:
            self.ports.add(self.stack.web_port)

    def left_behind(self) -> Check:
        """Nothing of it is there any more."""
        problems = [f"process {pid} still runs" for pid in sorted(self.pids) if _runs(pid)]
        problems += [f"port {port} still listens" for port in sorted(self.ports) if listening(port)]
        if self.stack.data.exists():
            problems.append(f"{self.stack.data} is still there")
        fine = f"{len(self.pids)} processes, {len(self.ports)} ports and the folder are gone"
        return Check.of("nothing-left", problems, fine)


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
