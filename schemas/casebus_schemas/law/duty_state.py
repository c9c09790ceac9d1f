"""How a duty stands: the states of records.md 5 as a function of readings, answers and the time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from casebus_schemas.times import in_beijing

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
    # Ends are Beijing times: times of one zone are compared in a tenth of the time.
    state = _of_duty(in_beijing(looked_at), readings, met, moot)
    return "lapsed" if is_right and state == "overdue" else state


def _of_duty(now: datetime, readings: Sequence[Reading], met: Answer | None, moot: Answer | None) -> State:
    if met is not None:
        claimed, provably = in_beijing(met.by_claim), in_beijing(met.provably)
        if _holds(readings, claimed) and _holds(readings, provably):
            return "met"
        return "contested" if _may_hold(readings, claimed) else "overdue"
    if moot is not None and _may_hold(readings, in_beijing(moot.by_claim)):
        return "moot"
    if not _may_hold(readings, now):
        return "overdue"
    if not _holds(readings, now):
        return "contested"
    earliest = min(reading.due for reading in readings)
    return "due" if beijing_day(now) == last_day_of(earliest) else "open"


def _holds(readings: Sequence[Reading], moment: datetime) -> bool:
    """Whether something done at a moment is within every reading."""
    for reading in readings:  # noqa: SIM110 - a generator takes twice as long
        if not reading.holds(moment):
            return False
    return True


def _may_hold(readings: Sequence[Reading], moment: datetime) -> bool:
    """Whether it is possible that it is within one of them."""
    for reading in readings:  # noqa: SIM110 - as above
        if reading.may_hold(moment):
            return True
    return False


def last_day_of(due: datetime) -> date:
    """The Beijing day on which a term ends: 24:00 belongs to the day before."""
    return beijing_day(due - _INSTANT)
