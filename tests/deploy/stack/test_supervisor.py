"""The supervisor: services come back, stop in order, and never outlive their parent."""

import errno
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from casebus_deploy.embedded.child import ChildSpec
from casebus_deploy.stack.supervisor import Supervisor
from casebus_schemas.errors import RetryLater

_LIVES = "import time; print('up', flush=True); time.sleep(600)"
_DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + _LIVES


def service(folder: Path, code: str, name: str = "one") -> ChildSpec:
    """A service that runs this code; it logs to `<name>.log`."""
    return ChildSpec(name, (sys.executable, "-c", code, name), dict(os.environ), folder / f"{name}.log")


def until(condition: Callable[[], bool], timeout_s: float = 60.0) -> None:
    """Wait for a condition, at most `timeout_s`."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.02)


def test_a_killed_service_is_back_within_five_seconds(tmp_path: Path) -> None:
    """After signal 9 the same service runs as another process in less than five seconds, each time."""
    ended: list[tuple[str, int]] = []
    with Supervisor(
        [service(tmp_path, _LIVES)], on_exit=lambda name, code: ended.append((name, code))
    ) as supervisor:
        for kills in range(1, 4):
            old = supervisor["one"].signal(signal.SIGKILL)
            until(lambda old=old: supervisor["one"].pid not in (None, old), 5.0)  # type: ignore[misc]
            assert supervisor.states()["one"].restarts == kills
    assert ended == [("one", -signal.SIGKILL)] * 3
    assert supervisor.pids == {"one": None}


def test_other_programs_can_read_how_services_stand(tmp_path: Path) -> None:
    """The state file names the pid of each service and how often it was restarted."""
    file = tmp_path / "state.json"

    def written() -> Any:
        return json.loads(file.read_text())["services"]["one"]

    with Supervisor([service(tmp_path, _LIVES)], state_file=file) as supervisor:
        assert written()["pid"] == supervisor.pids["one"]
        supervisor["one"].signal(signal.SIGKILL)
        until(lambda: bool(written()["restarts"] == 1 and written()["running"]))
        assert written()["last_exit"] == -signal.SIGKILL
    assert (written()["pid"], written()["running"]) == (None, False)


def test_what_a_service_prints_is_in_its_log(tmp_path: Path) -> None:
    """Output of all lives of a service is in one file of its name."""
    with Supervisor([service(tmp_path, _LIVES)]) as supervisor:
        until(lambda: (tmp_path / "one.log").read_text() == "up\n")
        supervisor["one"].signal(signal.SIGKILL)
        until(lambda: (tmp_path / "one.log").read_text() == "up\nup\n")


def test_a_service_that_cannot_start_is_tried_less_often(tmp_path: Path) -> None:
    """A program that ends at once is started again, with growing pauses instead of a busy loop."""
    with Supervisor([service(tmp_path, "raise SystemExit(3)")]) as supervisor:
        until(lambda: supervisor.states()["one"].restarts >= 2)
        assert supervisor.states()["one"].last_exit == 3
        time.sleep(1.0)
        assert supervisor.states()["one"].restarts <= 5


def test_d2_what_ends_for_good_is_not_started_again(tmp_path: Path) -> None:
    """An exit code that asks for a person is the end, and the state file says with which words."""
    state = tmp_path / "state.json"
    said = "ledger ends with exit code 70: another record than before"
    code = f"print('before'); print({said!r}); print('a later line'); raise SystemExit(70)"
    ended: list[tuple[str, int]] = []
    final = replace(service(tmp_path, code), final_exits=frozenset({70}))
    other = service(tmp_path, "raise SystemExit(70)", "other")
    with Supervisor(
        [final, other], state_file=state, on_exit=lambda name, code: ended.append((name, code))
    ) as supervisor:
        until(lambda: supervisor.states()["other"].restarts >= 2)
        stands = json.loads(state.read_text())["services"]
        assert (stands["one"]["running"], stands["one"]["restarts"]) == (False, 0)
        assert stands["one"]["reason"] == "another record than before"
        assert stands["other"]["reason"] is None
        assert ended.count(("one", 70)) == 1


def test_d3_a_full_disk_ends_no_watching(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While nothing can be written a killed service comes back all the same, and that is said."""
    state, told = tmp_path / "state.json", list[str]()
    write, full = Path.write_text, [True]

    def no_room(self: Path, *arguments: Any, **more: Any) -> int:
        if full[0] and self.parent == tmp_path:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(self, *arguments, **more)

    monkeypatch.setattr(Path, "write_text", no_room)
    spec = replace(service(tmp_path, _LIVES), pid_file=tmp_path / "one.pid")
    with Supervisor([spec], state_file=state, say=told.append) as supervisor:
        supervisor["one"].signal(signal.SIGKILL)
        until(lambda: supervisor.states()["one"].restarts == 1 and supervisor["one"].pid is not None)
        assert not state.exists()
        assert len(told) == 1
        assert "No space left" in told[0]
        full[0] = False
        supervisor.look()
        assert json.loads(state.read_text())["services"]["one"]["restarts"] == 1


