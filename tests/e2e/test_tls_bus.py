"""A whole bus whose every client reaches Kafka by TLS: services, doors, witnesses, agencies, auditor."""

import json
import socket
import ssl
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from kafka import KafkaConsumer
from kafka.errors import KafkaTimeoutError
from typer.testing import CliRunner

from casebus_deploy.cli.main import build
from casebus_deploy.stack.doctor import examine
from casebus_deploy.stack.stack import Stack, StackOptions
from casebus_producers.config import KafkaLogin
from casebus_schemas.catalogue.topology import COMMAND
from casebus_services.streams.connection import Connection
from casebus_services.streams.side_reader import FETCH, SideReader
from support.cases.members import door_event

pytestmark = [pytest.mark.broker, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def bus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A bus that was started with TLS."""
    with Stack(
        StackOptions(data=tmp_path_factory.mktemp("tls") / "bus", tls=True, registry=False, page=False)
    ) as stack:
        yield stack


def run(bus: Stack, *arguments: str) -> str:
    """What a command says."""
    done = CliRunner().invoke(
        build(arguments), [*arguments], env={"CASEBUS_CONNECTION": str(bus.connection_file)}
    )
    assert done.exit_code == 0, (arguments, done.output, done.exception)
    return done.stdout


def test_an_event_goes_through_by_tls_alone(bus: Stack, tmp_path: Path) -> None:
    """Published, admitted, ledgered, in the inbox, verified against Kafka; connection.json says how."""
    file = tmp_path / "event.json"
    file.write_text(json.dumps(door_event()))
    said = run(bus, "publish", "-a", "csrc", "--wait", "ledgered", str(file))
    assert {json.loads(line)["stage"] for line in said.splitlines()} == {"published", "admitted", "ledgered"}
    assert "referral.submitted" in run(bus, "inbox", "-a", "mps", "--json")
    run(bus, "ledger", "verify")
    body = json.loads(bus.connection_file.read_text())
    assert (body["security_protocol"], Path(body["ca_file"]).name) == ("SASL_SSL", "authority.pem")


def test_the_doctor_looks_by_tls_too(bus: Stack) -> None:
    """Broker, quotas, rights, logins and services are seen, before anybody was refused."""
    found: dict[str, str] = {}
    for item in examine(bus.connection_file):
        found.setdefault(item.name, item.state)  # what follows under a name is who was refused before
    names = ("broker", "genesis", "quotas", "rights", "logins", "router", "ledger", "sealer", "reconciler")
    assert {name: found[name] for name in names} == dict.fromkeys(names, "ok")


def test_the_listener_speaks_nothing_but_tls(bus: Stack) -> None:
    """A client in the clear is not served, one that trusts another authority ends the handshake."""
    login = KafkaLogin.read("csrc", bus.connection)
    plain = replace(login, security_protocol="SASL_PLAINTEXT", ca_file=None).kafka()
    with pytest.raises(KafkaTimeoutError):
        KafkaConsumer(**{**plain, "bootstrap_timeout_ms": 2_000})
    host, _, port = bus.bootstrap_servers.rpartition(":")
    with socket.create_connection((host, int(port)), 5) as opened, pytest.raises(ssl.SSLError):
        ssl.create_default_context().wrap_socket(opened, server_hostname=host)


def test_a_reader_by_tls_ends_at_once(bus: Stack) -> None:
    """Whoever stops does not wait until the broker has answered a fetch that waits for records."""
    login = bus.connection.principal("operator")
    settings = Connection(
        bus.bootstrap_servers,
        login.username,
        login.password_file,
        security_protocol="SASL_SSL",
        ca_file=bus.channel[1],
    )
    reader = SideReader(settings, "ends-at-once", [COMMAND], lambda _batch: None)
    reader.start()
    begun = time.monotonic()
    reader.stop()
    assert time.monotonic() - begun < FETCH[1] / 1000 / 2
