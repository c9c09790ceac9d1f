"""Notices on holidays that the operator has entered, as this bus's accounts count by them."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Protocol

from casebus_schemas.law.calendar import beijing_day, end_of_day
from casebus_schemas.law.calendars import Calendars, EnteredNotice
from casebus_schemas.law.notice_data import notice_json, notice_of
from casebus_schemas.times import to_datetime, to_moment
from casebus_schemas.wire.json_text import canonical_text

from .reading import Rows


class Tables(Rows, Protocol):
    """A transaction as far as it is written here."""

    def many(self, sql: str, rows: Sequence[tuple[Any, ...]]) -> None:
        """Executes a statement once for each row of parameters."""


_STORED = "SELECT digest, from_ms, body FROM recon_notice ORDER BY from_ms, digest"
_WAKE = (
    "UPDATE recon_chain SET wake_ms = ? WHERE told_ms < ? AND (wake_ms IS NULL OR wake_ms > ?) "
    "AND chain IN (SELECT chain FROM recon_obligation WHERE state NOT IN ('met', 'moot') "
    "AND body LIKE '%\"provisional\":true%') "
    "AND chain NOT IN (SELECT chain FROM recon_set_aside)"
)
"""Wakes each chain in which a duty may wait for a notice (`ChainBook.waits_for_notices` says the same)."""


def entered_calendars(rows: Rows) -> Calendars:
    """Which calendar is in force from when, by what is stored."""
    return _calendars(tuple((bytes(row[0]), row[1], row[2]) for row in rows.rows(_STORED)))


@lru_cache(maxsize=4)
def _calendars(stored: tuple[tuple[bytes, int, str], ...]) -> Calendars:
    return Calendars(
        EnteredNotice(to_datetime(from_ms), digest, notice_of(json.loads(body)))
        for digest, from_ms, body in stored
    )


def missing(rows: Rows, entered: Sequence[EnteredNotice]) -> list[EnteredNotice]:
    """Those of the orders that are not stored."""
    known = {bytes(row[0]) for row in rows.rows(_STORED)}
    return [one for one in entered if one.order not in known]


def enter(transaction: Tables, entered: Iterable[EnteredNotice]) -> None:
    """Stores orders, and wakes the chains that may wait for them. The caller holds the fences of all chains.

    What time has passed already stays as it was counted: an order that comes too late counts from the
    midnight behind the last time that any chain has seen.
    """
    for one in entered:
        told = transaction.rows("SELECT max(told_ms) FROM recon_chain")[0][0]
        from_ms = to_moment(_not_before(one.in_force_from, None if told is None else to_datetime(told)))
        body = canonical_text(notice_json(one.notice))
        transaction.many("INSERT INTO recon_notice VALUES (?,?,?)", [(one.order, from_ms, body)])
        transaction.many(_WAKE, [(from_ms, from_ms, from_ms)])


def _not_before(ordered: datetime, told: datetime | None) -> datetime:
    if told is None or told < ordered:
        return ordered
    midnight = end_of_day(beijing_day(told))
    return midnight if midnight > told else midnight + timedelta(days=1)
