"""Terms as iCalendar (RFC 5545): whole days, one for the first and one for the last reading."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from casebus_consumers.desk.board import is_running
from casebus_consumers.desk.desk import Glance
from casebus_consumers.desk.words import Words
from casebus_schemas.times import in_beijing

from .terms import duty_title, ends_of, parties_of

_LONGEST = 73
"""Octets of a line before it is folded (RFC 5545, 3.1)."""
_A_MS = timedelta(milliseconds=1)


def calendar_file(glance: Glance, own: str, w: Words) -> str:
    """The text of the file."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//casebus//desk//ZH", "METHOD:PUBLISH"]
    lines.append(f"X-WR-CALNAME:{_text(w('due.calendar_name', agency=w.agency(own)))}")
    for duty in glance.duties:
        if not is_running(duty):
            continue
        numbers = glance.cases[duty["chain"]].names["numbers"][:1] or [duty["chain"][:8]]
        first, last = ends_of(duty)
        for which, end in (("first", first), ("last", last)):
            if which == "first" and first == last:
                continue
            day = in_beijing(end - _A_MS).date()
            title = f"{duty_title(duty, w)} {w('due.' + which)} {numbers[0]}"
            lines += [
                "BEGIN:VEVENT",
                f"UID:{duty['id']}-{which}@casebus",
                f"DTSTAMP:{_utc(glance.now)}",
                f"DTSTART;VALUE=DATE:{day:%Y%m%d}",
                f"DTEND;VALUE=DATE:{day + timedelta(days=1):%Y%m%d}",
                f"SUMMARY:{_text(title)}",
                f"DESCRIPTION:{_text(parties_of(duty, own, w))}",
                "TRANSP:TRANSPARENT",
                "END:VEVENT",
            ]
    lines.append("END:VCALENDAR")
    return "\r\n".join(part for line in lines for part in _folded(line)) + "\r\n"


def _utc(moment: datetime) -> str:
    return f"{moment:%Y%m%dT%H%M%SZ}"


def _text(text: str) -> str:
    plain = "".join(one if one.isprintable() else " " for one in text)
    return plain.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")


def _folded(line: str) -> Iterator[str]:
    begin = ""
    while len((begin + line).encode()) > _LONGEST:
        cut = _LONGEST
        while len((begin + line[:cut]).encode()) > _LONGEST:
            cut -= 1
        yield begin + line[:cut]
        begin, line = " ", line[cut:]
    yield begin + line
