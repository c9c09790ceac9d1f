"""Which calendar is in force from when on a running bus, where the operator enters notices."""

from bisect import bisect_right
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from .calendar import Calendar, published
from .notices import Notice


class EnteredNotice(NamedTuple):
    """A notice that the operator has entered: from when it counts, and the digest of his order."""

    in_force_from: datetime
    order: bytes
    notice: Notice


class Calendars:
    """The notices of this package, always in force, and those entered since, each from its time on.

    A value that never changes. What was counted before a time was counted without what is in force from then
    on, whoever looks later: that makes accounts the same for all who take the same orders.
    """

    def __init__(self, entered: Iterable[EnteredNotice] = ()) -> None:
        self.entered = tuple(sorted(entered, key=lambda one: (one.in_force_from, one.order)))
        """In the order in which they came into force."""
        self._times = [one.in_force_from for one in self.entered]
        self._known: dict[int, Calendar] = {0: published()}

    def at(self, moment: datetime) -> Calendar:
        """The calendar in force at a time; the same one as long as none is added."""
        count = bisect_right(self._times, moment)
        if count not in self._known:
            added = [one.notice for one in self.entered[:count]]
            self._known[count] = Calendar([*published().notices, *added])
        return self._known[count]

    def next_after(self, moment: datetime) -> EnteredNotice | None:
        """The next notice that comes into force after a time; None if none does."""
        place = bisect_right(self._times, moment)
        return self.entered[place] if place < len(self.entered) else None


PUBLISHED = Calendars()
"""What is in force where no notice was entered."""
