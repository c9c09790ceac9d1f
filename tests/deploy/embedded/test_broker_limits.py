"""What one client can make the embedded broker hold, and what it can write into its logs."""

import socket
import struct
import time
from typing import Any

import psutil
import pytest
from kafka import KafkaConsumer
from kafka.admin import ConfigResource, ScramMechanism, UserScramCredentialUpsertion
from kafka.errors import GroupAuthorizationFailedError

from casebus_deploy.embedded.broker import EmbeddedBroker

pytestmark = pytest.mark.broker

HOSTILE = "evil\x1b[2J\x9b\u202e\r\n2026-11-28T00:00:00.000Z Principal = User:forged is Denied"


def test_a5_the_running_broker_has_its_limits(broker: EmbeddedBroker, broker_admin: Any) -> None:
    """Sizes, queues and connections are bounded in the broker itself, and out of memory ends its process."""
    found = broker_admin.describe_configs([ConfigResource("BROKER", "1")], config_filter="all")["broker"]["1"]
    wanted = {
        "socket.request.max.bytes": 8 << 20,
        "queued.max.request.bytes": 64 << 20,
        "queued.max.requests": 100,
        "max.connections": 2000,
        "sasl.server.max.receive.size": 64 << 10,
    }
    assert {name: int(found[name]["value"]) for name in wanted} == wanted
    properties = (broker.data_dir / "server.properties").read_text()
    assert "listener.name.client.max.connections=1900\n" in properties
    assert "listener.name.client.max.connection.creation.rate=100\n" in properties
    assert broker.pid is not None
    assert "-XX:+ExitOnOutOfMemoryError" in psutil.Process(broker.pid).cmdline()


def test_a5_a_stranger_cannot_announce_a_large_request(broker: EmbeddedBroker) -> None:
    """Who has not logged in and announces more than a login needs is disconnected before sending it."""
    with socket.create_connection(("127.0.0.1", broker.ports.client), timeout=20) as stranger:
        stranger.sendall(struct.pack(">i", (64 << 10) + 1))
        assert stranger.recv(1) == b""


def test_b9_a_client_cannot_forge_lines_of_the_broker(broker: EmbeddedBroker, broker_admin: Any) -> None:
    """A group id with line ends and controls stands in one line of the log of denials, in plain ASCII."""
    broker_admin.alter_user_scram_credentials(
        [UserScramCredentialUpsertion("scribe", ScramMechanism.SCRAM_SHA_512, b"pw", 4096)]
    )
    settings = broker.admin_settings() | {"sasl_plain_username": "scribe", "sasl_plain_password": "pw"}
    consumer = KafkaConsumer(**settings, group_id=HOSTILE, client_id="scribe", enable_auto_commit=False)
    consumer.subscribe(["forged"])
    with pytest.raises(GroupAuthorizationFailedError):
        consumer.poll(20_000)
    consumer.close(autocommit=False)
    log, deadline = broker.log_dir / "denials.log", time.monotonic() + 20
    while "User:scribe" not in log.read_text() and time.monotonic() < deadline:
        time.sleep(0.05)
    lines = log.read_bytes().decode("ascii").rstrip("\n").split("\n")
    assert all(line.isprintable() for line in lines)
    named = [line for line in lines if "User:forged" in line]
    assert named
    assert all("User:scribe" in line for line in named)
