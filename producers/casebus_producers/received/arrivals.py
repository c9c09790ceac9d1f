"""What has arrived for the agency is noted: it knows others' events by it, and which notices are repeats."""

import logging
import sqlite3
from collections.abc import Iterable

from casebus_schemas.admission.notice_records import NoticeRecord
from casebus_schemas.case.placing import references_of
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.catalogue.topology import inbox
from casebus_schemas.errors import Refused
from casebus_schemas.wire.codec import peek_envelope
from casebus_schemas.wire.records import Record

from ..config import AgencySettings
from ..known import remember_event
from ..outbox.outbox import Outbox
from .inbox_reader import InboxReader, Unreadable

_AT_ONCE = 500
# Of two places the earlier one counts, in whatever order they are read.
_DELIVERY = """
INSERT INTO delivery (notice, seq, digest) VALUES (?, ?, ?)
ON CONFLICT (notice) DO UPDATE SET seq = min(seq, excluded.seq),
                                   digest = CASE WHEN excluded.seq < seq THEN excluded.digest ELSE digest END
"""
_LEFT_AT = "SELECT next_offset FROM reading WHERE topic = ?"
_LEAVE_AT = """
INSERT INTO reading (topic, next_offset) VALUES (?, ?)
ON CONFLICT (topic) DO UPDATE SET next_offset = excluded.next_offset
"""
_FIRST = "SELECT seq FROM delivery WHERE notice = ?"
_LAST = "SELECT notice, seq FROM delivery WHERE seq >= 0 ORDER BY seq DESC LIMIT 1"
_log = logging.getLogger(__name__)


def read_arrivals(settings: AgencySettings, outbox: Outbox, catalog: Catalog) -> int:
    """Reads the inbox from where it was left to its end and notes what it holds; returns how many notices.

    Raises RetryLater if the broker is away, AccessDenied if it does not let the agency read.
    """
    with InboxReader(settings, catalog, _left_at(outbox)) as reader:
        return read_arrivals_of(reader, outbox, catalog)


def read_arrivals_of(reader: InboxReader, outbox: Outbox, catalog: Catalog) -> int:
    """The same with a reader at hand; from the beginning where the inbox is not the one that was read."""
    reader.go_to(_start(reader, outbox))
    count = 0
    waiting: list[Record] = []
    for record in reader.read_inbox(reader.end()):
        waiting.append(record)
        if len(waiting) == _AT_ONCE:
            count += _note(reader, outbox, catalog, waiting, waiting[-1].offset + 1)
            waiting = []
    return count + _note(reader, outbox, catalog, waiting, reader.end())


def _left_at(outbox: Outbox) -> int:
    place = inbox(outbox.agency)
    with outbox.reading() as connection:
        row = connection.execute(_LEFT_AT, (place,)).fetchone()
    return 0 if row is None else int(row[0])


def _start(reader: InboxReader, outbox: Outbox) -> int:
    """Where it was left, if Kafka still holds the notice that was noted last."""
    start = _left_at(outbox)
    with outbox.reading() as connection:
        last = connection.execute(_LAST).fetchone()
    if start <= reader.end() and (last is None or reader.holds(last[1], last[0])):
        return start
    _log.warning("%s", reader.shorter(max(start, 0 if last is None else last[1] + 1)).detail)
    return 0


def note_arrivals(
    connection: sqlite3.Connection, catalog: Catalog, notices: Iterable[NoticeRecord]
) -> list[bool]:
    """Notes notices; tells of each whether it is new: the router may deliver one again after a crash.

    A notice that is read a second time at the same place is new again: repeats are those at later places.
    """
    fresh = []
    for notice in notices:
        _remember(connection, catalog, notice)
        connection.execute(_DELIVERY, (str(notice.notice), notice.seq, notice.digest))
        (first,) = connection.execute(_FIRST, (str(notice.notice),)).fetchone()
        fresh.append(first >= notice.seq)
    return fresh


def _remember(connection: sqlite3.Connection, catalog: Catalog, notice: NoticeRecord) -> None:
    try:
        envelope = peek_envelope(catalog, notice.event.value)
    except Refused:  # an event of a newer catalogue: known by its headers alone
        envelope = {}
    remember_event(
        connection,
        digest=notice.digest,
        id=notice.headers.id,
        type=notice.headers.type,
        source=notice.headers.source,
        chain=notice.headers.subject,
        references=references_of(envelope, notice.headers.source),
    )


def _note(
    reader: InboxReader, outbox: Outbox, catalog: Catalog, records: list[Record], next_offset: int
) -> int:
    """Notes the true ones among these records. What is forged or no notice tells nothing of any event."""
    read = reader.proven(records, outbox)
    notices = [one for one in read if isinstance(one, NoticeRecord)]
    for one in read:
        if not isinstance(one, NoticeRecord):
            problem = one.problem if isinstance(one, Unreadable) else f"forged: {one.problem.en}"
            _log.warning("%s/%d: %s; `casebus inbox` shows it", inbox(outbox.agency), one.seq, problem)
    with outbox.transaction() as connection:
        note_arrivals(connection, catalog, notices)
        connection.execute(_LEAVE_AT, (inbox(outbox.agency), next_offset))
    return len(notices)
