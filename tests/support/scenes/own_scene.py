"""An agency's own files fed without a broker: what it said and heard, as the bus writes it."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from casebus_consumers.own.intake import Intake
from casebus_consumers.own.store import OwnStore
from casebus_consumers.own.view import OwnView
from casebus_producers.config import AgencySettings
from casebus_producers.outbox.outbox import Outbox
from casebus_producers.outbox.outbox_events import ReadyEvent
from casebus_producers.received.inbox_reader import InboxReader, Read
from casebus_producers.received.kept_receipts import keep
from casebus_schemas.admission.notice_records import parse_notice
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.times import to_moment
from casebus_schemas.wire.codec import decode, encode
from casebus_schemas.wire.compose import Composed
from casebus_schemas.wire.headers import EventHeaders
from casebus_schemas.wire.ids import uuid7
from casebus_schemas.wire.records import Outgoing, Record
from casebus_schemas.wire.signing import SigningKey
from casebus_services.router.judgement import judge
from casebus_services.router.outputs import admission_of, notices
from support.events import receipts
from support.events.admissions import Admitter
from support.events.signed_events import seed_of, stored


class ProvenInbox(InboxReader):
    """A reader that takes every notice as proven: what proves them has tests of its own."""

    def __init__(self) -> None:
        pass

    def proven(self, records: Sequence[Record], outbox: Outbox) -> list[Read]:
        """The notices."""
        return [parse_notice(record) for record in records]


class OwnScene:
    """The bus as one agency meets it: what it says goes through its outbox, others come as notices."""

    def __init__(self, folder: Path, agency: str = "csrc") -> None:
        self.agency = agency
        self.folder = folder
        self.admitter = Admitter()
        self.inbox: list[Record] = []
        self.outbox = Outbox(
            folder / "outbox.db", agency=agency, key=SigningKey(seed_of(agency)), partitions=4
        )
        self.catalog = Catalog.load()
        self._receipts = 0
        self._offsets = 0

    def settings(self) -> AgencySettings:
        """Of the agency; there is no broker."""
        return AgencySettings(
            bootstrap_servers="127.0.0.1:1",
            sasl_username=self.agency,
            sasl_password_file=self.folder / "password",
            agency=self.agency,
            signing_key_file=self.folder / "key",
            data_dir=self.folder,
        )

    def say(self, type: str, data: dict[str, Any], chain: str, at: datetime) -> Record:
        """The agency says something: through its outbox, admitted at a time, with its receipt."""
        return self.admit(self.queue(type, data, chain), at)

    def queue(self, type: str, data: dict[str, Any], chain: str) -> Record:
        """The agency says something on which the bus has said nothing yet."""
        schema, kind = self.catalog.latest(type), self.catalog.event(type)
        envelope = data["envelope"]
        number = len(self.outbox.recent(1_000)) + 1
        ready = ReadyEvent(
            id=_id(number),
            type=type,
            source=f"/{self.agency}/office",
            time_ms=to_moment(envelope["occurred_at"]),
            subject=chain,
            channel=kind.channel,
            value=encode(schema, data),
            fingerprint=schema.fingerprint,
        )
        (queued,) = self.outbox.enqueue([ready])
        (row,) = self.outbox.pending(queued.position - 1, 1, 10_000_000)
        return stored(row.record, queued.position)

    def hear(self, event: Composed, at: datetime) -> Record:
        """Another agency says something, admitted at a time."""
        return self.admit(event.record, at)

    def admit(self, outgoing: Outgoing | Record, at: datetime) -> Record:
        """Judges, delivers the agency's notice, and keeps the receipt of what it said itself."""
        place = (outgoing.topic, outgoing.partition, outgoing.key, outgoing.value, outgoing.headers)
        outgoing = Outgoing(*place)
        self.admitter.admit(outgoing, at_ms=to_moment(at))
        record = stored(outgoing, self._offsets)
        self._offsets += 1
        judgement = judge(record, self.catalog, self.admitter.keyring, 4, 1_700_000_000_000)
        assert judgement.admitted, judgement.detail
        admission = admission_of(
            judgement, attempt=1, catalogue="c", keyring="k", admitted_at_ms=to_moment(at)
        )
        for notice in notices(judgement, admission):
            if notice.topic == f"inbox.{self.agency}":
                self.deliver(notice)
        if record.topic.startswith(f"{self.agency}."):
            told = [recipient.agency for recipient in admission.recipients]
            self.keep(receipts.admitted(record, at, *told))
        return record

    def deliver(self, notice: Outgoing) -> None:
        """Puts a record at the end of the inbox."""
        self.inbox.append(stored(notice, len(self.inbox)))

    def keep(self, receipt: Outgoing) -> None:
        """Keeps a receipt as the agency's reader of receipts does."""
        record = stored(receipt, self._receipts)
        self._receipts += 1
        with self.outbox.transaction() as connection:
            assert keep(connection, record, decode(self.catalog, record.value)[1]) is None

    def intake(self, store: OwnStore) -> Intake:
        """Takes the inbox into a store."""
        return Intake(self.settings(), self.outbox, store, self.catalog)

    def view(self, store: OwnStore | None = None) -> OwnView:
        """The own view, of the whole inbox unless a store is given."""
        if store is None:
            store = OwnStore(self.folder / "own.db")
            if self.inbox:
                self.intake(store).take(ProvenInbox(), self.inbox)
        return OwnView(self.agency, self.outbox, store, self.catalog)


def _id(number: int) -> UUID:
    return uuid7(1_476_720_000_000 + number, number.to_bytes(10, "big"))


def headers_of(record: Record) -> EventHeaders:
    """The headers of an event's record."""
    return EventHeaders.parse(record.headers)
