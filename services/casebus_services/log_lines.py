"""Log lines of the services: one record is one line of text or JSON, whatever others wrote into it."""

import logging
import logging.handlers
import os
import time
import traceback
from io import TextIOWrapper
from pathlib import Path
from typing import Any

from casebus_schemas.errors import UsageError
from casebus_schemas.texts.harmless import harmless, json_text

FORMAT_VARIABLE = "CASEBUS_LOG_FORMAT"
FILE_VARIABLE = "CASEBUS_LOG_FILE"
TEXT, JSON = "text", "json"

FIELDS = ("event", "events", "chain", "origin", "trace_id", "service")
"""What a record may carry beside its message (`extra`): ids, codes and places. Nothing else is written."""

_FORM = "%(asctime)s %(levelname)s %(name)s %(message)s"


class LineFormatter(logging.Formatter):
    """One line a record, controls shown as escapes; the lines of a traceback stand behind a bar.

    So that no text within an error can pass for a record of its own.
    """

    def __init__(self) -> None:
        super().__init__(_FORM)

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the library's name
        """The record itself, without its traceback."""
        return harmless(super().formatMessage(record))

    def formatException(self, ei: object) -> str:  # noqa: N802 - the library's name
        """The traceback."""
        return _behind_bars(super().formatException(ei))  # type: ignore[arg-type]  # a union of theirs

    def formatStack(self, stack_info: str) -> str:  # noqa: N802 - the library's name
        """Where the record was made, if it says so."""
        return _behind_bars(super().formatStack(stack_info))


class JsonFormatter(logging.Formatter):
    """One JSON object a line: `at` (UTC, milliseconds), `level`, `logger`, `message`, and FIELDS as given.

    Of an error its kind (`error`) and the places it came through (`trace`), not its text, which may quote
    what others wrote.
    """

    def format(self, record: logging.LogRecord) -> str:
        """The record."""
        at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        body: dict[str, Any] = {
            "at": f"{at}.{int(record.msecs):03d}Z",
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        body |= {name: vars(record)[name] for name in FIELDS if name in vars(record)}
        if record.exc_info and record.exc_info[0] is not None:
            frames = traceback.extract_tb(record.exc_info[2])
            body["error"] = record.exc_info[0].__name__
            body["trace"] = [f"{Path(one.filename).name}:{one.lineno} {one.name}" for one in frames]
        return json_text(body)


class _MovedFile(logging.handlers.WatchedFileHandler):
    """A file that is begun anew once it was moved away; what else the process writes goes there, too."""

    def _open(self) -> TextIOWrapper:
        stream = super()._open()
        for descriptor in (1, 2):
            os.dup2(stream.fileno(), descriptor)
        return stream


def log_lines(level: int = logging.INFO) -> None:
    """Everything that is logged in this process goes to standard error, or the file that is named, as lines.

    Raises UsageError for a format that is none.
    """
    form = os.environ.get(FORMAT_VARIABLE) or TEXT
    if form not in (TEXT, JSON):
        raise UsageError(FORMAT_VARIABLE, found=repr(form)[:80], expected=f"{TEXT} or {JSON}")
    file = os.environ.get(FILE_VARIABLE)
    handler = _MovedFile(file, encoding="utf-8") if file else logging.StreamHandler()
    handler.setFormatter(JsonFormatter() if form == JSON else LineFormatter())
    logging.basicConfig(level=level, handlers=[handler])


def _behind_bars(text: str) -> str:
    return "\n".join(f"  | {harmless(line)}" for line in text.split("\n"))
