"""What `casebus law due` and `casebus law show` ask of the law."""

from collections.abc import Iterable
from datetime import date, datetime

from casebus_schemas.times import BEIJING

from .calendar import Calendar, published
from .clocks import Clock, find_clock
from .terms import Reading, readings


def due(
    start: date | datetime,
    limit: str,
    names: Iterable[str] | None = None,
    *,
    known_on: date | None = None,
    calendar: Calendar | None = None,
) -> list[Reading]:
    """Every admissible reading of a limit (`P3D`, `PT24H`, `P2M`, `P3WD`) from a start.

    A plain date means that only the day is known. `names` restricts the readings (custody: `["calendar"]`).
    A term that touches a year without a notice on its holidays has provisional readings that say so: with
    `known_on` also where the notice was published after that day. `calendar` has all notices, by default
    those of this package. Raises UsageError for an unknown limit or reading, or a start without a zone.
    """
    by = calendar or published()
    if known_on is not None:
        by = by.known_on(known_on)
    if isinstance(start, datetime):
        return list(readings(start, limit, names, calendar=by))
    midnight = datetime(start.year, start.month, start.day, tzinfo=BEIJING)
    return list(readings(midnight, limit, names, precision="day", calendar=by))


def clock(clock_id: str) -> Clock:
    """A clock by its id (`DL06`). Raises UsageError naming the known ones."""
    return find_clock(clock_id)
