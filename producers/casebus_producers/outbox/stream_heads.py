"""Says now and then where an agency's own streams end, so that its silence can be proven up to that time."""

import logging
import time
from typing import Any

from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.errors import BusError
from casebus_schemas.evidence.absence_check import STREAM_HEAD
from casebus_schemas.times import in_beijing, to_datetime, utc_text
from casebus_schemas.wire.cloud_event import cloud_event
from casebus_schemas.wire.ids import bus_id

from ..connector import Connector
from .outbox import Outbox
from .outbox_events import Queued
from .writing import Writing

MOST_HEADS = 250
"""Streams of one statement, the newest first: a day of statements fits what is computed of a chain."""
_LOOK_S = 15.0
"""Between two looks at the file, which cost a tenth of a millisecond."""

_log = logging.getLogger(__name__)
_LAST = f"""
SELECT position, queued_at_ms FROM outbox WHERE type = '{STREAM_HEAD}' ORDER BY position DESC LIMIT 1
"""
_SAID_SINCE = "SELECT queued_at_ms FROM outbox WHERE position > ? ORDER BY position LIMIT 1"
_BEGAN = "SELECT min(number) FROM incarnation"
# What an older producer signed last may have been signed anew under another name and never have left.
_HEADS = """
SELECT s.producer, s.topic, s."partition", o.seq, o.digest FROM stream s JOIN outbox o
ON o.producer = s.producer AND o.topic = s.topic AND o."partition" = s."partition" AND o.seq = (
    SELECT max(l.seq) FROM outbox l
    WHERE l.producer = s.producer AND l.topic = s.topic AND l."partition" = s."partition"
)
ORDER BY s.producer DESC, s.topic, s."partition" LIMIT ?
"""


class StreamHeads:
    """What the publisher of an outbox says of itself; nothing of it stands in anybody's inbox.

    `after_s` seconds after something was said it states the ends, and `idle_s` after its last statement
    though nothing was. With `after_s` 0 it never does by itself.
    """

    def __init__(self, outbox: Outbox, after_s: float, idle_s: float) -> None:
        self._outbox = outbox
        self._after_ms, self._idle_ms = after_s * 1000, idle_s * 1000
        self._look_at = time.monotonic()

    def turn(self) -> Queued | None:
        """States the ends if it is time; cheap where it is not. What goes wrong is logged, never raised."""
        if not self._after_ms or time.monotonic() < self._look_at:
            return None
        self._look_at = time.monotonic() + min(_LOOK_S, self._after_ms / 1000)
        try:
            return self.state() if time.time() * 1000 >= self._due_ms() else None
        except BusError as error:
            _log.warning("where the streams end is not stated: %s", error.detail)
            return None

    def state(self) -> Queued:
        """Queues the statement, signed, behind all that it names. Raises DoorProblem as `Connector`."""
        connector = Connector(self._outbox, Catalog.load(), lambda: b"")
        with self._outbox.writing() as writing:  # alone: the heads are those of everything before it
            return connector.submit_in(writing, _event(self._outbox.agency, _heads(writing)))

    def _due_ms(self) -> float:
        with self._outbox.reading() as connection:
            last = connection.execute(_LAST).fetchone()
            said = connection.execute(_SAID_SINCE, (0 if last is None else last[0],)).fetchone()
            (began_ms,) = connection.execute(_BEGAN).fetchone()
        idle_since = began_ms if last is None else last[1]
        if idle_since is None:
            return float("inf")
        idle: float = idle_since + self._idle_ms
        return idle if said is None else min(idle, said[0] + self._after_ms)


def _heads(writing: Writing) -> list[dict[str, Any]]:
    rows = writing.connection.execute(_HEADS, (MOST_HEADS,)).fetchall()
    names = ("producer", "topic", "partition", "seq")
    return [dict(zip(names, row[:4], strict=True)) | {"digest": row[4].hex()} for row in rows]


def _event(agency: str, heads: list[dict[str, Any]]) -> dict[str, Any]:
    now_ms = time.time_ns() // 1_000_000
    day = in_beijing(to_datetime(now_ms)).date()
    return cloud_event(
        STREAM_HEAD,
        source=f"/{agency}",
        id=bus_id(STREAM_HEAD, f"{agency}\n{now_ms}\n{heads}"),
        time=utc_text(now_ms // 1000 * 1000),
        # A thread a day: none of them grows for ever.
        subject=str(bus_id("thread", f"{agency}.stream-heads.{day}")),
        facts={"as_of": utc_text(now_ms), "heads": heads},
    )
