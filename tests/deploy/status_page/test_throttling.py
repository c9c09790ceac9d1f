"""Whom a quota holds back is read from what the broker writes about it."""

import json
from datetime import UTC, datetime
from pathlib import Path

from casebus_deploy.stack.doctor import _held_back
from casebus_deploy.status_page.folder import throttled_now
from casebus_deploy.status_page.status import StatusReader

NOW = datetime(2026, 11, 29, 8, 0, tzinfo=UTC).timestamp()


def write(folder: Path, *lines: str) -> None:
    """The broker's log of those held back."""
    log = folder / "broker" / "log"
    log.mkdir(parents=True, exist_ok=True)
    (log / "throttled.log").write_text("".join(f"{line}\n" for line in lines))


def line(at: str, sensor: str, ms: int) -> str:
    """A line as Kafka writes it."""
    return f"{at} Channel throttled for sensor ({sensor}). Delay time: ({ms})"


def test_a5_the_last_minute_is_summed_by_login_and_quota(tmp_path: Path) -> None:
    """Older lines, other words and broken lines say nothing; the longest delay comes first."""
    write(
        tmp_path,
        line("2026-11-29T07:58:59.000Z", "Produce-csrc:", 9000),
        line("2026-11-29T07:59:10.000Z", "Produce-mps:", 20),
        line("2026-11-29T07:59:20.500Z", "Request-mps:", 700),
        line("2026-11-29T07:59:30.000Z", "Produce-mps:", 45),
        "2026-11-29T07:59:31.000Z Quota violated for sensor (Produce-mps:). Delay time: (80000)",
        "yesterday Channel throttled for sensor (Produce-mps:). Delay time: (5)",
        "2026-11-29T07:59:32.000Z Channel throttled for sensor (Produce",
    )
    found = [(one.user, one.kind, one.times, one.most_ms) for one in throttled_now(tmp_path, NOW)]
    assert found == [("mps", "Request", 1, 700), ("mps", "Produce", 2, 45)]


def test_a5_who_is_held_back_stands_on_page_and_in_doctor(tmp_path: Path) -> None:
    """Both name the login, the quota and the delay; nothing is said where nobody is held back."""
    assert list(_held_back(tmp_path)) == []
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    write(tmp_path, line(now, "Fetch-spp:", 1200))
    (found,) = _held_back(tmp_path)
    assert (found.name, found.state) == ("throttled", "warn")
    assert found.found == "spp: 读取 reading, 1 x in the last minute, by up to 1200 ms"
    (tmp_path / "state.json").write_text(json.dumps({"services": {}}))
    reader = StatusReader(tmp_path, {"bootstrap_servers": ["127.0.0.1:9"]}, ())
    assert reader.read().held_back == (found.found,)
