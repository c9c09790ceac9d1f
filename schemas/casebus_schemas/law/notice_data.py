"""A notice as it is written in a file, an order and a table; what a file says is checked strictly."""

import re
from collections.abc import Mapping
from datetime import date
from typing import Any, NoReturn

from casebus_schemas.errors import UsageError

from .calendar import Calendar, published
from .notices import MovedDay, MoveKind, Notice
from .statutory import is_statutory

KEYS: dict[MoveKind, str] = {"off": "days_off", "work": "workdays", "usual": "as_usual"}
"""Under which key a notice lists its days of each kind (YAML takes a bare `off` for no)."""
_TEXTS = {"number": 60, "title": 200, "source": 300}
_NUMBER = re.compile(r"\S{2,20}〔(\d{4})〕[1-9]\d{0,3}号")
_YEARS = range(2001, 2101)
_BORROWED_FROM = (12, 25)
_MOST_DAYS = 100


def notice_json(notice: Notice) -> dict[str, Any]:
    """The notice as JSON: as in a file, its days by kind, and how its day is known."""
    days = {
        key: [moved.day.isoformat() for moved in notice.days if moved.kind == kind]
        for kind, key in KEYS.items()
    }
    return {
        "year": notice.year,
        "number": notice.number,
        "title": notice.title,
        "known_since": notice.known_since.isoformat(),
        "known_by": notice.known_by,
        "verified": notice.verified,
        "source": notice.source,
        **days,
    }


def notice_of(body: Mapping[str, Any]) -> Notice:
    """The notice that a file, an order or a stored row holds. Raises UsageError if it has not that form."""
    known = {"year", *_TEXTS, "known_since", *KEYS.values()}
    strange = sorted(map(str, body.keys() - known - {"known_by", "verified"}))
    missing = sorted(known - {"as_usual"} - set(body))
    if strange or missing:
        _refuse("keys of a notice", [*strange, *(f"no {name}" for name in missing)], ", ".join(sorted(known)))
    year = body["year"]
    if not isinstance(year, int) or year not in _YEARS:
        _refuse("year", year, f"{_YEARS.start} to {_YEARS.stop - 1}")
    for name, most in _TEXTS.items():
        text = body[name]
        if not isinstance(text, str) or not 1 <= len(text) <= most or not text.isprintable():
            _refuse(name, text, f"1 to {most} characters on one line")
    days: list[MovedDay] = []
    for kind, key in KEYS.items():
        listed = body.get(key) or ()
        if not isinstance(listed, list | tuple):
            _refuse(key, listed, "a list of days")
        days.extend(MovedDay(_day(key, day), kind, body["title"]) for day in listed)
    return Notice(
        id=body["number"],
        year=year,
        number=body["number"],
        title=body["title"],
        known_since=_day("known_since", body["known_since"]),
        known_by="publication",
        verified=True,
        source=body["source"],
        days=tuple(sorted(days)),
    )


def check_notice(notice: Notice, calendar: Calendar | None = None) -> None:
    """Refuses what no notice says, seen from the calendar of those that are known. Raises UsageError."""
    known = calendar or published()
    year, days = notice.year, [moved.day for moved in notice.days]
    number = _NUMBER.fullmatch(notice.number or "")
    if number is None or int(number[1]) not in (year - 1, year):
        _refuse("number", notice.number, f"such as 国办发明电〔{year - 1}〕7号, of {year - 1} or {year}")
    if any(other.number == notice.number for other in known.notices):
        _refuse("number", notice.number, "one that is not known yet", "casebus law holidays list")
    if not re.match(r"https?://\S+$", notice.source):
        _refuse("source", notice.source, "the address of its text")
    if not 1 <= len(days) <= _MOST_DAYS or len(set(days)) < len(days):
        _refuse("days", f"{len(days)}, {len(set(days))} of them different", f"1 to {_MOST_DAYS}, each once")
    for moved in notice.days:
        _check_day(moved, year, known)
    if not date(year - 1, 1, 1) <= notice.known_since <= min(days):
        _refuse("known_since", notice.known_since, f"a day of {year - 1} or {year} before the days it moves")
    has_days_off = any(moved.kind == "off" for moved in notice.days)
    if known.years and year not in known.years and not (year - 1 in known.years and has_days_off):
        _refuse("year", year, f"{max(known.years) + 1}, the next year, and its days off")


def _check_day(moved: MovedDay, year: int, known: Calendar) -> None:
    day, weekend = moved.day, moved.day.weekday() >= 5
    borrowed = day.year == year - 1 and (day.month, day.day) >= _BORROWED_FROM
    if day.year != year and not borrowed:
        _refuse(KEYS[moved.kind], day, f"a day of {year}, or of the end of December {year - 1}")
    if moved.kind == "off" and weekend:
        _refuse("days_off", f"{day:%Y-%m-%d %A}", "a day from Monday to Friday")
    if moved.kind == "work" and (not weekend or is_statutory(day)):
        _refuse("workdays", f"{day:%Y-%m-%d %A}", "a Saturday or Sunday that is no holiday by law")
    if moved.kind == "usual" and known.occasion(day) is None:
        _refuse("as_usual", day, "a day that an earlier notice has moved")


def _day(name: str, value: object) -> date:
    try:
        return value if type(value) is date else date.fromisoformat(str(value))
    except ValueError as error:
        raise UsageError(
            f"not in a notice on holidays: {name}", found=str(value)[:40], expected="a day such as 2027-01-01"
        ) from error


def _refuse(what: str, found: object, expected: str, remedy: str | None = None) -> NoReturn:
    raise UsageError(
        f"not in a notice on holidays: {what}", found=str(found)[:120], expected=expected, remedy=remedy
    )
