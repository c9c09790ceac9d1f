"""Repeated log lines."""

import logging
from collections.abc import Iterator

import pytest

from casebus_services.streams.quiet import hush


class Lines(logging.Handler):
    """Keeps the text of every line that reaches the root logger."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the line."""
        self.texts.append(record.getMessage())


@pytest.fixture
def lines() -> Iterator[list[str]]:
    """What the root logger is given."""
    handler = Lines()
    logging.getLogger().addHandler(handler)
    yield handler.texts
    logging.getLogger().removeHandler(handler)


@pytest.fixture
def library() -> Iterator[logging.Logger]:
    """A hushed library's logger."""
    logger = logging.getLogger("some_library")
    hush("some_library")
    yield logging.getLogger("some_library.inside")
    logger.handlers.clear()
    logger.propagate = True


def test_a_flood_is_one_line(library: logging.Logger, lines: list[str]) -> None:
    """A thousand equal errors with other arguments are one line."""
    for number in range(1000):
        library.error("broker %s is away", number)
    assert lines == ["broker 0 is away"]


def test_other_lines_pass(library: logging.Logger, lines: list[str]) -> None:
    """A line of another kind passes in the flood."""
    for text in ("away", "away", "back"):
        library.error(text)
    assert lines == ["away", "back"]


def test_what_was_held_back_is_counted(library: logging.Logger, lines: list[str]) -> None:
    """After the interval the line comes again and says how many were left out."""
    for created in (100.0, 101.0, 102.0, 111.0):
        record = library.makeRecord(library.name, logging.ERROR, "file", 1, "away", (), None)
        record.created = created
        library.handle(record)
    assert lines == ["away", "away (2 more like this in 11 s)"]
