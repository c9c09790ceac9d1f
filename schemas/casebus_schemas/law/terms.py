"""Terms of the law: what a limit such as P3D means from a given start, in every admissible reading."""

from calendar import monthrange
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any, Literal

from casebus_schemas.errors import UsageError
from casebus_schemas.frozen import quickly_made
from casebus_schemas.texts.sentence import Sentence
from casebus_schemas.times import BEIJING, beijing_text, in_beijing

from .calendar import NOTICE_MARGIN, Calendar, beijing_day, end_of_day, published
from .limits import ReadingName, Term, Unit

Precision = Literal["day", "second"]

_UNIT_WORDS: dict[Unit, Sentence] = {
    "hours": Sentence("小时", "hours"),
    "days": Sentence("日", "days"),
    "working_days": Sentence("个工作日", "workdays"),
    "months": Sentence("个月", "month(s)"),
}
_HOUR = timedelta(hours=1)
_HOURS = ("hours", "hours_next")
"""Readings that hold at their last instant."""
Pause = tuple[datetime, datetime]
"""From when to when a term stands still; the time between is added to it."""
COUNTABLE = range(1900, 9800)
"""Years, in Beijing, in which a term can start: so long before the last possible time that its end is one."""

_FIRST_COUNTABLE = datetime(COUNTABLE.start, 1, 1, tzinfo=BEIJING)
_END_COUNTABLE = datetime(COUNTABLE.stop, 1, 1, tzinfo=BEIJING)


def countable(at: datetime) -> bool:
    """Whether a term can be counted from this time."""
    if COUNTABLE.start < at.year < COUNTABLE.stop - 1:  # in whichever zone
        return True
    return _FIRST_COUNTABLE <= at < _END_COUNTABLE


def latest_possible(due: datetime, *, provisional: bool) -> datetime:
    """How late a term with that end may end once everything is known."""
    return due + NOTICE_MARGIN if provisional else due


@quickly_made
@dataclass(frozen=True, slots=True)
class Reading:
    """One way to count a limit: its name, the instant it ends (+08:00), and why.

    Terms in days end at 24:00 of their last day, written as 00:00 of the next. A `provisional` reading
    needs the holidays of a year whose notice is not in the table: it counts weekends and the holidays that
    the law itself fixes, and says so in `why`.
    """

    name: ReadingName
    due: datetime
    why: Sentence
    provisional: bool = False

    @property
    def latest_possible(self) -> datetime:
        """The instant before which nobody can say that the reading is over."""
        return self.due + NOTICE_MARGIN if self.provisional else self.due

    def holds(self, moment: datetime) -> bool:
        """Whether something done at `moment` is within this reading.

        A term in hours includes its last instant; the instant 24:00 belongs to the next day.
        """
        return moment <= self.due if self.name in _HOURS else moment < self.due

    def may_hold(self, moment: datetime) -> bool:
        """Whether that is possible, whatever a notice not yet published will say."""
        end = self.due + NOTICE_MARGIN if self.provisional else self.due
        return moment <= end if self.name in _HOURS else moment < end

    def to_json(self) -> dict[str, Any]:
        """The reading as in records.md 5."""
        return {
            "name": self.name,
            "due": beijing_text(self.due),
            "why": self.why.to_json(),
            "provisional": self.provisional,
            "latest_possible": beijing_text(self.latest_possible),
        }


def readings(
    start: datetime,
    limit: str,
    names: Iterable[str] | None = None,
    *,
    precision: Precision = "second",
    pauses: Iterable[Pause] = (),
    calendar: Calendar | None = None,
    provisionally: Sentence | None = None,
) -> tuple[Reading, ...]:
    """All admissible readings of a limit that starts at an aware time, in the order of `names`.

    `pauses` lie behind the start, one after the other; one that begins when the term is over adds nothing.

    `names` are the readings that the rule admits, None for all that the unit can have. With `precision`
    "day" only the day of the start is known: terms in hours then give the smallest and the largest value
    that the day allows. A term that touches a year without a notice in `calendar` (by default all notices
    of this package) has provisional readings; all are where `provisionally` says why.
    Raises UsageError for an unknown limit, for a reading that does not fit its unit, or for a start outside
    `COUNTABLE` years.
    """
    if start.tzinfo is None:
        raise UsageError(
            "the start of a term needs its zone", found=start.isoformat(), expected="+08:00 at its end"
        )
    # Terms in days begin with the day: what was counted from one of its hours holds for all of them.
    local = in_beijing(start) if limit.startswith("PT") else _day_of(start)
    if local.year not in COUNTABLE:
        raise UsageError(
            "no term can start in that year",
            found=start.isoformat(),
            expected=f"a year of {COUNTABLE.start} to {COUNTABLE.stop - 1}",
        )
    return _readings(
        local,
        limit,
        None if names is None else tuple(names),
        precision,
        tuple(pauses),
        calendar or published(),
        provisionally,
    )


