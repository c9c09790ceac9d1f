"""Keeps broker and services running: each a child, started anew when it ends, stopped in order."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from itertools import groupby
from pathlib import Path
from subprocess import Popen
from threading import Event, Lock, Thread
from types import TracebackType
from typing import Self

from casebus_deploy.embedded import child
from casebus_deploy.embedded.child import ChildSpec
from casebus_deploy.status_page.folder import last_lines
from casebus_schemas.errors import RetryLater, UsageError

FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 5.0
STOP_TIMEOUT_S = 20.0
_LINES_SEARCHED = 50
_LONGEST_REASON = 500


@dataclass(frozen=True, slots=True)
class ChildState:
    """How one service stands."""

    pid: int | None  # None: between two lives, or stopped
    running: bool
    restarts: int
    last_exit: int | None  # negative: the signal that ended it
    since: float  # time.time() of the last start, 0.0 before the first
    reason: str | None = None  # why it ended for good: it is not started again


class SupervisedChild:
    """One service and the thread that waits for its end. All methods may be called from any thread."""

    def __init__(
        self,
        spec: ChildSpec,
        changed: Callable[[], None],
        on_exit: Callable[[str, int], None],
        say: Callable[[str], None],
    ) -> None:
        self.spec = spec
        self._changed = changed
        self._on_exit = on_exit
        self._say = say
        self._lock = Lock()
        self._stopping = Event()
        self._process: Popen[bytes] | None = None
        self._keeper: Thread | None = None
        self._starts = 0
        self._last_exit: int | None = None
        self._since = 0.0
        self._reason: str | None = None

    @property
    def pid(self) -> int | None:
        """Its pid, None while it does not run."""
        process = self._process
        return process.pid if process is not None and process.returncode is None else None

    def state(self) -> ChildState:
        """How it stands now."""
        pid = self.pid
        restarts = max(0, self._starts - 1)
        return ChildState(pid, pid is not None, restarts, self._last_exit, self._since, self._reason)

    @property
    def is_kept(self) -> bool:
        """Whether somebody watches it, or need not: it was stopped, or it ended for good."""
        watched = self._keeper is not None and self._keeper.is_alive()
        return watched or self._stopping.is_set() or self._reason is not None or self._keeper is None

    def start(self) -> None:
        """Start it and keep it running. Idempotent. Raises OSError if no process can be made."""
        if self._keeper is not None and self._keeper.is_alive():
            return
        self._stopping.clear()
        self._reason = None
        process = self._spawn()
        self._keeper = Thread(target=self._keep, args=(process,), name=f"keep-{self.spec.name}", daemon=True)
        self._keeper.start()

    def signal(self, number: signal.Signals) -> int:
        """Send it a signal; return the pid that got it. Raises UsageError if it does not run."""
        pid = self.pid
        if pid is None:
            raise UsageError(f"{self.spec.name} does not run", found="no process", expected="a running one")
        os.kill(pid, number)
        return pid

    def stop(self, timeout_s: float = STOP_TIMEOUT_S) -> None:
        """End it for good: SIGTERM, after `timeout_s` signal 9. Blocking; idempotent."""
        self._stopping.set()
        with self._lock:
            process = self._process
        if process is not None:
            # A stopped process (SIGSTOP) would not hear SIGTERM.
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGCONT)
            child.stop(process, timeout_s=timeout_s)
        if self._keeper is not None:
            self._keeper.join(timeout_s)
        if self.spec.pid_file is not None:
            self.spec.pid_file.unlink(missing_ok=True)

    def _spawn(self) -> Popen[bytes]:
        with self._lock:
            process = self.spec.spawn()
            self._process = process
            self._starts += 1
            self._since = time.time()
        if self._stopping.is_set():  # stop() came between the decision to start and the start
            process.kill()
        self._changed()
        return process

    def _keep(self, process: Popen[bytes]) -> None:
        pause_s = FIRST_PAUSE_S
        while True:
            started = time.monotonic()
            code = self._last_exit = process.wait()
            final = code in self.spec.final_exits and not self._stopping.is_set()
            if final:
                self._reason = last_word(self.spec.log_file, code)
            self._changed()
            if self._stopping.is_set():
                return
            self._on_exit(self.spec.name, code)
            if final:
                return
            if time.monotonic() - started >= self.spec.lived_s:
                pause_s = FIRST_PAUSE_S
            while True:
                if self._stopping.wait(pause_s):
                    return
                pause_s = min(LONGEST_PAUSE_S, pause_s * 2)
                try:
                    process = self._spawn()
                    break
                except OSError as error:  # no memory, no process numbers, no disk: passes, or is said
                    self._say(f"{self.spec.name} cannot be started and is tried again: {error}")
                    continue


def last_word(log_file: Path, code: int) -> str:
    """Why a service says that it ended with this exit code: such a line of its log, else the last one."""
    said = f"exit code {code}: "
    lines = last_lines(log_file, _LINES_SEARCHED)
    found = next((line.partition(said)[2] for line in lines if said in line), None)
    return (found or next(iter(lines), "it says nothing"))[:_LONGEST_REASON]


class Supervisor:
    """All services of one stack.

    They start in the order given and stop in the opposite one. If this process dies, they are killed with it.
    """

    def __init__(
        self,
        children: Sequence[ChildSpec],
        *,
        state_file: Path | None = None,
        on_exit: Callable[[str, int], None] = lambda name, code: None,
        say: Callable[[str], None] = lambda line: None,
    ) -> None:
        """Starts nothing yet.

        `state_file` always tells other programs how the services stand: `{"services": {name: ChildState}}`.
        `on_exit(name, exit code)` is told of each unasked end, on a thread of the service; `say` gets a line
        for a person where the machine does not do what is needed: a full disk, no memory.
        """
        self._state_file = state_file
        self._state_lock = Lock()
        self._on_exit = on_exit
        self._told = say
        self._unwritten = False
        self._children: dict[str, SupervisedChild] = {}
        self._add(children)

    def __getitem__(self, name: str) -> SupervisedChild:
        return self._children[name]

    @property
    def pids(self) -> dict[str, int | None]:
        """The pid of each service, None while it does not run."""
        return {name: one.pid for name, one in self._children.items()}

    def states(self) -> dict[str, ChildState]:
        """How each service stands, in starting order."""
        return {name: one.state() for name, one in self._children.items()}

    def look(self) -> None:
        """Writes again what could not be written. Raises RetryLater if nobody watches a service any more."""
        if self._unwritten:
            self._write_state()
        if lost := [name for name, one in self._children.items() if not one.is_kept]:
            raise RetryLater(
                "nobody watches over services that should run",
                found=", ".join(lost),
                expected="each started again when it ends",
                remedy="start the whole again: casebus up",
            )

    def run(self, *specs: ChildSpec) -> None:
        """Start these too, behind those that run. If one cannot be started, all are stopped."""
        self._add(specs)
        self.start()

    def start(self) -> None:
        """Start all in order. If one cannot be started, those before it are stopped again. Idempotent."""
        try:
            for one in self._children.values():
                one.spec.log_file.parent.mkdir(parents=True, exist_ok=True)
                one.start()
        except BaseException:
            self.stop()
            raise

    def stop(self, timeout_s: float = STOP_TIMEOUT_S) -> None:
        """Stop all, the last started first, each within `timeout_s`. Blocking; idempotent.

        Those that stop with each other are told at the same time.
        """
        for _, some in groupby(reversed(self._children.values()), lambda one: one.spec.stops_with or one):
            together = list(some)
            with ThreadPoolExecutor(len(together), thread_name_prefix="stop") as threads:
                list(threads.map(lambda one: one.stop(timeout_s), together))

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _add(self, specs: Sequence[ChildSpec]) -> None:
        with self._state_lock:
            children = {
                one.name: SupervisedChild(one, self._write_state, self._on_exit, self._say) for one in specs
            }
            self._children = self._children | children

    def _write_state(self) -> None:
        if self._state_file is None:
            return
        with self._state_lock:
            states = {name: asdict(state) for name, state in self.states().items()}
            fresh = self._state_file.with_name(self._state_file.name + ".new")
            # A full disk must not end the thread that keeps a child alive.
            try:
                fresh.write_text(json.dumps({"services": states}), encoding="utf-8")
                fresh.replace(self._state_file)
            except OSError as error:
                if not self._unwritten:
                    self._say(f"how the services stand cannot be written and is tried again: {error}")
                self._unwritten = True
            else:
                self._unwritten = False

    def _say(self, line: str) -> None:
        with contextlib.suppress(OSError, ValueError):  # the terminal may be gone, or a file on the same disk
            self._told(line)


def last_line(file: Path) -> str:
    """Last line of a log that says something, for an error message."""
    try:
        lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return "no log"
    return next((line for line in reversed(lines) if line.strip()), "an empty log")[:500]
