"""Keys as an operator reads them: whose, for what, from when to when, and whether their end is near."""

import time
from collections.abc import Iterable

from casebus_consumers.desk.operation import Cell
from casebus_consumers.desk.words import Words
from casebus_schemas.admission.key_terms import WARNED_MS
from casebus_schemas.evidence.key_entry import KeyEntry
from casebus_schemas.times import to_datetime


def key_rows(entries: Iterable[KeyEntry], w: Words, *, whose: bool) -> list[list[Cell]]:
    """A row a key, those in force first; `whose` adds the holder's name."""
    now_ms = time.time_ns() // 1_000_000
    rows = []
    for one in sorted(entries, key=lambda one: (one.ended_ms is not None, one.agency, one.role)):
        holder = f"{w.agency(one.agency)}{w.gap}" if whose else ""
        rows.append(
            [
                Cell(f"{holder}{one.key_id.hex()[:16]}…"),
                Cell(w("operate.use_encrypt" if one.role == "encrypt" else "operate.use_event")),
                _moment(one.not_before_ms, w),
                _end(one, now_ms, w),
            ]
        )
    return rows


def _moment(at_ms: int | None, w: Words) -> Cell:
    return Cell("–" if at_ms is None else w.time(to_datetime(at_ms)))


def _end(one: KeyEntry, now_ms: int, w: Words) -> Cell:
    if one.ended_ms is not None:
        return Cell(w.time(to_datetime(one.ended_ms)), "quiet", w("operate.key_ended"))
    if one.not_after_ms is None:
        return Cell(w("operate.key_open"), "quiet")
    left_ms = one.not_after_ms - now_ms
    near = left_ms < WARNED_MS
    small = (w("operate.key_over") if left_ms < 0 else w("operate.key_near")) if near else ""
    shade = "danger" if left_ms < 0 else "warning" if near else ""
    return Cell(w.time(to_datetime(one.not_after_ms)), shade, small)