@lru_cache(maxsize=8192)
def _day_of(moment: datetime) -> datetime:
    """The first instant of its Beijing day."""
    local = in_beijing(moment)
    return datetime(local.year, local.month, local.day, tzinfo=BEIJING)


@lru_cache(maxsize=4096)
def _readings(
    start: datetime,
    limit: str,
    names: tuple[str, ...] | None,
    precision: Precision,
    pauses: tuple[Pause, ...],
    calendar: Calendar,
    note: Sentence | None,
) -> tuple[Reading, ...]:
    term = Term.parse(limit)
    possible = term.readings
    wanted = possible if names is None else names
    strange = [name for name in wanted if name not in possible]
    if strange or not wanted:
        raise UsageError(
            f"a limit of {limit} has no such reading",
            found=", ".join(strange) or "no reading",
            expected=", ".join(possible),
        )
    found = tuple(
        _COUNT[name](term, start, precision, pauses, calendar) for name in possible if name in wanted
    )
    if note is None:
        return found
    return tuple(
        replace(one, why=Sentence(note.zh + one.why.zh, note.en + one.why.en), provisional=True)
        for one in found
    )


def due_earliest(of: Iterable[Reading]) -> datetime:
    """The smallest admissible reading."""
    return min([reading.due for reading in of])


def due_latest(of: Iterable[Reading]) -> datetime:
    """The largest admissible reading."""
    return max([reading.due for reading in of])


def add_months(day: date, count: int) -> date:
    """Month arithmetic of the SPC's interpretation of the Criminal Procedure Law, Art. 202.

    The same day of the later month; the last day where that month has no such day; and from the last
    day of a month to the last day.
    """
    index = day.year * 12 + day.month - 1 + count
    year, month = index // 12, index % 12 + 1
    last = monthrange(year, month)[1]
    if day.day == monthrange(day.year, day.month)[1]:
        return date(year, month, last)
    return date(year, month, min(day.day, last))


def _last_day(term: Term, start: date, pauses: Iterable[Pause]) -> tuple[date, int]:
    """The last day, moved by the days of the pauses that begin before it is over, and how many those are."""
    if term.unit == "months":
        last = add_months(start, term.count) + timedelta(days=term.extra_days)
    else:
        last = start + timedelta(days=term.count)
    stood = 0
    for begins, ends in pauses:
        if beijing_day(begins) <= last:
            days = beijing_day(ends) - beijing_day(begins)
            last, stood = last + days, stood + days.days
    return last, stood


def _last_workday(term: Term, start: date, pauses: Iterable[Pause], calendar: Calendar) -> tuple[date, int]:
    """As `_last_day`, in workdays."""
    last, stood = calendar.add_workdays(start, term.count), 0
    for begins, ends in pauses:
        if beijing_day(begins) <= last:
            count = calendar.workdays_between(beijing_day(begins), beijing_day(ends))
            last, stood = calendar.add_workdays(last, count), stood + count
    return last, stood


def _hours_end(term: Term, began: datetime, pauses: Iterable[Pause]) -> tuple[datetime, int]:
    """The end of a term in hours, moved by the pauses that begin before it is over, and by how many hours."""
    end, stood = began + timedelta(hours=term.count), timedelta(0)
    for begins, ends in pauses:
        if begins <= end:
            end, stood = end + (ends - begins), stood + (ends - begins)
    return end, stood // _HOUR


def _moved(why: Sentence, stood: int, unit: Sentence, to: object) -> Sentence:
    """The reason, and by how much and to when pauses have moved the end."""
    if not stood:
        return why
    return Sentence(
        f"{why.zh},中止{stood}{unit.zh},相应顺延至{to}",
        f"{why.en}, moved by {stood} {unit.en} of standstill to {to}",
    )


def _counted(term: Term, start: date, last: date, stood: int) -> Sentence:
    return _moved(_plainly(term, start, last - timedelta(days=stood)), stood, _UNIT_WORDS["days"], last)


def _plainly(term: Term, start: date, last: date) -> Sentence:
    if term.unit == "months":
        plus = (f"加{term.extra_days}日", f" and {term.extra_days} days") if term.extra_days else ("", "")
        return Sentence(
            f"自{start}起{term.count}个月{plus[0]},按月对日计算,至{last}",
            f"{term.count} month(s){plus[1]} from {start}, to the same day of the month, end on {last}",
        )
    if term.count < 0:
        return Sentence(
            f"至迟在{start}之前第{-term.count}日,即{last}",
            f"{-term.count} days before {start} at the latest, on {last}",
        )
    return Sentence(
        f"{start}当日不计,第{term.count}日为{last}",
        f"{start} itself is not counted, day {term.count} is {last}",
    )