def test_d3_a_process_that_cannot_be_made_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a service's log cannot be opened it is tried again and said, until it runs."""
    told, spawn, fails = list[str](), ChildSpec.spawn, [0, 1, 1]

    def failing(self: ChildSpec) -> Any:
        if fails and fails.pop(0):
            raise OSError(errno.ENOSPC, "No space left on device")
        return spawn(self)

    monkeypatch.setattr(ChildSpec, "spawn", failing)
    with Supervisor([service(tmp_path, _LIVES)], say=told.append) as supervisor:
        supervisor["one"].signal(signal.SIGKILL)
        until(lambda: supervisor.states()["one"].restarts == 1 and supervisor["one"].pid is not None)
        assert [line.partition(" is tried")[0] for line in told] == ["one cannot be started and"] * 2


def test_e11_what_nobody_watches_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the watching of a service itself ends, whoever runs the whole hears of it and can end."""

    def broken(self: ChildSpec) -> Any:
        raise MemoryError

    with Supervisor([service(tmp_path, _LIVES)]) as supervisor:
        supervisor.look()
        monkeypatch.setattr(ChildSpec, "spawn", broken)
        monkeypatch.setattr(threading, "excepthook", lambda _args: None)
        supervisor["one"].signal(signal.SIGKILL)
        until(lambda: not supervisor["one"].is_kept)
        with pytest.raises(RetryLater, match="nobody watches"):
            supervisor.look()


@pytest.mark.parametrize("code", [_LIVES, _DEAF], ids=["listens", "deaf"])
def test_stopping_is_bounded_and_final(tmp_path: Path, code: str) -> None:
    """A service that ignores SIGTERM is killed after the time-out, and no stopped service comes back."""
    supervisor = Supervisor([service(tmp_path, code)])
    supervisor.start()
    until(lambda: "up" in (tmp_path / "one.log").read_text())
    pid = supervisor.pids["one"]
    assert pid is not None
    started = time.monotonic()
    supervisor.stop(timeout_s=1.0)
    assert time.monotonic() - started < 15
    time.sleep(0.5)
    assert not psutil.pid_exists(pid)
    assert supervisor.pids == {"one": None}


def test_a_frozen_service_can_be_stopped(tmp_path: Path) -> None:
    """A service under SIGSTOP still obeys a stop."""
    supervisor = Supervisor([service(tmp_path, _LIVES)])
    supervisor.start()
    supervisor["one"].signal(signal.SIGSTOP)
    supervisor.stop(timeout_s=10.0)
    assert supervisor.pids == {"one": None}


def test_stop_goes_backwards(tmp_path: Path) -> None:
    """Services are stopped in the opposite of their starting order."""
    code = (
        "import pathlib, signal, sys, time\n"
        "def end(*_):\n"
        f"    with open({str(tmp_path / 'order')!r}, 'a') as f: f.write(sys.argv[1])\n"
        "    sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, end)\n"
        "print('up', flush=True)\n"
        "time.sleep(600)\n"
    )
    with Supervisor([service(tmp_path, code, name) for name in "abc"]):
        for name in "abc":
            until(lambda name=name: "up" in (tmp_path / f"{name}.log").read_text())  # type: ignore[misc]
    assert (tmp_path / "order").read_text() == "cba"


_PARENT = """
import os, sys, time
from pathlib import Path
from threading import Thread
from casebus_deploy.embedded.child import ChildSpec
from casebus_deploy.stack.supervisor import Supervisor
argv = (sys.executable, "-c", "import time; time.sleep(600)")
supervisor = Supervisor([ChildSpec("one", argv, dict(os.environ), Path(sys.argv[1]) / "one.log")])
starter = Thread(target=supervisor.start)
starter.start()
starter.join()
print(supervisor.pids["one"], flush=True)
time.sleep(600)
"""


def test_services_die_with_their_supervisor(tmp_path: Path) -> None:
    """Services outlive the thread that started them, but not the supervisor killed with signal 9."""
    parent = subprocess.Popen([sys.executable, "-c", _PARENT, str(tmp_path)], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    process = psutil.Process(int(parent.stdout.readline()))
    time.sleep(0.5)
    assert process.is_running()
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    until(lambda: not process.is_running())


def test_those_that_stop_together_are_told_at_once(tmp_path: Path) -> None:
    """Of nodes that wait for each other at their end, none is asked only after another has ended."""
    waits = (
        "import pathlib, signal, sys, time\n"
        "def end(*_):\n"
        "    pathlib.Path(sys.argv[1] + '.told').touch()\n"
        "    while len(list(pathlib.Path('.').glob('*.told'))) < 2: time.sleep(0.01)\n"
        "    sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, end)\n"
        "pathlib.Path(sys.argv[1] + '.up').touch()\n"
        "time.sleep(600)\n"
    )
    nodes = [replace(service(tmp_path, waits, name), cwd=tmp_path, stops_with="nodes") for name in ("a", "b")]
    supervisor = Supervisor(nodes)
    supervisor.start()
    until(lambda: len(list(tmp_path.glob("*.up"))) == 2)
    supervisor.stop()
    assert [state.last_exit for state in supervisor.states().values()] == [0, 0]
