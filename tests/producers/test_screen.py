"""The door to the terminal: nothing foreign passes it raw."""

import json
import subprocess
import sys

import pytest

from casebus_producers.screen import say, say_json

HOSTILE = "\x1b]0;owned\x07\x9b2J\u202e\r\n2026-11-28 INFO forged"


def test_b9_a_line_stays_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """What is said is one printed line without controls, on either stream."""
    say(HOSTILE)
    say(HOSTILE, err=True)
    for text in capsys.readouterr():
        assert text.endswith("forged\n")
        assert text.removesuffix("\n").isprintable()


def test_b9_json_is_readable_and_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    """JSON is read back as it was given and prints no control."""
    say_json({"name": HOSTILE})
    text = capsys.readouterr().out
    assert json.loads(text) == {"name": HOSTILE}
    assert text.removesuffix("\n").isprintable()


def test_b9_an_error_that_nobody_caught_is_quiet() -> None:
    """The traceback of a crash shows the foreign text within its message as escapes."""
    code = (
        "from casebus_producers.screen import crashes_are_harmless\n"
        "crashes_are_harmless()\n"
        f"import logging; logging.getLogger('one').warning({HOSTILE!r})\n"
        f"raise ValueError({HOSTILE!r})\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert ended.returncode == 1
    assert "ValueError" in ended.stderr
    first, *rest = ended.stderr.removesuffix("\n").split("\n")
    assert first.endswith("forged")
    assert all(line.startswith("  | ") for line in rest)
    assert all(line.isprintable() for line in ended.stderr.splitlines())
    assert "\x1b" not in ended.stderr
