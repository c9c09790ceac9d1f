"""Named points where a test may kill, delay or fail a service, and switches that take a safeguard away.

Without the variable CASEBUS_FAULT everything here is inert: one look-up in an empty dictionary. With it the
import raises UsageError, unless CASEBUS_FAULT_IS_A_TEST=yes stands beside it.
CASEBUS_FAULT is a comma-separated list of

* `NAME=kill@N`    SIGKILL to this process at the N-th passing of the point NAME;
* `NAME=kill@NxM`  the same in every life of the service, M kills in all (needs CASEBUS_FAULT_LOG);
* `NAME=sleep:S`   sleep S seconds at every passing;
* `NAME=raise@N`   raise `RetryLater` at the N-th passing (`raise` alone: at every passing);
* `NAME`           the switch NAME, see `SWITCHES`.

Points (a test compares this list with the code):

* `<service>.before-handle`, `<service>.before-acknowledge`: around a service's work on its batches
* `router.before-output`, `router.after-output`: around the acknowledgement of its outputs by Kafka
* `ledger.before-commit`, `ledger.after-commit`, `ledger.after-publish` (receipts out, cursor not moved)
* `sealer.before-commit`, `sealer.after-commit` (high water not noted), `sealer.before-publish`,
  `sealer.after-publish`
* `reconciler.before-commit`, `reconciler.after-commit`, `reconciler.after-publish` (out, not marked sent)

CASEBUS_FAULT_LOG names a file to which each kill appends one JSON line before it happens: time, point,
process id, work in flight.
"""

import json
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from casebus_schemas.errors import RetryLater, UsageError
from casebus_schemas.fault_switch import faults_asked_for, loud_line

SWITCHES = frozenset(
    {
        "ack-before-output",  # acknowledge input before the outputs are acknowledged
        "ack-before-commit",  # acknowledge input before the database commit
        "no-sql-seek",  # start at Kafka's committed offsets instead of SQL's next offsets
        "no-watchdog",  # let a drain or a wedged producer hang without a bound
    }
)


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens at one point: `action` kill, sleep or raise, from the `at`-th passing."""

    action: str
    at: int | None = None
    most: int | None = None
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class FaultPlan:
    """Everything that CASEBUS_FAULT asks for."""

    faults: dict[str, Fault]
    switches: frozenset[str]
    log: Path | None = None


def read_plan(text: str, log: str | None = None) -> FaultPlan:
    """Parse the value of CASEBUS_FAULT.

    Raises UsageError if an entry is neither a switch nor `NAME=kill@N|sleep:S|raise[@N]`.
    """
    faults: dict[str, Fault] = {}
    switches: set[str] = set()
    for entry in filter(None, (part.strip() for part in text.split(","))):
        name, _, action = entry.partition("=")
        if not action:
            if name not in SWITCHES:
                raise UsageError("no such fault switch", found=name, expected=" | ".join(sorted(SWITCHES)))
            switches.add(name)
        else:
            faults[name] = _read_fault(entry, action)
    if log is None and any(fault.most is not None for fault in faults.values()):
        raise UsageError(
            "a bounded number of kills is counted in a file",
            found=text,
            remedy="set CASEBUS_FAULT_LOG to a writable path",
        )
    return FaultPlan(faults, frozenset(switches), Path(log) if log else None)


def _read_fault(entry: str, action: str) -> Fault:
    try:
        if action.startswith("kill@"):
            at, _, most = action.removeprefix("kill@").partition("x")
            return Fault("kill", at=int(at), most=int(most) if most else None)
        if action.startswith("sleep:"):
            return Fault("sleep", seconds=float(action.removeprefix("sleep:")))
        if action == "raise":
            return Fault("raise")
        if action.startswith("raise@"):
            return Fault("raise", at=int(action.removeprefix("raise@")))
    except ValueError as error:
        raise UsageError("a fault's number is not a number", found=entry) from error
    raise UsageError("no such fault", found=entry, expected="NAME=kill@N, NAME=sleep:S or NAME=raise[@N]")


def _of_environment() -> FaultPlan:
    asked = faults_asked_for(os.environ)
    if asked:
        os.write(2, loud_line(asked).encode())
    return read_plan(asked, os.environ.get("CASEBUS_FAULT_LOG"))


_plan = _of_environment()
_passings: dict[str, int] = {}


def fault_point(name: str, in_flight: int | Callable[[], int] = 0) -> None:
    """Mark a point of the flow; `in_flight` is the work (records) that would be hit here."""
    fault = _plan.faults.get(name)
    if fault is not None:
        _strike(name, fault, in_flight)


def is_off(switch: str) -> bool:
    """Whether the safeguard behind this switch of `SWITCHES` was taken away for a test."""
    return switch in _plan.switches


def _strike(name: str, fault: Fault, in_flight: int | Callable[[], int]) -> None:
    passing = _passings[name] = _passings.get(name, 0) + 1
    if fault.action == "sleep":
        time.sleep(fault.seconds)
    elif fault.at is not None and passing != fault.at:
        return
    elif fault.action == "raise":
        raise RetryLater("a fault was asked for here", found=name, remedy="unset CASEBUS_FAULT")
    elif fault.most is None or _kills_so_far(name) < fault.most:
        _log_kill(name, in_flight() if callable(in_flight) else in_flight)
        os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(60)  # the signal may take a moment: nothing after this point may run


def _kills_so_far(name: str) -> int:
    if _plan.log is None or not _plan.log.exists():
        return 0
    lines = _plan.log.read_text(encoding="utf-8").splitlines()
    return sum(json.loads(line)["point"] == name for line in lines)


def _log_kill(name: str, in_flight: int) -> None:
    line = json.dumps({"time": time.time(), "point": name, "pid": os.getpid(), "in_flight": in_flight})
    if _plan.log is not None:
        with _plan.log.open("a", encoding="utf-8") as file:
            file.write(line + "\n")
            file.flush()
            os.fsync(file.fileno())
    os.write(2, f"fault: kill {line}\n".encode())
