"""A full disk is one clear line, whichever command meets it."""

import errno
import sqlite3
from pathlib import Path

import pytest

from casebus_deploy.cli import main
from casebus_deploy.cli.no_room import no_room
from casebus_services.streams.heartbeat import Heartbeat


def full(_arguments: object) -> object:
    """A program that meets a full disk."""

    def run() -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "outbox.relay")

    return run


def test_d3_a_full_disk_is_said_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command ends with exit code 3 and says where, and what to do; there is no traceback."""
    monkeypatch.setattr(main, "build", full)
    with pytest.raises(SystemExit) as ended:
        main.main()
    said = capsys.readouterr().err
    assert ended.value.code == main.UNAVAILABLE
    assert said.count("\n") == 1
    assert "nothing can be written at outbox.relay" in said
    assert "free disk space" in said


def test_d3_a_database_that_finds_no_room_is_known(tmp_path: Path) -> None:
    """SQLite's own word for a full disk counts, other errors of it and of files do not."""
    connection = sqlite3.connect(tmp_path / "outbox.db")
    connection.execute("PRAGMA max_page_count = 5")
    with pytest.raises(sqlite3.OperationalError) as caught:
        connection.execute("CREATE TABLE big AS SELECT randomblob(100000) AS x")
    connection.close()
    assert no_room(caught.value) is not None
    assert no_room(sqlite3.OperationalError("no such table")) is None
    assert no_room(FileNotFoundError(errno.ENOENT, "no")) is None


def test_d3_a_service_without_room_for_its_sign_of_life_goes_on(tmp_path: Path) -> None:
    """A heartbeat that cannot be written is no end; the old file says by its age that something is wrong."""
    heartbeat = Heartbeat(tmp_path / "none")
    heartbeat.beat(frozenset())
    (tmp_path / "none").mkdir()
    heartbeat.beat(frozenset())
    assert (tmp_path / "none" / "heartbeat.json").exists()
