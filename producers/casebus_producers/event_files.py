"""Events in files: JSON lines, or JSON documents in any layout, each with the line where it begins."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

from casebus_schemas.errors import UsageError
from casebus_schemas.wire.door import DoorProblem

STANDARD_INPUT = Path("-")
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
            raise DoorProblem(
                "",
                f"{file}, line {line}: not JSON",
                found=str(error),
                expected="one event a line, or JSON documents",
            ) from error
        for event in value if isinstance(value, list) else [value]:
            yield line, event
        at = _skip_space(text, end)


def _skip_space(text: str, at: int) -> int:
    while at < len(text) and text[at] in " \t\r\n":
        at += 1
    return at
