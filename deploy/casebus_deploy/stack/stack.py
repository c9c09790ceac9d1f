"""The whole bus on one machine: broker, topics, keys, databases, services, page, in order."""

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property, partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from casebus_deploy.embedded.broker import NAME as BROKER
from casebus_deploy.embedded.broker import is_node
from casebus_deploy.embedded.child import ChildSpec
from casebus_deploy.embedded.ports import free_ports, listening
from casebus_schemas.agencies import MEMBERS
from casebus_schemas.catalogue.services import agency_programs, servers, services
from casebus_schemas.catalogue.topology import SERVICES
from casebus_schemas.connection import Connection
from casebus_schemas.errors import RetryLater, UsageError
from casebus_services.exit_codes import EXIT_EVIDENCE

from . import keys
from .child_env import base_env
from .desks import DESK, Addresses
from .doors import DOOR
from .enrolment import enrolled, operators_own
from .founding import genesis_file, genesis_of
from .kafka_start import MOST_STARTS, EmbeddedKafka, start_kafka
from .log_files import VARIABLE as LOG_FILE
from .log_files import move_long
from .logins import password_file
from .metrics_targets import MetricsTargets
from .options import StackOptions as StackOptions
from .principals import stack_principals
from .registry_filling import fill_registry
from .supervisor import Supervisor, last_line
from .topics_admin import apply_to_cluster
from .witnesses import make_witnesses

DEFAULT_ORIGIN = "casebus.internal/ledger"
READY_TIMEOUT_S = 120.0
REGISTRY_TIMEOUT_S = 10.0

Say = Callable[[str], None]


