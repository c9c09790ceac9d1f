"""How a duty stands: the states of records.md 5 as a function of readings, answers and the time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from .calendar import beijing_day
from .terms import Reading

State = Literal["open", "due", "contested", "overdue", "met", "moot", "lapsed", "waiting"]

_INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Answer:
    """An event that meets or ends a duty: when it says it happened, and when the bus admitted it."""

    by_claim: datetime
    provably: datetime


def state_at(
    now: datetime,
    readings: Sequence[Reading],
    *,
    met: Answer | None = None,
    moot: Answer | None = None,
    is_right: bool = False,
    begins: datetime | None = None,
    stands_since: datetime | None = None,
) -> State:
    """State of a duty at `now`.

    Met: answered in time on every reading, by claim and provably. Contested: in time only on some reading
    or only by claim; unanswered, past the earliest reading but not the latest. Overdue: past every reading,
    answered since or not. Moot: ended without an answer while it was not overdue. A provisional reading is
    past for certain only at its `latest_possible`: until then it contests what the others say.

    A right that was not used in time is lapsed where a duty is overdue: nobody is accused of it. Waiting:
    before `begins`, where time must pass first. From `stands_since` on an unanswered duty stands still.
    """
    if met is None and moot is None and begins is not None and now < begins:
        return "waiting"
    looked_at = now if stands_since is None else min(now, stands_since)
    state = _of_duty(looked_at, readings, met, moot)
    return "lapsed" if is_right and state == "overdue" else state


def _of_duty(now: datetime, readings: Sequence[Reading], met: Answer | None, moot: Answer | None) -> State:
    if met is not None:
        if all(r.holds(met.by_claim) and r.holds(met.provably) for r in readings):
            return "met"
        return "contested" if any(r.may_hold(met.by_claim) for r in readings) else "overdue"
    if moot is not None and any(r.may_hold(moot.by_claim) for r in readings):
        return "moot"
    if not any(r.may_hold(now) for r in readings):
        return "overdue"
    if not all(r.holds(now) for r in readings):
        return "contested"
    earliest = min(reading.due for reading in readings)
    return "due" if beijing_day(now) == last_day_of(earliest) else "open"


def last_day_of(due: datetime) -> date:
    """The Beijing day on which a term ends: 24:00 belongs to the day before."""
    return beijing_day(due - _INSTANT)
