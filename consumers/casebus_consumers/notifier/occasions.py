"""What officers are told of: notices that came, and own terms by how near their end is."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from casebus_consumers.desk.board import is_running
from casebus_consumers.desk.shown.terms import duty_title, ends_of, is_owed_by, left_of, span_of
from casebus_consumers.desk.words import Words
from casebus_consumers.own.store import FORGED, NOTICE, Entry
from casebus_schemas.agencies import BUS, MEMBERS
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.times import to_datetime

from .settings import Level

_RECEIPT = "receipt."
_RULE = re.compile(r"[A-Z]{1,4}\d{1,3}\Z")
_ID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\Z")
HEARERS: dict[str, frozenset[Level]] = {
    "near": frozenset({"liaison"}),
    "due": frozenset({"liaison", "head"}),
    "overdue": frozenset({"liaison", "head", "procuratorate"}),
}
"""Who hears of a term at which stage: the circle grows as its end nears and passes."""


@dataclass(frozen=True, slots=True)
class Occasion:
    """One thing to be told once: `key` tells it from all others, `line` says it without personal data."""

    key: str
    stage: str
    """`notice`, `forged`, or of a term `near`, `due`, `overdue`."""
    line: str
    levels: frozenset[Level]
    path: str | None = None
    """Where at the desk it stands."""


def notices(entries: Iterable[Entry], w: Words, catalog: Catalog) -> Iterator[Occasion]:
    """What came into the inbox, but receipts. Words of the catalogue alone: texts, numbers and ids that
    strangers chose stay at the desk."""
    for entry in entries:
        if entry.kind == NOTICE:
            if str(entry.type).startswith(_RECEIPT):
                continue
            known = entry.type in catalog.types
            what = w.title(str(entry.type)) if known else w("mail.unknown_type")
            member = str(entry.speaker).partition("/")[0]
            who = w.short(member) if member in (*MEMBERS, BUS) else w("mail.unknown_speaker")
            at = "" if entry.admitted_at_ms is None else w.time(to_datetime(entry.admitted_at_ms))
            line, stage, key = w.gap.join((at, who, what)), "notice", f"notice:{entry.notice}"
        else:
            forged = entry.kind == FORGED
            line = w("mail.forged") if forged else w("mail.unreadable")
            stage, key = "forged" if forged else "notice", f"{entry.kind}:{entry.seq}"
        yield Occasion(key, stage, line, HEARERS["near"], f"/inbox/{entry.seq}")


def terms(
    duties: Iterable[dict[str, Any]], agency: str, now: datetime, near_days: int, w: Words
) -> Iterator[Occasion]:
    """Own running terms that are near, due or overdue. One whose end moves is told of anew."""
    for duty in duties:
        if not is_owed_by(duty, agency) or not is_running(duty) or duty.get("right"):
            continue
        stage = _stage(duty, now, near_days)
        if stage is None:
            continue
        first, last = ends_of(duty)
        title = duty_title(duty, w) if _RULE.match(duty["rule"]) else w("mail.a_term")
        line = w.gap.join((left_of(duty, now, w).text, title, span_of(duty, w)))
        path = f"/due/{duty['id']}" if _ID.match(duty["id"]) else None
        key = f"term:{duty['id']}:{stage}:{(last if stage == 'overdue' else first).date()}"
        yield Occasion(key, stage, line, HEARERS[stage], path)


def _stage(duty: dict[str, Any], now: datetime, near_days: int) -> str | None:
    if duty["state"] in ("due", "contested", "overdue"):
        return "overdue" if duty["state"] == "overdue" else "due"
    first, _ = ends_of(duty)
    return "near" if duty["state"] == "open" and first - timedelta(days=near_days) <= now else None
