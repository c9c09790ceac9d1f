"""Runs `row_worker` as a process that a test may kill, and reads what it wrote."""

import itertools
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from casebus_deploy.embedded.broker import EmbeddedBroker
from casebus_schemas.wire.records import Headers, Outgoing
from casebus_services.streams.connection import Connection
from casebus_services.streams.sink import KafkaSink

PARTITIONS = 4
_numbers = itertools.count(1)


def eventually(condition: Callable[[], Any], timeout_s: float = 60.0, poll_s: float = 0.05) -> Any:
    """The first true value of `condition`; AssertionError after `timeout_s`."""
    deadline = time.monotonic() + timeout_s
    while not (value := condition()):
        assert time.monotonic() < deadline, f"not true within {timeout_s:g} s"
        time.sleep(poll_s)
    return value


def new_topics(admin: Any, count: int, partitions: int = PARTITIONS) -> list[str]:
    """So many topics that no other test uses."""
    from kafka.admin import NewTopic

    names = [f"rows-{os.getpid()}-{next(_numbers)}" for _ in range(count)]
    admin.create_topics([NewTopic(name, partitions, 1) for name in names])
    return names


def connection(broker: EmbeddedBroker, data_dir: Path | None = None) -> Connection:
    """The broker's super user."""
    return Connection(
        broker.bootstrap_servers,
        broker.admin_username,
        broker.admin_password_file,
        data_dir=data_dir or Path(),
    )


def numbered(topics: Sequence[str], start: int, count: int, headers: Headers = ()) -> list[Outgoing]:
    """Records whose values count up, spread over topics and partitions."""
    places = [(topic, partition) for topic in topics for partition in range(PARTITIONS)]
    return [
        Outgoing(*places[number % len(places)], b"key", b"%08d" % number, headers)
        for number in range(start, start + count)
    ]


class Flow:
    """Produces `per_s` numbered records a second in the background until `stop`."""

    def __init__(self, broker: EmbeddedBroker, topics: Sequence[str], per_s: int) -> None:
        self._sink = KafkaSink(connection(broker), "flow", timeout_s=120)
        self._topics = topics
        self._every_s = 10 / per_s
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.acknowledged = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> int:
        """End the flow; gives the number of records that the broker acknowledged."""
        self._stopping.set()
        self._thread.join(150)
        return self.acknowledged

    def _run(self) -> None:
        while not self._stopping.wait(self._every_s):
            self._sink.send_all(numbered(self._topics, self.acknowledged, 10))
            self.acknowledged += 10
        self._sink.close()


class RowService:
    """One row worker with its database."""

    def __init__(
        self,
        broker: EmbeddedBroker,
        folder: Path,
        topics: Sequence[str],
        login: tuple[str, Path] | None = None,
    ) -> None:
        """`login` is a user and password file other than the super user's."""
        user, password_file = login or (broker.admin_username, broker.admin_password_file)
        folder.mkdir(parents=True, exist_ok=True)
        self.database = folder / "rows.db"
        self.log_file = folder / "worker.log"
        self.fault_log = folder / "faults.log"
        self.group = topics[0] + "-group"
        self._command = [
            sys.executable,
            str(Path(__file__).with_name("row_worker.py")),
            broker.bootstrap_servers,
            user,
            str(password_file),
            str(folder),
            self.group,
            *topics,
        ]
        self._process: subprocess.Popen[bytes] | None = None
        self.exit_codes: list[int] = []

    def start(self, fault: str = "", env: Mapping[str, str] | None = None) -> None:
        """Start the process, with CASEBUS_FAULT set to `fault`, instead of one that may still run."""
        self.stop()
        surroundings = {
            **os.environ,
            **(env or {}),
            "CASEBUS_FAULT": fault,
            "CASEBUS_FAULT_LOG": str(self.fault_log),
        }
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(self._command, env=surroundings, stdout=log, stderr=log)

    @property
    def pid(self) -> int:
        """Process id of the running worker."""
        assert self._process is not None
        return self._process.pid

    def ended(self) -> bool:
        """Whether the process has ended; its exit code is then in `exit_codes`."""
        if self._process is None:
            return True
        code = self._process.poll()
        if code is None:
            return False
        self.exit_codes.append(code)
        self._process = None
        return True

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process, if it runs."""
        if self._process is not None:
            self._process.send_signal(number)

    def wait(self, timeout_s: float = 60.0) -> int:
        """Wait for the end; gives the exit code."""
        eventually(self.ended, timeout_s)
        return self.exit_codes[-1]

    def stop(self) -> None:
        """Kill what still runs."""
        if not self.ended():
            self.signal(signal.SIGKILL)
            self.wait()

    def supervise(
        self, until: Callable[[], bool], fault: str = "", env: Mapping[str, str] | None = None
    ) -> None:
        """Restart the process whenever it ends, until the condition holds."""

        def done() -> bool:
            if self.ended():
                self.start(fault, env)
            return until()

        eventually(done, 180)

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of a query on the worker's database, none while it has no tables."""
        if not self.database.exists():
            return []
        db = sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=10)
        try:
            return db.execute(sql).fetchall()
        except sqlite3.OperationalError:
            return []
        finally:
            db.close()

    def values(self) -> list[int]:
        """The numbers in all rows, sorted, with repeats."""
        return [int(value) for (value,) in self.query("SELECT value FROM row ORDER BY value")]

    def count(self) -> int:
        """Number of rows."""
        rows = self.query("SELECT count(*) FROM row")
        return int(rows[0][0]) if rows else 0

    def reached(self, rows: int) -> bool:
        """Whether there are at least so many rows."""
        return self.count() >= rows

    def events(self) -> list[str]:
        """What the worker noted: assigned N, revoked N, tick N."""
        return [event for (event,) in self.query("SELECT event FROM life ORDER BY rowid")]
