"""The inbox of an agency: notices in order, repeats dropped, and what was fetched said to the bus."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import Any
from uuid import UUID

from casebus_consumers.unshowable import reason_of
from casebus_producers.config import AgencySettings
from casebus_producers.connector import Connector
from casebus_producers.outbox.outbox import Outbox
from casebus_producers.outbox.outbox_events import Queued
from casebus_producers.received.arrivals import note_arrivals, read_arrivals_of
from casebus_producers.received.inbox_reader import ForgedNotice, InboxReader, Unreadable
from casebus_producers.sealing.opener import Opened, Opener
from casebus_schemas.admission.notice_records import NoticeRecord
from casebus_schemas.admission.notices import notice_json
from casebus_schemas.agencies import agency_of_source
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.errors import BusError
from casebus_schemas.texts.sentence import Sentence
from casebus_schemas.times import to_moment, utc_text
from casebus_schemas.wire.cloud_event import cloud_event
from casebus_schemas.wire.codec import decode
from casebus_schemas.wire.door import to_json
from casebus_schemas.wire.ids import bus_id
from casebus_schemas.wire.records import Record

DELIVERED = "receipt.delivered"
_POLL_S = 0.5
_AT_ONCE = 500
"""Notices of one run: others decide how many there are, and one event acknowledges those of a chain."""
_ACKNOWLEDGED = "SELECT acknowledged_by FROM delivery WHERE notice = ?"
_ACKNOWLEDGE = "UPDATE delivery SET acknowledged_by = ? WHERE notice = ?"


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice with its event's data, in the inbox of `agency`; `opened` is its sealed part, if any."""

    agency: str
    record: NoticeRecord
    event: dict[str, Any]
    opened: Opened | None = None

    @property
    def seq(self) -> int:
        """Its number in the inbox."""
        return self.record.seq

    def to_json(self) -> dict[str, Any]:
        """JSON of docs/records.md 5, with `sealed` where the event holds something sealed."""
        record = self.record
        told = notice_json(
            seq=record.seq,
            notice=record.notice,
            role=record.role,
            event=self.event,
            admitted_at=record.admitted_at,
        )
        return told if self.opened is None else {**told, "sealed": self.opened.to_json()}


Told = Notice | ForgedNotice | Unreadable


def read_notice(
    agency: str, notice: NoticeRecord, catalog: Catalog, opener: Opener | None = None
) -> Notice | Unreadable:
    """A true notice with what its event says; as unreadable where this program cannot read that.

    Raises UsageError where something is sealed and the agency's own key files cannot be used.
    """
    try:
        _, data = decode(catalog, notice.event.value)
        read = Notice(agency, notice, to_json(notice.headers, data, catalog))
        read.to_json()  # what has no JSON is not shown as text either
    except BusError as error:
        return Unreadable(notice.seq, error.detail)
    except Exception as error:  # noqa: BLE001 - whatever it says, the notices behind it are read
        return Unreadable(notice.seq, reason_of(error))
    if opener is None or data.get("sealed") is None:
        return read
    return replace(read, opened=opener.of_event(notice.headers, data))


