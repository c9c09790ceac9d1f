"""One time: a moment is whole milliseconds inside, aware datetimes in rules, text only at the edge.

Text on the wire is RFC 3339 in UTC; text of the law is at +08:00; a person may give a day or a time.
"""

import re
from datetime import UTC, date, datetime, timedelta, timezone
from functools import lru_cache
from typing import NewType

from .errors import UsageError

Moment = NewType("Moment", int)
"""Milliseconds since 1970-01-01T00:00:00Z, without leap seconds: what Avro, Kafka and SQL hold."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
BEIJING = timezone(timedelta(hours=8), "Asia/Shanghai")
"""The zone of all legal days: +08:00 without change since 1991, which is before all law of the bus."""

POSSIBLE_YEARS = range(1900, 9900)
"""Years of times and days on the bus, in UTC: others are slips, and terms counted from them have no end."""
FIRST_MS = (datetime(POSSIBLE_YEARS.start, 1, 1, tzinfo=UTC) - EPOCH) // MILLISECOND
END_MS = (datetime(POSSIBLE_YEARS.stop, 1, 1, tzinfo=UTC) - EPOCH) // MILLISECOND

RFC_3339 = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})", re.ASCII)
"""A time on the wire: with its offset; of a fraction its milliseconds count, what is finer is cut off."""
_DAY = re.compile(r"(\d{4})[-/年](\d{1,2})[-/月](\d{1,2})日?", re.ASCII)
"""A day as people write it: 2016-10-25, 2016/10/25, 2016/1/5 or 2016年10月25日."""
_A_TIME = "2016-10-18T09:00:00+08:00"


def is_possible(time_ms: int) -> bool:
    """Whether a moment lies in a possible year."""
    return FIRST_MS <= time_ms < END_MS


def to_datetime(time_ms: int) -> datetime:
    """Aware UTC datetime of milliseconds since 1970. Raises OverflowError outside the years 1 to 9999."""
    return EPOCH + MILLISECOND * time_ms


@lru_cache(maxsize=16384)  # each time is asked for again by rows, headers and announcements
def to_moment(time: datetime) -> Moment:
    """Milliseconds since 1970 UTC of an aware datetime; what is finer is cut off."""
    since = time - EPOCH  # its seconds and microseconds are never negative
    return Moment(since.days * 86_400_000 + since.seconds * 1000 + since.microseconds // 1000)


def utc_text(time_ms: int) -> str:
    """RFC 3339 text in UTC with milliseconds where there are any."""
    text = to_datetime(time_ms).isoformat(timespec="milliseconds" if time_ms % 1000 else "seconds")
    return text.replace("+00:00", "Z")


def parse_utc_text(text: str) -> Moment:
    """The moment of an RFC 3339 time with offset. Raises ValueError for any other text."""
    if not RFC_3339.fullmatch(text):
        raise ValueError(f"not an RFC 3339 time with offset: {text!r}")
    return to_moment(datetime.fromisoformat(text))


def in_beijing(moment: datetime) -> datetime:
    """An aware time at +08:00. The last hours of year 9999, which have no Beijing time, stay as they are."""
    return moment if moment.tzinfo is BEIJING else _converted(moment)


@lru_cache(maxsize=8192)
def _converted(moment: datetime) -> datetime:
    try:
        return moment.astimezone(BEIJING)
    except OverflowError:
        return moment


@lru_cache(maxsize=16384)
def beijing_text(moment: datetime) -> str:
    """ISO text of an aware time at +08:00, with milliseconds where there are any."""
    local = in_beijing(moment)
    return local.isoformat(timespec="milliseconds" if local.microsecond else "seconds")


def read_time(text: str) -> datetime:
    """A time as a person gives it, aware: without an offset it is Beijing time, a day alone its beginning.

    Raises UsageError for other texts.
    """
    found = _parsed(text)
    return midnight(found) if not isinstance(found, datetime) else found


def read_end(text: str) -> datetime:
    """As `read_time`, but a day alone means all of it: its end, 24:00."""
    found = _parsed(text)
    if isinstance(found, datetime):
        return found
    try:
        return midnight(found) + timedelta(days=1)
    except OverflowError as error:
        raise UsageError(
            "no time is so late", found=repr(text[:40]), expected="a day before 9999-12-31"
        ) from error


def last_instant(text: str) -> datetime:
    """As `read_end`, but of a day alone the last millisecond: the day after has not begun.

    Raises UsageError for other texts.
    """
    found = _parsed(text)
    return found if isinstance(found, datetime) else read_end(text) - MILLISECOND


def read_day_or_time(text: str) -> date | datetime:
    """A day where only the day is given, otherwise an aware time. Raises UsageError for other texts."""
    return _parsed(text)


def read_day(text: str) -> date:
    """A day. Raises UsageError for other texts."""
    found = _DAY.fullmatch(text.strip())
    try:
        return date(*map(int, found.groups())) if found else date.fromisoformat(text)
    except ValueError as error:
        raise UsageError("not a day", found=repr(text[:40]), expected="2016-10-18") from error


def read_exact_time(text: str) -> datetime:
    """A time with its offset, for what becomes a record. Raises UsageError for other texts."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError("not a time", found=repr(text[:40]), expected=_A_TIME) from error
    if moment.tzinfo is None:
        raise UsageError("the time needs its offset", found=text, expected="+08:00 or Z at its end")
    return moment


def _parsed(text: str) -> date | datetime:
    spelled = text.strip().replace("/", "-")
    try:
        if day := _DAY.fullmatch(text.strip()):
            return date(*map(int, day.groups()))
        moment = datetime.fromisoformat(spelled)
    except ValueError as error:
        raise UsageError(
            "not a day or time", found=repr(text[:40]), expected=f"2016-10-18 or {_A_TIME}"
        ) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=BEIJING)


def midnight(day: date) -> datetime:
    """The first instant of a day in Beijing."""
    return datetime(day.year, day.month, day.day, tzinfo=BEIJING)
