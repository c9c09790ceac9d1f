"""`casebus alive`, by which containers and supervisors know that a service does its work."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from typer.testing import CliRunner

from casebus_deploy.cli.main import build
from casebus_schemas.errors import RetryLater, UsageError
from casebus_services.web_guard import listen_at


def alive(*words: str) -> Exception | None:
    """What `casebus alive` raises; None where all is well."""
    found = CliRunner().invoke(build(["alive"]), ["alive", *words], env={"CASEBUS_DATA_DIR": None})
    assert (found.exit_code == 0) == (found.exception is None)
    return found.exception if isinstance(found.exception, Exception) else None


@pytest.fixture
def server() -> Iterator[str]:
    """An address that answers /healthz and is ill at /readyz."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/healthz" else 503)
            self.end_headers()

        def log_message(self, *_arguments: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as one:
        thread = threading.Thread(target=one.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{one.server_port}"
        one.shutdown()
        thread.join()


def test_a_service_that_beats_is_alive(tmp_path: Path) -> None:
    """A fresh sign of life is one; an old one and none are said as what they are."""
    beat = tmp_path / "heartbeat.json"
    missing = alive("--data", str(tmp_path))
    assert isinstance(missing, RetryLater)
    beat.write_text("{}")
    assert alive("--data", str(tmp_path)) is None
    then = time.time() - 300
    os.utime(beat, (then, then))
    old = alive("--data", str(tmp_path))
    assert isinstance(old, RetryLater)
    assert "300 s ago" in old.detail
    assert alive("--data", str(tmp_path), "--older-s", "600") is None


def test_what_answers_is_alive(server: str) -> None:
    """A page that answers well is alive, one that answers ill or not at all is not."""
    assert alive("--url", f"{server}/healthz") is None
    assert isinstance(alive("--url", f"{server}/readyz"), RetryLater)
    assert isinstance(alive("--url", "http://127.0.0.1:9/healthz"), RetryLater)


def test_it_asks_nothing_else() -> None:
    """Neither a file by its URL, nor nothing at all."""
    assert isinstance(alive("--url", "file:///etc/passwd"), UsageError)
    assert isinstance(alive(), UsageError)


def test_a_prepared_cluster_is_ones_own(tmp_path: Path) -> None:
    """An embedded Kafka ends with the command: preparing it would leave nothing, which is said first."""
    command = [
        sys.executable,
        "-m",
        "casebus_deploy.cli.main",
        "up",
        "--prepare",
        "--data",
        str(tmp_path / "b"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 2
    assert "--bootstrap-servers" in done.stderr
    assert not (tmp_path / "b").exists()


def test_a_server_listens_where_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """At the host of its URL; beside a proxy on this machine; in a container where the setting says."""
    monkeypatch.delenv("CASEBUS_LISTEN", raising=False)
    assert listen_at("http://registry.example:8081") == "registry.example"
    assert listen_at("https://desk.example", "127.0.0.1") == "127.0.0.1"
    monkeypatch.setenv("CASEBUS_LISTEN", "0.0.0.0")
    assert listen_at("https://desk.example", "127.0.0.1") == "0.0.0.0"
