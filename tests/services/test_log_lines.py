"""Log lines: one record is one line, whatever others wrote into it."""

import io
import logging

from casebus_services.log_lines import LineFormatter

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
