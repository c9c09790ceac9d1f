"""The doctor: it finds what is missing and says which command mends it."""

import json
import time
from pathlib import Path

from casebus_deploy.stack.doctor import _failed_logins, _services, examine
from casebus_deploy.status_page.status import StatusReader, service_statuses


def test_without_a_bus_only_the_machine_is_examined() -> None:
    """Without a connection the doctor says so and how to get one."""
    found = {item.name: item for item in examine(None)}
    assert found["python"].state == "ok"
    assert found["connection"].mend is not None
    assert "casebus up" in found["connection"].mend


def test_a_dead_bus_is_told_part_by_part(tmp_path: Path) -> None:
    """A broker that is away, loose secrets, a stopped service, a refused access: each is named."""
    secret = tmp_path / "operator.password"
    secret.write_text("x")
    secret.chmod(0o644)
    body = {
        "bootstrap_servers": "127.0.0.1:9",
        "security_protocol": "SASL_PLAINTEXT",
        "sasl_mechanism": "SCRAM-SHA-512",
        "partitions": 4,
        "databases": {},
        "principals": {"operator": {"username": "operator", "password_file": str(secret)}},
    }
    file = tmp_path / "connection.json"
    file.write_text(json.dumps(body))
    (tmp_path / "state.json").write_text(
        json.dumps(
            {
                "services": {
                    "kafka": {"running": True, "restarts": 2, "since": 1.0, "pid": 7},
                    "router": {"running": False, "last_exit": -9, "restarts": 1},
                    "ledger": {"running": True, "restarts": 0, "pid": 8},
                }
            }
        )
    )
    beat = tmp_path / "services" / "ledger" / "heartbeat.json"
    beat.parent.mkdir(parents=True)
    beat.write_text(json.dumps({"at": time.time() + 3600, "counts": {"key events ignored": 4}}))
    log = tmp_path / "broker" / "log"
    log.mkdir(parents=True)
    (log / "denials.log").write_text("Principal = User:mps is Denied operation = WRITE on csrc.referral\n")
    items = list(examine(file))
    found = {item.name: item for item in items}
    names = ("connection", "secrets", "broker", "router", "access")
    assert {name: found[name].state for name in names} == {
        "connection": "ok",
        "secrets": "bad",
        "broker": "bad",
        "router": "bad",
        "access": "warn",
    }
    assert "User:mps" in found["access"].found
    assert "-9" in found["router"].found
    assert (found["kafka"].state, "restarts so far: 2" in found["kafka"].found) == ("warn", True)
    told = [item.found for item in items if item.name == "ledger"]
    assert told == ["4 key events ignored", "pid 8"]


def test_d2_evidence_at_risk_is_bad(tmp_path: Path) -> None:
    """A service that ended for good is named with its reason and what to do."""
    ended = {"running": False, "last_exit": 70, "restarts": 0, "reason": "records are missing"}
    (tmp_path / "state.json").write_text(json.dumps({"services": {"ledger": ended}}))
    (item,) = _services(tmp_path)
    assert (item.name, item.state) == ("ledger", "bad")
    assert "not started again: records are missing" in item.found


def test_e3_keys_that_end_are_told(tmp_path: Path) -> None:
    """A key that ends soon is a warning, one that has ended without a successor is bad."""
    (tmp_path / "state.json").write_text(json.dumps({"services": {"router": {"running": True, "pid": 7}}}))
    folder = tmp_path / "services" / "router"
    folder.mkdir(parents=True)
    terms = [{"text": "csrc: in 21 days", "over": False}, {"text": "mps: no valid key", "over": True}]
    (folder / "heartbeat.json").write_text(json.dumps({"at": time.time(), "key_terms": terms}))
    found = {item.found: item.state for item in _services(tmp_path)}
    assert (found["csrc: in 21 days"], found["mps: no valid key"]) == ("warn", "bad")
    (shown,) = service_statuses({"router": {"running": True}}, {"router": {"key_terms": terms}}, {}, 1.0)
    assert shown.key_terms == ("csrc: in 21 days", "mps: no valid key")


def test_the_last_epoch_is_told(tmp_path: Path) -> None:
    """Page and doctor name the last epoch, its age and what waits; entries that wait long are a warning."""
    (tmp_path / "state.json").write_text(json.dumps({"services": {"sealer": {"running": True, "pid": 7}}}))
    folder = tmp_path / "services" / "sealer"
    folder.mkdir(parents=True)

    def told(sealed: dict[str, int]) -> tuple[str, str]:
        (folder / "heartbeat.json").write_text(json.dumps({"at": time.time(), "sealed": sealed}))
        (found,) = [(item.state, item.found) for item in _services(tmp_path) if item.name == "sealed"]
        return found

    now_ms = round(time.time() * 1000)
    assert told({"epoch": 12, "at_ms": now_ms - 90_000, "waiting": 0})[0] == "ok"
    state, words = told({"epoch": 12, "at_ms": now_ms - 90_000, "waiting": 3})
    assert (state, "epoch 12, 90 秒前" in words or "epoch 12, 91 秒前" in words) == ("warn", True)
    assert "3 条未封存" in words
    assert told({"epoch": 12, "at_ms": now_ms, "waiting": 3})[0] == "ok"
    assert "nothing sealed yet" in told({"epoch": 0, "at_ms": 0, "waiting": 0})[1]
    beat = {"sealed": {"epoch": 5, "at_ms": 97_000, "waiting": 2}}
    (shown,) = service_statuses({"sealer": {"running": True}}, {"sealer": beat}, {}, 100.0)
    assert shown.sealed == "第 5 期 epoch 5, 3 秒前 s ago, 2 条未封存 entries not sealed"


def test_c16_failed_logins_are_told(tmp_path: Path) -> None:
    """What the broker's log of logins says is named, newest first, on page and doctor."""
    log = tmp_path / "broker" / "log"
    log.mkdir(parents=True)
    assert list(_failed_logins(tmp_path)) == []
    (log / "logins.log").write_text("1 Failed authentication with /127.0.0.1\n2 Failed authentication\n")
    first, second = _failed_logins(tmp_path)
    assert (first.state, "2 Failed authentication" in first.found, second.found[0]) == ("warn", True, "1")
    reader = StatusReader(tmp_path, {"bootstrap_servers": ["127.0.0.1:9"]}, ())
    assert reader.read().failed_logins[0] == "2 Failed authentication"


def test_b7_ignored_key_events_are_told(tmp_path: Path) -> None:
    """What was ignored on the key topics is shown with its place and reason."""
    (tmp_path / "state.json").write_text(json.dumps({"services": {"router": {"running": True, "pid": 7}}}))
    folder = tmp_path / "services" / "router"
    folder.mkdir(parents=True)
    reason = "csrc.key/0/12: personal-data, /data/reasons"
    for ignored in ([], [reason]):
        beat = {"at": time.time(), "ignored_keys": ignored}
        (folder / "heartbeat.json").write_text(json.dumps(beat))
        found = [(item.name, item.state) for item in _services(tmp_path) if reason in item.found]
        assert found == [("router", "warn")] * len(ignored)
