"""Workdays of mainland China as notices and the law fix them, all of them or those known on a day."""

from bisect import bisect_right
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from functools import lru_cache

from casebus_schemas.errors import UsageError
from casebus_schemas.times import BEIJING, in_beijing

from .notices import MovedDay, Notice, published_notices
from .statutory import is_statutory, known_since

NOTICE_MARGIN = timedelta(days=15)
"""How much later than counted here a term may end once the year's notice is published.

Measured over every day of 2001-2026 and up to 90 workdays: 12 days at most, and 9 earlier (a test holds it).
"""

_ONE_DAY = timedelta(days=1)
_FIRST_BORROWED = (12, 25)
"""From this day of December on the next year's notice may move days (2018-12-29 was worked for 2019)."""


class Calendar:
    """Which days are worked, by some notices and by the law as it was known on a day.

    A value that never changes: equal only to itself, so that what was counted with it can be kept. Of two
    notices about one day the one that became known later counts.
    """

    def __init__(self, notices: Iterable[Notice], law_known_on: date = date.max) -> None:
        self.notices = tuple(sorted(notices, key=lambda notice: (notice.known_since, notice.id)))
        """In the order in which they became known."""
        self.years = frozenset(notice.year for notice in self.notices)
        """The years of which there is a notice."""
        self._law_known_on = law_known_on
        self._moved: dict[date, MovedDay] = {
            moved.day: moved for notice in self.notices for moved in notice.days
        }
        self._worked: dict[date, bool] = {}
        self._known: dict[tuple[int, date], Calendar] = {}

    def known_on(self, day: date) -> "Calendar":
        """The calendar without the notices and the texts of law that were not published by that day."""
        count = bisect_right(self.notices, day, key=lambda notice: notice.known_since)
        last = next((since for since in known_since() if since <= day), date.min)
        known = self._known.get((count, last))
        if known is None:
            known = self._known[count, last] = Calendar(self.notices[:count], min(last, self._law_known_on))
        return known

    def works(self, day: date) -> bool:
        """Whether offices work on that day, as far as one can know.

        What no notice speaks of follows its weekday and the holidays that the law itself fixes.
        """
        worked = self._worked.get(day)
        if worked is None:
            worked = self._works(day)
            if day.year in self.years:  # others are without end
                self._worked[day] = worked
        return worked

    def _works(self, day: date) -> bool:
        moved = self._moved.get(day)
        if moved is not None and moved.kind != "usual":
            return moved.kind == "work"
        return day.weekday() < 5 and not is_statutory(day, self._law_known_on)

    def is_workday(self, day: date) -> bool:
        """Whether offices work on that day (make-up Saturdays and Sundays included).

        Raises UsageError for a year of which there is no notice: a guess would be a wrong deadline.
        """
        if day.year not in self.years:
            raise UsageError(
                "there is no notice about the holidays of that year",
                found=day.isoformat(),
                expected=f"a day of {min(self.years, default=0)} to {max(self.years, default=0)}",
                remedy=f"the State Council's notice for {day.year} is not in the tables (law/notices.csv)",
            )
        return self.works(day)

    def missing_notices(self, first: date, last: date) -> list[int]:
        """The years whose notices may still decide about days from the first to the last."""
        borrowed = (last.month, last.day) >= _FIRST_BORROWED
        return [year for year in range(first.year, last.year + 1 + borrowed) if year not in self.years]

    def occasion(self, day: date) -> str | None:
        """Why a notice moves the day (`National Day`), None where none does."""
        moved = self._moved.get(day)
        return moved.occasion if moved and moved.kind != "usual" else None

    def first_workday_from(self, day: date) -> date:
        """The day itself if it is a workday, otherwise the first workday after it, as far as one can know."""
        while not self.works(day):
            day += _ONE_DAY
        return day

    def add_workdays(self, day: date, count: int) -> date:
        """The `count`-th workday after `day`, which itself is not counted, as far as one can know."""
        while count > 0:
            day += _ONE_DAY
            if self.works(day):
                count -= 1
        return day

    def workdays_between(self, after: date, to: date) -> int:
        """How many workdays lie behind one day up to another, as far as one can know."""
        return sum(1 for days in range((to - after).days) if self.works(after + _ONE_DAY * (days + 1)))


@lru_cache(maxsize=1)
def published() -> Calendar:
    """The calendar of all notices of this package."""
    return Calendar(published_notices())


@lru_cache(maxsize=8192)
def beijing_day(moment: datetime) -> date:
    """The Beijing calendar day of an aware time."""
    return in_beijing(moment).date()


def end_of_day(day: date) -> datetime:
    """24:00 of a Beijing day, written as 00:00 of the next."""
    return datetime(day.year, day.month, day.day, tzinfo=BEIJING) + _ONE_DAY
