"""Terms as bars over five weeks: where they began, earliest and latest ends, and today. Plain geometry."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from casebus_schemas.law.calendar import Calendar
from casebus_schemas.times import BEIJING, in_beijing

DAYS, A_DAY = 35, 16
WIDTH = DAYS * A_DAY
_BEFORE_TODAY = 9
"""Days of the window before today, at least: the week before begins it."""
_NARROW = 2


@dataclass(frozen=True, slots=True)
class Axis:
    """Five weeks from a Monday; positions are in units of `A_DAY` a day.

    `off` are runs of days on which nobody works, `made_up` weekend days that are worked; `mondays` have a
    date.
    """

    first: date
    today: float
    off: Sequence[tuple[int, int]]
    made_up: Sequence[int]
    mondays: Sequence[tuple[int, date]]

    def at(self, moment: datetime) -> float:
        """The place of a moment, beyond the window too."""
        midnight = datetime(self.first.year, self.first.month, self.first.day, tzinfo=BEIJING)
        return round((moment - midnight) / timedelta(days=1) * A_DAY, 1)


@dataclass(frozen=True, slots=True)
class Bar:
    """One term within the window. None: that part lies outside of it, or is none."""

    start: float | None
    run: tuple[float, float] | None
    band: tuple[float, float] | None
    ticks: Sequence[float] = field(default_factory=tuple)
    targets: Sequence[float] = field(default_factory=tuple)
    late: tuple[float, float] | None = None
    before: bool = False
    after: bool = False


def axis_of(now: datetime, calendar: Calendar) -> Axis:
    """The window around a moment."""
    today = in_beijing(now).date()
    first = today - timedelta(days=_BEFORE_TODAY)
    first -= timedelta(days=first.weekday())
    off: list[tuple[int, int]] = []
    made_up = []
    for number in range(DAYS):
        day = first + timedelta(days=number)
        if calendar.works(day):
            if day.weekday() >= 5:
                made_up.append(number * A_DAY)
        elif off and off[-1][0] + off[-1][1] == number * A_DAY:
            off[-1] = (off[-1][0], off[-1][1] + A_DAY)
        else:
            off.append((number * A_DAY, A_DAY))
    mondays = [(week * 7 * A_DAY, first + timedelta(days=7 * week)) for week in range(DAYS // 7)]
    place = (today - first).days * A_DAY + A_DAY / 2
    return Axis(first, place, off, made_up, mondays)


def bar_of(duty: dict[str, Any], axis: Axis) -> Bar:
    """The bar of a duty."""
    start = axis.at(datetime.fromisoformat(duty["started_at"]))
    earliest, latest = (axis.at(datetime.fromisoformat(duty[n])) for n in ("due_earliest", "latest_possible"))
    ends = sorted({axis.at(datetime.fromisoformat(reading["due"])) for reading in duty["readings"]})
    targets = [
        axis.at(datetime.fromisoformat(rung["due_latest"]))
        for rung in duty["ladder"]
        if rung["step"] == "target"
    ]
    overdue = duty["state"] == "overdue" and not duty["met"]
    return Bar(
        start=start if 0 <= start <= WIDTH else None,
        run=_within(start, earliest),
        band=_within(min(earliest, latest - _NARROW), latest),
        ticks=[end for end in ends if 0 <= end <= WIDTH],
        targets=[end for end in targets if 0 <= end <= WIDTH],
        late=_within(latest, axis.today) if overdue else None,
        before=start < 0,
        after=latest > WIDTH,
    )


def _within(one: float, other: float) -> tuple[float, float] | None:
    """The part of a stretch that lies in the window, None if nothing does."""
    begin, end = max(one, 0.0), min(other, float(WIDTH))
    return (begin, end) if end > begin else None
