"""The status page: it tells what runs and what does not, and escapes what others wrote."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from casebus_deploy.stack.doctor import _backup
from casebus_deploy.status_page.folder import disk_of, last_backup, last_lines, note_backup
from casebus_deploy.status_page.page import create_app
from casebus_deploy.status_page.status import (
    Status,
    lag_of,
    passed_by,
    service_statuses,
)
from casebus_schemas.wire.records import TopicPartition

PROCESSES: dict[str, dict[str, Any]] = {
    "ledger": {"pid": 11, "running": True, "restarts": 2},
    "router": {"pid": None, "running": False, "restarts": 0},
}


def status() -> Status:
    """A bus whose router is down."""
    beats = {"ledger": {"at": 99.0, "last_batch_at": 98.0, "last_batch_records": 7, "records": 1234}}
    services = service_statuses(PROCESSES, beats, {"ledger": 5}, 100.0)
    return Status(100.0, "127.0.0.1:1", True, services, (("csrc.referral", 12),), ("<b>denied</b>",))


def test_states_are_told_apart() -> None:
    """A service is ok, silent or down by its process and its heartbeat."""
    silent = service_statuses(PROCESSES, {"ledger": {"at": 50.0}}, {}, 100.0)
    assert [s.state for s in status().services] == ["ok", "down"]
    assert silent[0].state == "stale"


def test_d2_what_ended_for_good_is_shown_with_its_reason() -> None:
    """A service that is not started again is no ready bus, and page and `/readyz` say why."""
    ended = {**PROCESSES["router"], "last_exit": 70, "reason": "records are <missing>"}
    shown = service_statuses({"ledger": PROCESSES["ledger"], "router": ended}, {}, {}, 100.0)
    assert [one.state for one in shown] == ["ok", "ended"]
    client = TestClient(create_app(lambda: replace(status(), services=shown)), "http://localhost")
    assert "records are &lt;missing&gt;" in client.get("/").text
    answer = client.get("/readyz")
    assert (answer.status_code, answer.text) == (503, "not ready: router (records are <missing>)\n")


def test_d2_lag_is_what_was_not_taken_in() -> None:
    """A partition counts from where the service stands, never below nothing."""
    places = [TopicPartition("csrc.clue", number) for number in range(3)]
    ends = dict(zip(places, (10, 5, 7), strict=True))
    assert lag_of(ends, dict(zip(places, (4, 5, 9), strict=True))) == 6
    assert lag_of(ends, dict.fromkeys(places, 0)) == 22


def test_d5_markers_of_transactions_are_no_lag() -> None:
    """Offsets over which a service has passed without a record do not count while it stands before them."""
    place = TopicPartition("csrc.clue", 2)
    passed = passed_by([{"passed": {"csrc.clue/2": [7, 9]}}, {}])
    assert lag_of({place: 9}, {place: 7}, passed) == 0
    assert lag_of({place: 12}, {place: 7}, passed) == 3
    assert lag_of({place: 9}, {place: 3}, passed) == 6


def test_a4_what_a_service_counts_is_shown() -> None:
    """Key events that were ignored are told beside the service, and nothing where there were none."""
    beats = {"ledger": {"at": 99.0, "counts": {"key events ignored": 3, "others": 0}}}
    shown = service_statuses(PROCESSES, beats, {}, 100.0)
    text = TestClient(create_app(lambda: replace(status(), services=shown)), "http://localhost").get("/").text
    assert "3 key events ignored" in text
    assert "others" not in text


def test_the_page_shows_services_and_escapes_text() -> None:
    """The page holds lag and counts, and never another's markup."""
    text = TestClient(create_app(status), "http://localhost").get("/").text
    assert "1,234" in text
    assert "停止 down" in text
    assert "<b>denied</b>" not in text
    assert "&lt;b&gt;denied" in text


