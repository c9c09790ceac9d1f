"""The deadline of a command holds for all that waits for Kafka, whoever does not answer."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from kafka import KafkaConsumer
from kafka.errors import KafkaTimeoutError
from typer.testing import CliRunner

from casebus_deploy.embedded.ports import free_ports
from casebus_producers.cli import app
from casebus_producers.connecting import at_most, connected, within
from support.cases.members import door_event, write_connection


@pytest.fixture
def silent_server() -> Iterator[str]:
    """The address of something that takes connections and never answers, like a broker that drops a login."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(64)
        yield f"127.0.0.1:{server.getsockname()[1]}"


def test_d11_the_deadline_holds_for_the_login(silent_server: str, tmp_path: Path) -> None:
    """Where nobody answers the login, `publish` ends soon after its time and says that the event waits."""
    for name in ("csrc", "operator"):
        (tmp_path / f"{name}.password").write_text("wrong")
    connection = write_connection(silent_server, tmp_path, tmp_path)
    events = tmp_path / "events.jsonl"
    events.write_text(json.dumps(door_event()))
    begun = time.monotonic()
    arguments = ["publish", "-a", "csrc", "-c", str(connection), "--wait", "admitted", "--timeout", "2"]
    result = CliRunner().invoke(app, [*arguments, str(events)])
    assert time.monotonic() - begun < 10
    assert result.exit_code == 3, result.output
    assert "1 of 1 events wait in the outbox" in result.stderr


def test_d11_the_nearest_deadline_counts() -> None:
    """Within a deadline nothing waits longer than is left, and a wider one within it changes nothing."""
    assert at_most(15.0) == 15.0
    with within(5.0), within(100.0):
        assert 4.0 < at_most(15.0) <= 5.0
        assert at_most(1.0) == 1.0
    with within(0.0):
        assert at_most(15.0) == 0.0
    assert at_most(15.0) == 15.0


def test_what_another_client_of_the_process_says_is_not_taken_for_ours(silent_server: str) -> None:
    """While one client finds nobody at its address, another's reason is its own: nobody answers it."""
    [nobody] = free_ports(1)
    reasons: dict[str, str] = {}

    def connect(name: str, address: str, patience_ms: int) -> None:
        with pytest.raises(KafkaTimeoutError) as told:
            connected(KafkaConsumer, client_id=name, bootstrap_servers=address, patience_ms=[patience_ms])
        reasons[name] = str(told.value)

    other = threading.Thread(target=connect, args=("other", f"127.0.0.1:{nobody}", 2_000))
    other.start()
    connect("mine", silent_server, 1_000)
    other.join()
    assert "refused" in reasons["other"]
    assert "refused" not in reasons["mine"]
