"""The ledger service as a process of its own, under its own login, and a producer for its topics."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

from casebus_deploy.embedded.broker import EmbeddedBroker
from casebus_deploy.stack.logins import password_file
from casebus_producers.private_files import write_private
from casebus_schemas.fault_switch import TEST
from casebus_schemas.wire.records import Outgoing, Record
from casebus_services.streams.connection import Connection
from support.events.sealing import LOG_SEED, ORIGIN
from support.events.signed_events import seed_of

LONG_S = 120.0


def eventually(condition: Callable[[], bool], timeout_s: float = LONG_S) -> None:
    """Waits until the condition holds; fails after a generous time."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass in time"
        time.sleep(0.05)


def outgoing(record: Record) -> Outgoing:
    """A made-up record as something to produce."""
    return Outgoing(record.topic, record.partition, record.key, record.value, record.headers)


def login(broker: EmbeddedBroker, credentials: Path, principal: str) -> Connection:
    """A principal's connection to the broker."""
    return Connection(broker.bootstrap_servers, principal, password_file(credentials, principal))


class LedgerProcess:
    """Starts, kills and stops the service; restarts it after the kills that it was told to die of.

    `service` is the ledger or its sealer, whose checkpoints stand under `LOG_SEED`.
    """

    def __init__(
        self,
        broker: EmbeddedBroker,
        credentials: Path,
        url: str,
        folder: Path,
        service: str = "ledger",
        origin: str = ORIGIN,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.service = service
        self.kills_file = folder / "kills.jsonl"
        self.log_file = folder / f"{service}.log"
        self._folder = folder
        key_file = folder / f"{service}.signing-key"
        write_private(key_file, (LOG_SEED if service == "sealer" else seed_of(service)).hex())
        key_file.chmod(0o600)
        self._env = {
            **{name: os.environ[name] for name in ("PATH", "HOME", "LANG", TEST) if name in os.environ},
            "CASEBUS_BOOTSTRAP_SERVERS": broker.bootstrap_servers,
            "CASEBUS_SASL_USERNAME": service,
            "CASEBUS_SASL_PASSWORD_FILE": str(password_file(credentials, service)),
            "CASEBUS_LEDGER_ORIGIN": origin,
            "CASEBUS_LOG_KEY_FILE": str(key_file),
            "CASEBUS_SEAL_INTERVAL_S": "0.2",
            "CASEBUS_DATA_DIR": str(folder),
            "CASEBUS_LEDGER_URL": url,
            "CASEBUS_SIGNING_KEY_FILE": str(key_file),
            "CASEBUS_FAULT_LOG": str(self.kills_file),
        }
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def start(self, fault: str = "") -> None:
        """Starts it and waits for its first heartbeat, or its end."""
        beat = self._folder / "heartbeat.json"
        beat.unlink(missing_ok=True)
        env = {**self._env, **({"CASEBUS_FAULT": fault} if fault else {})}
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "casebus_deploy.cli.main", "run", self.service],
                env=env,
                stdout=log,
                stderr=log,
            )
        eventually(lambda: beat.exists() or self.ended() is not None)

    def ended(self) -> int | None:
        """The exit code once it has ended."""
        assert self._process is not None
        return self._process.poll()

    def wait_for_end(self, timeout_s: float) -> int | None:
        """The exit code if it ends within that time by itself, else None."""
        assert self._process is not None
        try:
            return self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return None

    def kill(self) -> None:
        """Ends it as a machine that loses its power does."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def stop(self) -> int:
        """Stops it as a supervisor does; gives the exit code."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(LONG_S)

    def kills(self) -> list[tuple[str, int]]:
        """The kills so far: point and records in flight."""
        if not self.kills_file.exists():
            return []
        lines = self.kills_file.read_text().splitlines()
        return [(line["point"], line["in_flight"]) for line in map(json.loads, lines)]

    def restart_until(self, condition: Callable[[], bool], fault: str) -> None:
        """Starts it again whenever it was killed, until the condition holds."""

        def reached() -> bool:
            if self.ended() is not None:
                assert self.ended() == -signal.SIGKILL, self.log_file.read_text()[-3000:]
                self.start(fault)
            return condition()

        eventually(reached)


def spread(records: Iterable[Record]) -> list[Outgoing]:
    """Made-up records as something to produce."""
    return [outgoing(record) for record in records]
