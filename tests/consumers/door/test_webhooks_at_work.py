"""Webhooks killed at any moment, and the commands that add, show and drive addresses."""

import json
import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from casebus_consumers.door.webhooks.cli import app
from casebus_consumers.door.webhooks.store import WebhookStore, webhooks_file
from casebus_consumers.door.webhooks.telling import AFTER_ACK
from casebus_consumers.own.store import OwnStore
from casebus_schemas.errors import UsageError
from support.scenes.door_children import connection_of, tell_webhooks
from support.scenes.forked import forked
from support.scenes.webhook_receiver import receiving
from support.scenes.webhook_scene import WebhookScene, hear, notice_id


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[WebhookScene]:
    with receiving() as receiver:
        scene = WebhookScene(tmp_path, receiver)
        yield scene
        scene.scene.close()


def test_killed_at_any_moment_it_loses_nothing(tmp_path: Path) -> None:
    """Killed after acknowledgements that its file does not know, and by signal: each notice is told, under
    its one id and in the same bytes; only one that was cut off by a kill is told again."""
    kills, count = 4, 60
    heard = OwnStore(tmp_path / "own.db")
    store = WebhookStore(webhooks_file(tmp_path))
    with receiving() as receiver:
        receiver.secret = store.add(
            "desk", receiver.url, ["notice.arrived"], asymmetric=False, places=(-1, None, -1)
        )
        hear(heard, *range(count // 2))
        for number in range(kills):
            child = forked(tell_webhooks, tmp_path, {AFTER_ACK: 4 + number})
            child.join(30)
            assert child.exitcode == -signal.SIGKILL
        hear(heard, *range(count // 2, count))
        child = forked(tell_webhooks, tmp_path, {})
        _until(lambda: len(set(receiver.acknowledged)) > count // 2 + 3)
        child.kill()
        child.join()
        child = forked(tell_webhooks, tmp_path, {})
        _until(lambda: store.counts("desk") == {"waiting": 0, "told": count, "failed": 0})
        child.kill()
        child.join()
    times = Counter(receiver.acknowledged)
    assert set(times) == {f"notice_{notice_id(number)}" for number in range(count)}
    again = [id for id, number in times.items() if number > 1]
    assert kills <= sum(times.values()) - count <= kills + 1
    assert len(again) >= kills - 1
    for id in again:
        assert len({body for headers, body in receiver.calls if headers["webhook-id"] == id}) == 1


def _until(holds: Any) -> None:
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


# --- commands --------------------------------------------------------------------------------------------


def test_commands_show_and_drive_addresses(scene: WebhookScene, tmp_path: Path, monkeypatch: Any) -> None:
    """add, list, log, redrive, rotate, remove; the secret lies in a file of mode 0600, and is not shown."""
    connection = connection_of(tmp_path)
    monkeypatch.setenv("CASEBUS_CONNECTION", str(connection))
    monkeypatch.setenv("CASEBUS_AGENCY", "csrc")
    (tmp_path / "door.yaml").write_text("reach: [127.0.0.0/8]\n")
    secret_file = tmp_path / "desk.secret"
    scene.hear(0)
    _run("add", "desk", scene.receiver.url, "--secret-file", str(secret_file))
    assert secret_file.stat().st_mode & 0o777 == 0o600
    scene.receiver.secret = secret_file.read_text().strip()
    scene.hear(1)
    scene.receiver.reply = lambda _id: (500, {})
    scene.tell()
    (shown,) = json.loads(_run("list", "--json"))
    assert (shown["state"], shown["waiting"], shown["problem"]) == ("failing", 1, "HTTP 500")
    assert scene.receiver.secret not in json.dumps(shown)
    assert "failing" in _run("list")
    scene.receiver.reply = lambda _id: (200, {})
    _run("redrive", "desk")
    scene.now_s = time.time()
    scene.tell()
    (told,) = json.loads(_run("log", "desk", "--json"))
    assert (told["id"], told["state"]) == (f"notice_{notice_id(1)}", "told")
    _run("rotate", "desk", "--secret-file", str(secret_file))
    assert secret_file.read_text().strip() != scene.receiver.secret
    _run("remove", "desk")
    assert json.loads(_run("list", "--json")) == []


@pytest.mark.parametrize(
    ("name", "url"),
    [("desk", "http://127.0.0.1:9/"), ("Desk", "https://desk.example/"), ("desk", "ftp://x/")],
)
def test_an_address_is_judged_when_it_is_added(
    scene: WebhookScene, tmp_path: Path, monkeypatch: Any, name: str, url: str
) -> None:
    """Without a setting no internal address, no odd name, no other scheme; nothing is kept."""
    monkeypatch.setenv("CASEBUS_CONNECTION", str(connection_of(tmp_path)))
    arguments = ["add", name, url, "--secret-file", str(tmp_path / "s"), "--agency", "csrc"]
    found = CliRunner().invoke(app, arguments)
    assert isinstance(found.exception, UsageError)
    assert scene.store.addresses() == []
    assert not (tmp_path / "s").exists()


def _run(*arguments: str) -> str:
    command = list(arguments)
    if command[0] != "none":
        command += ["--agency", "csrc"]
    found = CliRunner().invoke(app, command, catch_exceptions=False)
    assert found.exit_code == 0, found.output
    return found.output
