"""Where a test may hurt an agency's programs: kill them at a named point, take the publisher's watchdog away.

CASEBUS_FAULT is a comma-separated list as the services read it; here count `POINT=kill@N`, such as
`publisher.after-ack=kill@1` (SIGKILL at the N-th passing of the point), and `no-watchdog`.
CASEBUS_FAULT_LOG names a file to which a kill appends one JSON line: time, point, process id, work in flight.
Everything else is ignored.
"""

import json
import os
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from casebus_schemas.fault_switch import faults_asked_for, loud_line

AFTER_ACK = "publisher.after-ack"
"""Kafka has acknowledged, the outbox does not know it yet."""


@dataclass(slots=True)
class PublisherFaults:
    """What a test asks for; without it everything here is inert."""

    kill_at: Mapping[str, int] = field(default_factory=dict)
    watchdog: bool = True
    log: Path | None = None
    _passings: dict[str, int] = field(default_factory=dict)

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> "PublisherFaults":
        """Reads CASEBUS_FAULT and CASEBUS_FAULT_LOG. Raises UsageError for the first outside of a test."""
        asked = faults_asked_for(environ)
        if asked:
            os.write(2, loud_line(asked).encode())
        entries = [part.strip() for part in asked.split(",")]
        kills: dict[str, int] = {}
        for entry in entries:
            name, _, action = entry.partition("=")
            if action.startswith("kill@") and (at := action.removeprefix("kill@")).isdigit():
                kills[name] = int(at)
        log = environ.get("CASEBUS_FAULT_LOG")
        return cls(kills, "no-watchdog" not in entries, Path(log) if log else None)

    def point(self, name: str, in_flight: int) -> None:
        """Marks a point of the flow; `in_flight` is the work that a kill would hit."""
        at = self.kill_at.get(name)
        if at is None:
            return
        passing = self._passings[name] = self._passings.get(name, 0) + 1
        if passing != at:
            return
        line = json.dumps({"time": time.time(), "point": name, "pid": os.getpid(), "in_flight": in_flight})
        if self.log is not None:
            with self.log.open("a", encoding="utf-8") as file:
                file.write(line + "\n")
                file.flush()
                os.fsync(file.fileno())
        os.write(2, f"fault: kill {line}\n".encode())
        os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(60)  # the signal may take a moment: nothing after this point may run
