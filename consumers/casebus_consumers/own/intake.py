"""Reads an agency's inbox into its own view: each notice proven, noted in the outbox's file, and kept."""

import json
import logging
from collections.abc import Sequence
from itertools import islice

from casebus_consumers.liaison.inbox import read_notice
from casebus_producers.config import AgencySettings
from casebus_producers.outbox.outbox import Outbox
from casebus_producers.received.arrivals import note_arrivals
from casebus_producers.received.inbox_reader import ForgedNotice, InboxReader, Read
from casebus_producers.received.receipts import keep_new_receipts
from casebus_schemas.admission.notice_records import NoticeRecord
from casebus_schemas.agencies import agency_of_source
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.catalogue.topology import inbox
from casebus_schemas.times import to_moment
from casebus_schemas.wire.json_text import canonical_text
from casebus_schemas.wire.records import Record

from .store import FORGED, NOTICE, UNREADABLE, Entry, OwnStore

_AT_ONCE = 500
_log = logging.getLogger(__name__)


class Intake:
    """Takes what an agency's inbox holds into its own view. Used by one thread."""

    def __init__(self, settings: AgencySettings, outbox: Outbox, store: OwnStore, catalog: Catalog) -> None:
        self._settings = settings
        self._outbox = outbox
        self._store = store
        self._catalog = catalog
        self._topic = inbox(settings.agency)

    def open(self) -> InboxReader:
        """A reader that stands where the inbox was left; at its beginning if it is another inbox than then.

        Raises RetryLater if the broker is away, AccessDenied if it does not let the agency read.
        """
        start = self._store.left_at(self._topic)
        reader = InboxReader(self._settings, self._catalog, start)
        try:
            last = self._store.last_notice()
            if start > reader.end() or (last is not None and not reader.holds(*last)):
                _log.warning("%s", reader.shorter(start).detail)
                self._store.forget()
                start = 0
            reader.go_to(start)
        except BaseException:
            reader.close()
            raise
        return reader

    def to_end(self, reader: InboxReader) -> None:
        """Takes all that the inbox held when `reader` was opened."""
        waiting = reader.read_inbox(reader.end())
        while records := list(islice(waiting, _AT_ONCE)):
            self.take(reader, records)

    def take(self, reader: InboxReader, records: Sequence[Record]) -> None:
        """Takes these records of the inbox. Durable when it returns; after a crash they are taken again."""
        read = reader.proven(records, self._outbox)
        true = [one for one in read if isinstance(one, NoticeRecord)]
        with self._outbox.transaction() as connection:
            note_arrivals(connection, self._catalog, true)
        entries = [self.entry(one, record) for one, record in zip(read, records, strict=True)]
        self._store.add(self._topic, entries, records[-1].offset + 1)

    def entry(self, read: Read, record: Record) -> Entry:
        """A record as it is kept."""
        if not isinstance(read, NoticeRecord):
            kind = FORGED if isinstance(read, ForgedNotice) else UNREADABLE
            return Entry(read.seq, kind, None, None, None, None, None, None, canonical_text(read.to_json()))
        headers = read.headers
        return Entry(
            seq=read.seq,
            kind=NOTICE,
            notice=str(read.notice),
            chain=headers.subject,
            speaker=agency_of_source(headers.source),
            type=headers.type,
            digest=read.digest,
            admitted_at_ms=to_moment(read.admitted_at),
            body=canonical_text(read_notice(self._settings.agency, read, self._catalog).to_json()),
            at_ms=record.timestamp_ms,
            at_type=record.timestamp_type,
            key=record.key,
            value=record.value,
            headers=json.dumps([(name, (value or b"").decode()) for name, value in record.headers]),
        )


def catch_up(settings: AgencySettings, outbox: Outbox, store: OwnStore, catalog: Catalog) -> None:
    """Takes what inbox and receipts hold now. Raises RetryLater if the broker is away."""
    intake = Intake(settings, outbox, store, catalog)
    with intake.open() as reader:
        intake.to_end(reader)
    keep_new_receipts(settings, outbox, catalog)