class Inbox:
    """Reads an agency's inbox and notes in its own file what came, so that a repeat is known for ever.

    Reading can be resumed after any number; a notice delivered twice is told once, at its first place.
    """

    def __init__(self, settings: AgencySettings, outbox: Outbox, catalog: Catalog) -> None:
        self._settings = settings
        self._outbox = outbox
        self._catalog = catalog
        self._opener = Opener(settings, catalog)
        self.gap: Sentence | None = None
        """What cannot be read from the number on that was asked for."""

    def notices(self, after: int = -1, *, follow: bool = False) -> Iterator[list[Told]]:
        """Notices with a number above `after`, in runs as they come; with `follow` without end.

        What is forged is told as such, and neither noted nor acknowledged: a true notice of the same id is
        news whenever it comes.
        Raises AccessDenied if the inbox is another's, RetryLater if the broker is away at the start.
        """
        with InboxReader(self._settings, self._catalog, after + 1) as reader:
            self.gap = reader.gap(after + 1)
            if self.gap is not None:
                yield []  # so that it can be said at once
            read_arrivals_of(reader, self._outbox, self._catalog)  # earlier places of later repeats
            reader.go_to(after + 1)
            end, seen = reader.end(), after + 1
            while follow or seen < end:
                # Kafka begins anew where a number lies beyond the end: what was read stays read.
                records = [record for record in reader.poll(_POLL_S) if record.offset > after]
                if records:
                    seen = records[-1].offset + 1
                    yield self._understood(reader, records)
                elif not follow:
                    # What the first silence left: read to the end or say that the broker does not answer.
                    rest = reader.read_inbox(end)
                    while records := list(islice(rest, _AT_ONCE)):
                        yield self._understood(reader, records)
                    return

    def acknowledge(self, notices: Sequence[Told], at: datetime | None = None) -> list[Queued]:
        """Says `receipt.delivered` to the senders of those not acknowledged yet, one event a chain.

        In one transaction with the memory that it was said. `at` is when they were fetched, now by default.
        Receipts of delivery are not themselves acknowledged, else two agencies would never be silent.
        """
        moment = utc_text(_ms(at))
        connector = Connector(self._outbox, self._catalog, self._settings.chain_secret)
        by_chain: dict[str, list[Notice]] = {}
        with self._outbox.writing() as writing:
            for notice in notices:
                if isinstance(notice, Notice) and notice.record.headers.type != DELIVERED:
                    known = writing.connection.execute(_ACKNOWLEDGED, (str(notice.record.notice),)).fetchone()
                    if known in (None, (None,)):
                        by_chain.setdefault(notice.record.headers.subject, []).append(notice)
            queued = []
            for chain, group in by_chain.items():
                said = connector.submit_in(writing, _delivered(self._settings.agency, chain, group, moment))
                writing.connection.executemany(
                    _ACKNOWLEDGE, [(str(said.id), str(notice.record.notice)) for notice in group]
                )
                queued.append(said)
        return queued

    def _understood(self, reader: InboxReader, records: Sequence[Record]) -> list[Told]:
        read = reader.proven(records, self._outbox)
        good = [notice for notice in read if isinstance(notice, NoticeRecord)]
        with self._outbox.transaction() as connection:
            fresh = dict(
                zip([n.seq for n in good], note_arrivals(connection, self._catalog, good), strict=True)
            )
        told: list[Told] = []
        for notice in read:
            if not isinstance(notice, NoticeRecord):
                told.append(notice)
            elif fresh[notice.seq]:
                told.append(read_notice(self._settings.agency, notice, self._catalog, self._opener))
        return told


def _delivered(agency: str, chain: str, notices: Sequence[Notice], moment: str) -> dict[str, Any]:
    """The event of the door that says these notices of a chain were fetched."""
    last = notices[-1].record
    senders = sorted({agency_of_source(notice.record.headers.source) for notice in notices} - {agency})
    deliveries = [
        {
            "event": notice.record.digest.hex(),
            "notice": str(notice.record.notice),
            "seq": notice.seq,
            "fetched_at": moment,
        }
        for notice in notices
    ]
    return cloud_event(
        DELIVERED,
        source=f"/{agency}",
        id=_delivery_id(agency, [notice.record.notice for notice in notices]),
        time=moment,
        subject=chain,
        message_class="receipt",
        to=senders,
        in_reply_to=str(last.headers.id),
        in_reply_to_hash=last.digest.hex(),
        facts={"deliveries": deliveries},
    )


def _delivery_id(agency: str, notices: Sequence[UUID]) -> UUID:
    return bus_id(DELIVERED, agency, [notice.bytes for notice in notices])


def _ms(at: datetime | None) -> int:
    return time.time_ns() // 1_000_000 if at is None else to_moment(at)
