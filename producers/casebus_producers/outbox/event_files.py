"""Events in files: JSON lines, or JSON documents in any layout, each with the line where it begins."""

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from queue import Queue
from threading import Thread
from typing import TextIO

from casebus_schemas.errors import UsageError
from casebus_schemas.wire.door import DoorProblem

STANDARD_INPUT = Path("-")
_AT_ONCE = 500
"""Most events that are handed over together."""
_QUIET_S = 0.5
_DECODER = json.JSONDecoder()


def read_events(file: Path) -> Iterator[tuple[int, object]]:
    """Line number and parsed JSON of each event; a list counts as its members. `-` is the standard input.

    Raises UsageError if the file cannot be read, DoorProblem (pointer "") naming the line if it is no JSON.
    """
    try:
        text = sys.stdin.read() if file == STANDARD_INPUT else file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise UsageError(
            f"cannot read {file}", found=error.strerror, expected="a file of CloudEvents JSON"
        ) from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{file} is not UTF-8", found=str(error), expected="UTF-8 text") from error
    at = _skip_space(text, 0)
    while at < len(text):
        line = text.count("\n", 0, at) + 1
        try:
            value, end = _DECODER.raw_decode(text, at)
        except ValueError as error:
            raise _not_json(file, line, error) from error
        for event in value if isinstance(value, list) else [value]:
            yield line, event
        at = _skip_space(text, end)


def arriving_events(stream: TextIO) -> Iterator[list[tuple[int, object] | DoorProblem]]:
    """Events of a stream as they come, each as soon as it is whole; together what came meanwhile.

    What is no JSON stands as a DoorProblem in its place, and the next line begins anew.
    """
    lines: Queue[str | None] = Queue()

    def read() -> None:
        for line in stream:
            lines.put(line)
        lines.put(None)

    Thread(target=read, daemon=True).start()
    text, first, number = "", 1, 0
    line: str | None = ""
    while line is not None:
        found: list[tuple[int, object] | DoorProblem] = []
        line = lines.get()
        while True:
            if line is not None:
                number += 1
                text += line
            whole, text = _whole(text, first, at_end=line is None)
            found.extend(whole)
            if not text.strip():
                text, first = "", number + 1
            if line is None or lines.empty() or len(found) >= _AT_ONCE:
                break
            line = lines.get()
        if found:
            yield found


def _whole(text: str, line: int, *, at_end: bool) -> tuple[list[tuple[int, object] | DoorProblem], str]:
    """The whole documents at the beginning of a text, and what is left of it."""
    found: list[tuple[int, object] | DoorProblem] = []
    at = _skip_space(text, 0)
    while at < len(text):
        here = line + text.count("\n", 0, at)
        try:
            value, at = _DECODER.raw_decode(text, at)
        except json.JSONDecodeError as error:
            # An error at the end may be mended by the next line.
            if not at_end and (error.pos >= len(text.rstrip()) or "Unterminated" in error.msg):
                break
            found.append(_not_json(STANDARD_INPUT, here, error))
            return found, ""
        found.extend((here, event) for event in (value if isinstance(value, list) else [value]))
        at = _skip_space(text, at)
    return found, text[at:]


def arriving_files(folder: Path) -> Iterator[Path]:
    """Files of events that stand in a folder or come into it, each once nobody has written it for a moment.

    Whoever takes one moves it away. Ends never. Raises UsageError if there is no such folder.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder", expected="a folder into which files of events come")
    while True:
        for file in sorted(folder.iterdir()):
            if file.suffix in (".json", ".jsonl") and time.time() - file.stat().st_mtime > _QUIET_S:
                yield file
        time.sleep(_QUIET_S)


def _not_json(file: Path, line: int, error: ValueError) -> DoorProblem:
    return DoorProblem(
        "",
        f"{file}, line {line}: not JSON",
        found=str(error),
        expected="one event a line, or JSON documents",
    )


def _skip_space(text: str, at: int) -> int:
    while at < len(text) and text[at] in " \t\r\n":
        at += 1
    return at
