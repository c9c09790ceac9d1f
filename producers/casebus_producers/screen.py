"""The one door to the terminal: every command prints through it, and nothing foreign passes it raw."""

import logging
import sys
from types import TracebackType
from typing import Any

import typer

from casebus_schemas.errors import BusError
from casebus_schemas.texts.harmless import harmless, json_text


def say(line: str = "", *, err: bool = False) -> None:
    """Prints one line. Whatever control character stands in it is shown as an escape, line ends too."""
    typer.echo(harmless(line), err=err)


def say_json(body: Any, *, indent: int | None = None, err: bool = False) -> None:
    """Prints JSON, on one line unless indented."""
    typer.echo(json_text(body, indent=indent), err=err)


def complain(error: BusError) -> None:
    """Says on the error output, as JSON in both languages, what went wrong."""
    from casebus_schemas.texts.errors import detail_in_chinese

    problem = {"error": type(error).__name__, "detail": error.detail, "zh": detail_in_chinese(error)}
    say_json(problem, err=True)


def is_terminal() -> bool:
    """Whether a person looks at the standard output."""
    return sys.stdout.isatty()


def show_crash(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """An excepthook: the traceback of a fault of ours, whose message may hold foreign text.

    Its lines stand behind a bar, so that no text within can pass for another line of output.
    """
    import traceback

    typer.echo(_behind_bars("".join(traceback.format_exception(kind, error, trace)).rstrip("\n")), err=True)


def crashes_are_harmless() -> None:
    """From now on an error that nobody catches, and a warning that nobody handles, shows no raw control."""
    sys.excepthook = show_crash
    if logging.lastResort is not None:
        logging.lastResort.setFormatter(_Harmless())


class _Harmless(logging.Formatter):
    """The message in one line; a traceback stands behind a bar."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the library's name
        return harmless(super().formatMessage(record))

    def formatException(self, ei: Any) -> str:  # noqa: N802 - the library's name
        return _behind_bars(super().formatException(ei))


def _behind_bars(text: str) -> str:
    return "\n".join(f"  | {harmless(line)}" for line in text.split("\n"))