class Stack:
    """Runs a bus in a folder. `start` returns when all is ready; `stop` leaves nothing behind but data.

    One Stack for each folder at a time. `say` gets one line for each step, for a person to see.
    """

    def __init__(self, options: StackOptions, say: Say = lambda _line: None) -> None:
        if options.workers > 1 and options.database_url is None:
            raise UsageError(
                "several workers need PostgreSQL",
                found=f"{options.workers} workers on SQLite",
                expected="--database-url, or one worker",
            )
        self.options = options
        self.data = options.data.absolute()
        self.secrets = self.data / "secrets"
        self.connection_file = self.data / "connection.json"
        self.policy_file = self.data / "policy"
        self.broker: EmbeddedKafka | None = None
        self.supervisor: Supervisor | None = None
        self.web_port = 0
        self.registry_port = 0
        self.agencies: tuple[str, ...] = ()
        """Agencies whose keys are made and kept here."""
        self._addresses = Addresses()
        self._metrics = MetricsTargets(lambda count: free_ports(count))
        self._say = say

    # --- life --------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start everything. Raises BusError (and leaves nothing running) if any part does not come up."""
        self.data.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.data.chmod(0o700)
        self.agencies = operators_own(self.data, self.secrets, agencies=self.options.agencies)
        self.supervisor = Supervisor([], state_file=self.data / "state.json", say=self._say)
        try:
            with self._step("Kafka"):
                self._start_broker()
            with self._step("主题与权限 topics, access rules, logins"):
                missing = set(MEMBERS) - {*self.agencies, *enrolled(self.data)}
                apply_to_cluster(self._admin_settings(), self.options.partitions, self.secrets, missing)
            with self._step("密钥 signing keys"):
                keys.make_secrets(self.secrets, self.agencies)
                vkey = keys.log_vkey(self.secrets, self.origin)
                witnesses = make_witnesses(self.data, vkey) if self._witnesses else {}
                self._write_connection()
                begins = partial(genesis_of, self.data, self.origin, self.agencies, witnesses)
                keys.announce(self.connection, begins)
            if self.options.services:
                with self._step("服务 services"):
                    self._start_services()
            self._fill_registry()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop all in order: services first, then the broker. Idempotent, bounded."""
        if self.supervisor is not None:
            self.supervisor.stop()
            self.supervisor = None
        self.broker = None
        (self.data / "state.json").unlink(missing_ok=True)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    # --- what others need to know ------------------------------------------------------------------------

    @property
    def bootstrap_servers(self) -> str:
        """The client listener."""
        if self.broker is not None:
            return self.broker.bootstrap_servers
        return self.options.bootstrap_servers or ""

    @property
    def channel(self) -> tuple[str, Path | None]:
        """The security protocol of that listener, and its authority."""
        if self.broker is not None:
            return self.broker.security_protocol, self.broker.ca_file
        authority = self.options.ca_file
        return "SASL_SSL" if self.options.tls or authority is not None else "SASL_PLAINTEXT", authority

    @property
    def connection(self) -> Connection:
        """Addresses and credential files, as in connection.json."""
        principals = stack_principals(self.data, self.secrets, self.agencies, witnesses=self._witnesses)
        page = f"http://127.0.0.1:{self.web_port}/" if self.web_port else None
        return Connection(
            bootstrap_servers=self.bootstrap_servers,
            security_protocol=self.channel[0],
            ca_file=self.channel[1],
            partitions=self.options.partitions,
            principals=self._addresses.added(principals, self.secrets),
            databases={"ledger": self.database_url("ledger"), "accounts": self.database_url("accounts")},
            policy_file=self.policy_file,
            genesis_file=genesis_file(self.data),
            registry_url=self.registry_url,
            web_url=page,
            simulated_clock=self.options.simulated_clock,
            ledger_origin=self.origin,
            ledger_vkey=keys.log_vkey(self.secrets, self.origin),
            ledger_key_file=keys.log_key_file(self.secrets),
            ledger_receipt_key_file=keys.receipt_key_file(self.secrets),
        )

    @cached_property
    def origin(self) -> str:
        """The ledger's name for outsiders: as told, else as it was, else that of a bus of one's own."""
        if self.options.origin is not None:
            return self.options.origin
        try:
            kept = json.loads(self.connection_file.read_text(encoding="utf-8"))["ledger"]["origin"]
        except (OSError, ValueError, KeyError, TypeError):
            kept = None
        return kept if isinstance(kept, str) else DEFAULT_ORIGIN

    @property
    def registry_url(self) -> str | None:
        """The schema registry for clients; None if there is none."""
        external = self.options.registry_url
        if external is not None:
            # The user and password in it may write; clients only read.
            address = urlsplit(external)
            return address._replace(netloc=address.netloc.rpartition("@")[2]).geturl()
        return f"http://127.0.0.1:{self.registry_port}" if self.registry_port else None

    def desks(self) -> dict[str, tuple[str, dict[str, str]]]:
        """Where desks answer, with their officers' passwords, by agency."""
        return self._addresses.with_officers(self.secrets)

    def database_url(self, name: str) -> str:
        """SQLAlchemy address of the ledger's or the accounts' database."""
        return self.options.database_url or f"sqlite:///{self.data / name}.db"

    def look(self) -> None:
        """To be called now and then while it runs. Raises RetryLater if it no longer keeps what it should."""
        if self.supervisor is not None:
            self.supervisor.look()
            for name in self.supervisor.states():
                if LOG_FILE in self.supervisor[name].spec.env:
                    move_long(self._log(name))

    def ended(self) -> dict[str, str]:
        """Services that ended for good because evidence is at risk, and why. The others go on."""
        states = self.supervisor.states() if self.supervisor else {}
        return {name: state.reason for name, state in states.items() if state.reason is not None}

    def rows(self) -> list[tuple[str, str, str]]:
        """What runs, for a table: name, address or pid, where its words go."""
        found = [(BROKER, self.bootstrap_servers, str(self.data / "broker" / "log"))]
        for name, state in (self.supervisor.states() if self.supervisor else {}).items():
            if is_node(name):
                continue
            found.append((name, f"pid {state.pid}", str(self.data / "logs" / f"{name}.log")))
        found.extend((f"{name} db", self.database_url(name), "") for name in ("ledger", "accounts"))
        if self.web_port:
            found.append(("status page", f"http://127.0.0.1:{self.web_port}/", ""))
        found.extend(self._addresses.rows())
        if self.registry_url:
            found.append(("registry", self.registry_url, ""))
        found.extend(self._metrics.rows())
        return found

    # --- within ------------------------------------------------------------------------------------------

    @contextmanager
    def _step(self, what: str) -> Iterator[None]:
        begun = time.monotonic()
        yield
        self._say(f"{what}: {time.monotonic() - begun:.1f} s")

    def _ports(self, first: int, count: int) -> list[int]:
        if self.options.port_base is None:
            return list(free_ports(count))
        return [self.options.port_base + first + number for number in range(count)]

    def _start_broker(self) -> None:
        if self.options.bootstrap_servers is not None:
            if self.options.admin is None:
                raise UsageError(
                    "a cluster of your own needs its administrator",
                    expected="CASEBUS_ADMIN_USERNAME and CASEBUS_ADMIN_PASSWORD_FILE",
                )
            return
        assert self.supervisor is not None
        self.broker = start_kafka(self.data / "broker", self.options, self.supervisor, self._ports, self._say)

    def _admin_settings(self) -> dict[str, Any]:
        if self.broker is not None:
            return self.broker.admin_settings()
        assert self.options.admin is not None
        username, file = self.options.admin
        return {
            "bootstrap_servers": self.bootstrap_servers,
            "security_protocol": self.channel[0],
            "ssl_cafile": None if self.channel[1] is None else str(self.channel[1]),
            "sasl_mechanism": "SCRAM-SHA-512",
            "sasl_plain_username": username,
            "sasl_plain_password": file.read_text().strip(),
        }

    def _write_connection(self) -> None:
        if self.options.page and not self.web_port:
            self.web_port = self._ports(3, 1)[0]
        if self._serves_registry and not self.registry_port:
            self.registry_port = self._ports(4, 1)[0]
        if self._runs_doors:
            principals, desks = self.connection.principals, self.options.desks
            self._addresses.make(self.secrets, principals, partial(self._ports, 5), desks=desks)
        if self.options.page and self.options.desks and not self._addresses.operators:
            self._addresses.make_operators(self.data, self.secrets, self._ports(17, 1)[0])
        fresh = self.connection_file.with_name("connection.json.new")
        fresh.write_text(json.dumps(self.connection.to_json(), indent=1, ensure_ascii=False) + "\n")
        fresh.replace(self.connection_file)

    def _start_services(self) -> None:
        (self.data / "logs").mkdir(exist_ok=True)
        assert self.supervisor is not None
        self.supervisor.run(*self._children())
        if self.options.metrics:
            self._metrics.write(self.data)
        self._wait_until_ready()

    def _children(self) -> list[ChildSpec]:
        children = []
        for service in SERVICES:
            workers = 1 if services()[service].once else self.options.workers
            for worker in range(1, workers + 1):
                name = service if workers == 1 else f"{service}-{worker}"
                children.append(self._child(name, ["run", service], self._service_env(service, name, worker)))
        left_out = {
            "witness": not self._witnesses,
            DOOR: not self._runs_doors,
            DESK: True,
            "page": not self.options.page,
            "registry": not self._serves_registry,
        }
        for name in (*agency_programs(), *servers()):
            if not left_out.get(name):
                beats = {"CASEBUS_DATA_DIR": self._folder(name)} if name in agency_programs() else {}
                children.append(self._child(name, ["run", name], self._base_env() | beats))
        return children

    def _child(self, name: str, arguments: list[str], env: dict[str, str]) -> ChildSpec:
        argv = [sys.executable, "-m", "casebus_deploy.cli.main", *arguments]
        env = env | {LOG_FILE: str(self._log(name))}
        if self.options.metrics:
            env["CASEBUS_METRICS_ADDRESS"] = self._metrics.address_of(name)
        return ChildSpec(name, argv, env, self._log(name), final_exits=frozenset({EXIT_EVIDENCE}))

    def _log(self, name: str) -> Path:
        return self.data / "logs" / f"{name}.log"

    def _base_env(self) -> dict[str, str]:
        return base_env(self.connection_file)

    def _service_env(self, service: str, name: str, worker: int) -> dict[str, str]:
        env = self._base_env() | {
            "CASEBUS_BOOTSTRAP_SERVERS": self.bootstrap_servers,
            "CASEBUS_SECURITY_PROTOCOL": self.channel[0],
            "CASEBUS_SASL_USERNAME": service,
            "CASEBUS_SASL_PASSWORD_FILE": str(password_file(self.secrets, service)),
            "CASEBUS_PARTITIONS": str(self.options.partitions),
            "CASEBUS_INSTANCE": str(worker),
            "CASEBUS_DATA_DIR": self._folder(name),
            "CASEBUS_LEDGER_URL": self.database_url("ledger"),
            "CASEBUS_ACCOUNTS_URL": self.database_url("accounts"),
            "CASEBUS_LEDGER_ORIGIN": self.origin,
            "CASEBUS_LOG_KEY_FILE": str(keys.log_key_file(self.secrets)),
            "CASEBUS_POLICY_FILE": str(self.policy_file),
            "CASEBUS_SIMULATED_CLOCK": "true" if self.options.simulated_clock else "false",
        }
        if self.channel[1] is not None:
            env["CASEBUS_CA_FILE"] = str(self.channel[1])
        if service in keys.SIGNERS:
            env["CASEBUS_SIGNING_KEY_FILE"] = str(keys.key_file(self.secrets, service))
        return env | self.options.service_env

    def _folder(self, name: str) -> str:
        """The folder of one process, made."""
        folder = self.data / "services" / name
        folder.mkdir(parents=True, exist_ok=True)
        return str(folder)

    def _wait_until_ready(self) -> None:
        """Until each service is assigned, as its heartbeat says, or has ended for good."""
        assert self.supervisor is not None
        deadline = time.monotonic() + READY_TIMEOUT_S
        waiting = [name for name in self.supervisor.states() if not is_node(name) and name not in servers()]
        begun = time.time()
        while waiting:
            ended = self.ended()
            waiting = [name for name in waiting if name not in ended and not self._beats_since(name, begun)]
            for name, state in self.supervisor.states().items():
                if state.restarts >= MOST_STARTS and not is_node(name):
                    raise RetryLater(
                        f"{name} does not stay up",
                        found=last_line(self.data / "logs" / f"{name}.log"),
                        expected="a running service",
                        remedy=f"read {self.data / 'logs' / f'{name}.log'}",
                    )
            if waiting and time.monotonic() > deadline:
                raise RetryLater(
                    "services are not ready in time", found=", ".join(waiting), expected="their heartbeats"
                )
            time.sleep(0.05)
        self._wait_for_registry()

    @property
    def _witnesses(self) -> bool:
        """Whether all witnesses run here, as they do where the agencies' keys are made here."""
        return self.options.witnesses and bool(self.agencies)

    @property
    def _runs_doors(self) -> bool:
        return self.options.doors and bool(self.agencies)

    @property
    def _serves_registry(self) -> bool:
        return self.options.registry and self.options.registry_url is None

    def _fill_registry(self) -> None:
        """Brings an external registry up to the catalogue; if it is down, the bus runs without."""
        if self.options.registry_url is not None:
            step = self._step("模式登记 schemas to the registry")
            fill_registry(self.options.registry_url, step, self._say)

    def _wait_for_registry(self) -> None:
        """A moment, so that who is told "ready" finds it; its absence stops nothing."""
        deadline = time.monotonic() + REGISTRY_TIMEOUT_S
        while self.registry_port and not listening(self.registry_port) and time.monotonic() < deadline:
            time.sleep(0.05)

    def _beats_since(self, name: str, begun: float) -> bool:
        file = self.data / "services" / name / "heartbeat.json"
        try:
            return float(json.loads(file.read_text())["at"]) >= begun
        except (OSError, ValueError, KeyError):
            return False
