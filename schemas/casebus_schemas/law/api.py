"""What `casebus law due` and `casebus law show` ask of the law."""

from collections.abc import Iterable
from datetime import date, datetime

from casebus_schemas.times import BEIJING

from .clocks import Clock, find_clock
from .terms import Reading, readings


def due(start: date | datetime, limit: str, names: Iterable[str] | None = None) -> list[Reading]:
    """Every admissible reading of a limit (`P3D`, `PT24H`, `P2M`, `P3WD`) from a start.

    A plain date means that only the day is known. `names` restricts the readings (custody: `["calendar"]`).
    A term that touches a year without a holiday table has provisional readings that say so. Raises
    UsageError for an unknown limit or reading, or a start without a zone.
    """
    if isinstance(start, datetime):
        return list(readings(start, limit, names))
    midnight = datetime(start.year, start.month, start.day, tzinfo=BEIJING)
    return list(readings(midnight, limit, names, precision="day"))


def clock(clock_id: str) -> Clock:
    """A clock by its id (`DL06`). Raises UsageError naming the known ones."""
    return find_clock(clock_id)
