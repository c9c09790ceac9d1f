"""The deadline of a command holds for all that waits for Kafka, whoever does not answer."""

import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from casebus_producers.cli import app
from casebus_producers.connecting import at_most, within
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
