"""Says that a data key was destroyed: once for each key, however often it is said."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from casebus_schemas.wire.cloud_event import cloud_event
from casebus_schemas.wire.ids import bus_id


def shredded(
    agency: str, chain: str, name: bytes, day: date, reasons: str, to: Sequence[str]
) -> dict[str, Any]:
    """The event of the door, `retention.shredded`: `name` is that by which sealed bytes call the key.

    Its time is the day on which that was done, so that it is the same event whenever it is said again.
    """
    return cloud_event(
        "retention.shredded",
        source=f"/{agency}",
        id=bus_id("retention.shredded", agency, [name]),
        time=f"{day.isoformat()}T00:00:00+08:00",
        subject=chain,
        to=list(to),
        precision="day",
        facts={"keys": [name.hex()], "shredded_on": day.isoformat(), "reasons": reasons},
    )
