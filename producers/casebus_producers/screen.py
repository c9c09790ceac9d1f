"""The one door to the terminal: every command prints through it, and nothing foreign passes it raw."""

import sys
import traceback
from types import TracebackType
from typing import Any

import typer

from casebus_schemas.texts.harmless import harmless, json_text


def say(line: str = "", *, err: bool = False) -> None:
    """Prints one line. Whatever control character stands in it is shown as an escape, line ends too."""
    typer.echo(harmless(line), err=err)


def say_json(body: Any, *, indent: int | None = None, err: bool = False) -> None:
    """Prints JSON, on one line unless indented."""
    typer.echo(json_text(body, indent=indent), err=err)


def show_crash(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """An excepthook: the traceback of a fault of ours, whose message may hold foreign text."""
    for line in "".join(traceback.format_exception(kind, error, trace)).rstrip("\n").split("\n"):
        typer.echo(harmless(line), err=True)


def crashes_are_harmless() -> None:
    """From now on an error that nobody catches is shown through this door."""
    sys.excepthook = show_crash