def _day_reading(
    name: ReadingName, last: date, why: Sentence, asked_from: date, calendar: Calendar
) -> Reading:
    """A reading that asked the calendar about the days from one to its last."""
    unknown = [str(year) for year in calendar.missing_notices(asked_from, last)]
    if not unknown:
        return Reading(name, end_of_day(last), why)
    waits = Sentence(
        f"【暂定】{'、'.join(unknown)}年的节假日安排尚未收录,仅扣除周末和法律定日的节日:{why.zh}",
        f"provisional, the holidays of {', '.join(unknown)} are not published here yet, only weekends and "
        f"the holidays fixed by law are days off: {why.en}",
    )
    return Reading(name, end_of_day(last), waits, provisional=True)


def _calendar(
    term: Term, start: datetime, _precision: Precision, pauses: tuple[Pause, ...], _no_calendar: Calendar
) -> Reading:
    day = beijing_day(start)
    last, stood = _last_day(term, day, pauses)
    said = _counted(term, day, last, stood)
    why = Sentence(f"{said.zh},遇节假日不顺延", f"{said.en}, without moving past holidays")
    return Reading("calendar", end_of_day(last), why)


def _calendar_rolled(
    term: Term, start: datetime, _precision: Precision, pauses: tuple[Pause, ...], calendar: Calendar
) -> Reading:
    day = beijing_day(start)
    last, stood = _last_day(term, day, pauses)
    rolled = calendar.first_workday_from(last)
    said = _counted(term, day, last, stood)
    if rolled == last:
        why = Sentence(f"{said.zh},为工作日", f"{said.en}, a workday")
    else:
        why = Sentence(
            f"{said.zh},为节假日,顺延至其后第一个工作日{rolled}",
            f"{said.en}, a day off, so it moves to the first workday after it, {rolled}",
        )
    return _day_reading("calendar_rolled", rolled, why, last, calendar)


def _working(
    term: Term, start: datetime, _precision: Precision, pauses: tuple[Pause, ...], calendar: Calendar
) -> Reading:
    day = beijing_day(start)
    last, stood = _last_workday(term, day, pauses, calendar)
    counted = calendar.add_workdays(day, term.count)
    plain = Sentence(
        f"{day}当日不计,只计工作日(含调休上班日),第{term.count}个工作日为{counted}",
        f"{day} itself is not counted, only workdays are (make-up days too), "
        f"workday {term.count} is {counted}",
    )
    why = _moved(plain, stood, _UNIT_WORDS["working_days"], last)
    return _day_reading("working", last, why, day + timedelta(days=1), calendar)


def _hours(
    term: Term, start: datetime, precision: Precision, pauses: tuple[Pause, ...], _no_calendar: Calendar
) -> Reading:
    if precision == "day":
        began = end_of_day(beijing_day(start)) - timedelta(days=1)
        why = Sentence(
            f"起算时刻只知日期,最早自{began:%Y-%m-%d %H:%M}起{term.count}小时",
            f"only the day is known: {term.count} hours from its beginning, {began:%Y-%m-%d %H:%M}",
        )
    else:
        began = start
        why = Sentence(
            f"自{began:%Y-%m-%d %H:%M}起满{term.count}小时", f"{term.count} hours from {began:%Y-%m-%d %H:%M}"
        )
    end, stood = _hours_end(term, began, pauses)
    return Reading("hours", end, _moved(why, stood, _UNIT_WORDS["hours"], f"{end:%Y-%m-%d %H:%M}"))


def _hours_next(
    term: Term, start: datetime, precision: Precision, pauses: tuple[Pause, ...], _no_calendar: Calendar
) -> Reading:
    if precision == "day":
        began = end_of_day(beijing_day(start))
        why = Sentence(
            f"起算时刻只知日期,最迟自当日24时起{term.count}小时",
            f"only the day is known: {term.count} hours from its end, {began:%Y-%m-%d %H:%M}",
        )
    else:
        began = start.replace(minute=0, second=0, microsecond=0) + _HOUR
        why = Sentence(
            f"开始之时不计,自{began:%Y-%m-%d %H:%M}起满{term.count}小时",
            f"the starting hour is not counted: {term.count} hours from {began:%Y-%m-%d %H:%M}",
        )
    end, stood = _hours_end(term, began, pauses)
    return Reading("hours_next", end, _moved(why, stood, _UNIT_WORDS["hours"], f"{end:%Y-%m-%d %H:%M}"))


_Counting = Callable[[Term, datetime, Precision, tuple[Pause, ...], Calendar], Reading]
_COUNT: dict[ReadingName, _Counting] = {
    "calendar": _calendar,
    "calendar_rolled": _calendar_rolled,
    "working": _working,
    "hours": _hours,
    "hours_next": _hours_next,
}
