"""Log lines of the services: one record is one line, whatever text of others stands in it."""

import logging

from casebus_schemas.texts.harmless import harmless

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


def log_lines(level: int = logging.INFO) -> None:
    """Everything that is logged in this process goes to standard error as such lines."""
    handler = logging.StreamHandler()
    handler.setFormatter(LineFormatter())
    logging.basicConfig(level=level, handlers=[handler])


def _behind_bars(text: str) -> str:
    return "\n".join(f"  | {harmless(line)}" for line in text.split("\n"))