def test_b9_the_page_shows_controls_as_escapes() -> None:
    """What others wrote stands on the page, and in its JSON, without controls that reorder or hide."""
    client = TestClient(
        create_app(lambda: replace(status(), denials=("group \u202eevil\x9b",))), "http://localhost"
    )
    assert r"group \u202eevil\x9b" in client.get("/").text
    assert "\u202e" not in client.get("/status.json").text
    assert client.get("/status.json").json()["denials"] == ["group \u202eevil\x9b"]


@pytest.mark.parametrize("up", [True, False])
def test_readiness_names_what_is_missing(up: bool) -> None:
    """`/readyz` answers 503 and says who is not ready; `/healthz` answers all the same."""
    client = TestClient(create_app(lambda: replace(status(), broker_up=up)), "http://localhost")
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert ("router" if up else "the broker") in answer.text
    assert client.get("/healthz").status_code == 200


def test_all_well_is_ready() -> None:
    """With every service alive and beating the bus is ready."""
    good = replace(status(), services=status().services[:1])
    client = TestClient(create_app(lambda: good), "http://localhost")
    assert client.get("/readyz").status_code == 200
    assert client.get("/status.json").json()["ready"] is True


def test_last_lines_are_newest_first(tmp_path: Path) -> None:
    """The tail of a file comes newest first, of a missing file nothing."""
    file = tmp_path / "log"
    file.write_text("1\n2\n3\n")
    assert last_lines(file, 2) == ("3", "2")
    assert last_lines(tmp_path / "none", 2) == ()


def test_the_page_shows_disk_and_last_backup(tmp_path: Path) -> None:
    """How much is free, and when the last backup was made; doctor says the same."""
    bare = replace(status(), disk=disk_of(tmp_path), backup=last_backup(tmp_path))
    assert "无 none" in TestClient(create_app(lambda: bare), "http://localhost").get("/").text
    assert _backup(tmp_path).state == "warn"
    note_backup(tmp_path, tmp_path / "copy", 3, keys=False)
    kept = replace(bare, backup=last_backup(tmp_path))
    page = TestClient(create_app(lambda: kept), "http://localhost").get("/").text
    assert kept.disk is not None
    assert f"{kept.disk.free_gb:.1f} GB" in page
    assert re.search(r"last backup.*?<span>\d+ s</span>", page, re.DOTALL)
    assert _backup(tmp_path).state == "ok"


def test_b10_the_page_answers_its_own_hosts_and_changes_nothing() -> None:
    """A foreign host, another method or a body is refused, and the page needs no script or style within."""
    client = TestClient(create_app(status), "http://127.0.0.1:8080")
    page = client.get("/")
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "<style" not in page.text
    assert client.get("/status.css").headers["content-type"].startswith("text/css")
    assert client.get("/", headers={"host": "evil.example"}).status_code == 421
    assert client.post("/").status_code == 405
    assert client.request("GET", "/", content=b"x").status_code == 413


def test_the_page_shows_who_withholds_and_two_histories() -> None:
    """Heads of the ledger are shown with each witness, since when one withholds, and two histories."""
    cosigning = {
        "ledger": "casebus.example/ledger",
        "size": 7,
        "provisional": 7,
        "final": 6,
        "witnesses": [
            {
                "witness": "spp",
                "size": 7,
                "cosigned_at": "2026-01-01T00:00:00.000+00:00",
                "withheld_since": None,
            },
            {
                "witness": "mps",
                "size": 5,
                "cosigned_at": None,
                "withheld_since": "2026-01-01T00:00:01.000+00:00",
            },
        ],
        "split_views": [{"size": 4, "shown_by": ["bus.checkpoint", "<csrc>"], "notes": []}],
    }
    client = TestClient(create_app(lambda: replace(status(), cosigning=cosigning)), "http://localhost")
    page = client.get("/").text
    assert "未签 withheld</span> since 2026-01-01T00:00:01.000+00:00" in page
    assert page.count("已签 cosigned") == 1
    assert "two histories of size 4: bus.checkpoint, &lt;csrc&gt;" in page
    assert "最终 final 6" in page
    assert client.get("/status.json").json()["cosigning"]["final"] == 6
    assert "Heads of the ledger" not in TestClient(create_app(status), "http://localhost").get("/").text
