"""Notices on holidays in files: for the order that enters one, and for programs without a bus."""

from collections.abc import Iterable
from pathlib import Path

from casebus_schemas.errors import UsageError
from casebus_schemas.law.calendar import Calendar, published
from casebus_schemas.law.notice_data import check_notice, notice_of
from casebus_schemas.law.notices import Notice
from casebus_schemas.strict_yaml import read_yaml


def read_notice(file: Path, known: Calendar | None = None) -> Notice:
    """The notice in a YAML or JSON file, seen from the notices that are known. Raises UsageError."""
    notice = parsed_notice(file)
    check_notice(notice, known)
    return notice


def parsed_notice(file: Path) -> Notice:
    """What has the form of a notice in a YAML or JSON file. Raises UsageError."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError("the notice cannot be read", found=str(error), expected="a YAML file") from error
    body = read_yaml(str(file), text)
    if not isinstance(body, dict):
        raise UsageError("not a notice on holidays", found=type(body).__name__, expected="keys and values")
    return notice_of(body)


def calendar_with(files: Iterable[Path]) -> Calendar:
    """The calendar of this package's notices and those in files, in their order. Raises UsageError."""
    calendar = published()
    for file in files:
        calendar = Calendar([*calendar.notices, read_notice(file, calendar)])
    return calendar
