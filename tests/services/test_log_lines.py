"""Log lines: one record is one line, whatever others wrote into it."""

import io
import json
import logging
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from casebus_deploy.stack.log_files import move_long
from casebus_schemas.errors import UsageError
from casebus_services.log_lines import JsonFormatter, LineFormatter, log_lines

HOSTILE = "name\x1b[2J\u202e\r\n2026-11-28 00:00:00,000 INFO router all is well"


def logged(error: Exception | None) -> list[str]:
    """The lines of one hostile record."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(LineFormatter())
    log = logging.Logger("one")
    log.addHandler(handler)
    log.warning("heard %s", HOSTILE, exc_info=error)
    return stream.getvalue().rstrip("\n").split("\n")


def test_b9_a_record_is_one_line() -> None:
    """A line end or control in a text cannot forge a second record."""
    (line,) = logged(None)
    assert line.isprintable()
    assert line.endswith("all is well")


def test_b9_a_traceback_forges_no_record() -> None:
    """The lines of a traceback stand behind a bar, those too that a message of an error begins."""
    first, *rest = logged(ValueError(HOSTILE))
    assert first.isprintable()
    assert rest
    assert all(line.startswith("  | ") and line.isprintable() for line in rest)


def logged_as_json(error: Exception | None = None, **extra: object) -> dict[str, Any]:
    """The one object of one hostile record."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter())
    log = logging.Logger("one")
    log.addHandler(handler)
    try:
        if error is not None:
            raise error
    except Exception:
        log.exception("heard %s", HOSTILE, extra=extra)
    else:
        log.warning("heard %s", HOSTILE, extra=extra)
    (line,) = stream.getvalue().splitlines()
    assert line.isprintable()
    found: dict[str, Any] = json.loads(line)
    return found


def test_a_json_line_holds_ids_and_nothing_else_beside_the_message() -> None:
    """Of what a caller adds only ids and places are written: a name in an unknown field stays out."""
    found = logged_as_json(event="0190163d-8694-739b-aea5-966c26f8ad91", suspect="someone's name")
    assert found.pop("at").endswith("Z")
    assert found == {
        "level": "WARNING",
        "logger": "one",
        "message": f"heard {HOSTILE}",
        "event": "0190163d-8694-739b-aea5-966c26f8ad91",
    }


def test_the_text_of_an_error_stays_out_of_json() -> None:
    """What an error quotes may be personal: its kind and its way are written, its text is not."""
    found = logged_as_json(ValueError("a suspect's name"))
    assert found["error"] == "ValueError"
    assert any("test_log_lines.py" in place for place in found["trace"])
    assert "suspect" not in json.dumps(found)


def test_another_format_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A slip in the format ends the service before it logs in another form than meant."""
    monkeypatch.setenv("CASEBUS_LOG_FORMAT", "jsn")
    with pytest.raises(UsageError, match="jsn"):
        log_lines()


def test_a_log_that_was_moved_away_is_begun_anew(tmp_path: Path) -> None:
    """A service goes on in a new file, with all that it writes; the moved one keeps what it had."""
    file = tmp_path / "router.log"
    program = (
        "import logging, os, sys\n"
        "from casebus_services.log_lines import log_lines\n"
        "answers = os.fdopen(os.dup(1), 'w')\n"
        "log_lines()\n"
        "for word in sys.stdin:\n"
        "    logging.info('logged %s', word.strip())\n"
        "    os.write(2, f'written {word}'.encode())\n"
        "    print('done', file=answers, flush=True)\n"
    )
    env = {"CASEBUS_LOG_FILE": str(file)}
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env) as one:
        assert one.stdin is not None
        assert one.stdout is not None
        for word in ("first", "second"):
            one.stdin.write(f"{word}\n")
            one.stdin.flush()
            assert one.stdout.readline() == "done\n"
            if word == "first":
                assert move_long(file, most_bytes=1)
        one.stdin.close()
    old, new = (tmp_path / "router.1.log").read_text(), file.read_text()
    assert ("logged first" in old, "written first" in old) == (True, True)
    assert ("logged second" in new, "written second" in new) == (True, True)


def test_old_logs_are_forgotten(tmp_path: Path) -> None:
    """A few older files stay, in order; the oldest goes. A short log stays where it is."""
    file = tmp_path / "router.log"
    for number in range(5):
        file.write_text(f"{number}" * 100)
        assert move_long(file, most_bytes=50, kept=3)
    file.write_text("short")
    assert not move_long(file, most_bytes=50, kept=3)
    assert not move_long(tmp_path / "none.log", most_bytes=50)
    assert {one.name: one.read_text()[0] for one in tmp_path.iterdir()} == {
        "router.log": "s",
        "router.1.log": "4",
        "router.2.log": "3",
        "router.3.log": "2",
    }
