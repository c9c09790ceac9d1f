"""Child processes that never outlive their parent, even when it is killed with signal 9."""

from __future__ import annotations

import contextlib
import functools
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from threading import Thread

# Runs in the child before the program: ask Linux to signal us when the parent dies (prctl 1 =
# PR_SET_PDEATHSIG), leave if it died meanwhile, drop root if told to, become the program. A shim and not a
# preexec_fn: forking a process that has threads and then running Python in the copy can deadlock.
_SHIM = """
import ctypes, os, sys
parent, sig, uid, gid = (int(word) for word in sys.argv[1:5])
libc = ctypes.CDLL(None)
if uid >= 0:
    os.setgroups([]); os.setgid(gid); os.setuid(uid)
if sys.platform == "linux":
    libc.prctl(1, sig)  # after setuid, which would clear it
if os.getppid() != parent:
    sys.exit(75)
try:
    os.execvp(sys.argv[5], sys.argv[5:])
except OSError as error:
    sys.exit(f"cannot start {sys.argv[5]}: {error.strerror}")
"""

# A service needs some 1.5 s to its first commit: what ends sooner fails at starting, and is tried less and
# less often.
LIVED_S = 2.0


@dataclass(frozen=True, slots=True)
class ChildSpec:
    """What to run: a program, its whole environment, and the file to which its output is appended.

    A supervisor tries again at once what lived for `lived_s`, and never what ended with one of `final_exits`;
    `pid_file` always holds the pid while it runs. Those with the same `stops_with` are told to end together.
    """

    name: str
    argv: Sequence[str]
    env: Mapping[str, str]
    log_file: Path
    cwd: Path | None = None
    lived_s: float = LIVED_S
    pid_file: Path | None = None
    final_exits: frozenset[int] = frozenset()
    stops_with: str | None = None

    def spawn(self) -> subprocess.Popen[bytes]:
        """Start it once, as `spawn` does."""
        process = spawn(self.argv, env=self.env, cwd=self.cwd, log_file=self.log_file)
        if self.pid_file is not None:
            # On a full disk it runs all the same: an error here would leave a process that nobody knows.
            with contextlib.suppress(OSError):
                self.pid_file.write_text(str(process.pid), encoding="ascii")
        return process


def spawn(
    argv: Sequence[str],
    *,
    env: Mapping[str, str],
    log_file: Path,
    cwd: Path | None = None,
    death_signal: signal.Signals = signal.SIGKILL,
    user: tuple[int, int] | None = None,
) -> subprocess.Popen[bytes]:
    """Start a program whose output is appended to `log_file`; it gets `death_signal` when this process dies.

    The program leads its own session, so Ctrl-C reaches only the parent, which stops its children in order.
    `user` (uid, gid) drops root. Callable from any thread. Where the system has no such signal (macOS) only a
    clean end of the parent stops its children.
    """
    uid, gid = user or (-1, -1)
    shim = [
        sys.executable,
        "-I",
        "-S",
        "-c",
        _SHIM,
        str(os.getpid()),
        str(int(death_signal)),
        str(uid),
        str(gid),
    ]

    def start() -> subprocess.Popen[bytes]:
        with log_file.open("ab") as log:
            return subprocess.Popen(
                [*shim, *argv],
                env=dict(env),
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    return _spawner(os.getpid()).call(start)


_Start = Callable[[], "subprocess.Popen[bytes]"]


class _Spawner:
    """One thread that starts all children.

    Linux sends the signal when the starting *thread* ends, so it must stay.
    """

    def __init__(self) -> None:
        self._jobs: SimpleQueue[tuple[_Start, Future[subprocess.Popen[bytes]]]] = SimpleQueue()
        Thread(target=self._run, name="child-spawner", daemon=True).start()

    def call(self, start: _Start) -> subprocess.Popen[bytes]:
        future: Future[subprocess.Popen[bytes]] = Future()
        self._jobs.put((start, future))
        return future.result()

    def _run(self) -> None:
        while True:
            start, future = self._jobs.get()
            try:
                future.set_result(start())
            except Exception as error:  # noqa: BLE001  whoever waits for it gets it; the thread must stay
                future.set_exception(error)


@functools.cache
def _spawner(pid: int) -> _Spawner:
    """The spawner of this process; keyed by pid because threads do not survive a fork."""
    return _Spawner()


def stop(child: subprocess.Popen[bytes], *, timeout_s: float, how: signal.Signals = signal.SIGTERM) -> int:
    """Ask the child to end, kill it after `timeout_s`; return its exit code. Idempotent, blocking."""
    if child.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            child.send_signal(how)
        try:
            return child.wait(timeout_s)
        except subprocess.TimeoutExpired:
            child.kill()
    return child.wait()


def last_words(*log_files: Path, count: int = 5) -> str:
    """The last lines that a program wrote, in one line for an error message."""
    lines = [
        line
        for file in log_files
        if file.is_file()
        for line in file.read_text(encoding="utf-8", errors="replace").splitlines()[-count:]
    ]
    return " | ".join(lines) or "no output"
