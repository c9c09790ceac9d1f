"""Records of an inbox taken apart: the event as it stood at its origin, and why the agency hears of it."""

from dataclasses import dataclass
from datetime import datetime
from typing import cast
from uuid import UUID

from casebus_schemas.errors import BusError
from casebus_schemas.times import parse_utc_text, to_datetime
from casebus_schemas.wire.headers import EventHeaders
from casebus_schemas.wire.records import Record
from casebus_schemas.wire.signing import SignedFields, event_digest

from .verdict import Origin, Role

NOTICE, ROLE, ORIGIN, ADMITTED_AT = "casebus-notice", "casebus-role", "casebus-origin", "casebus-admitted-at"
NOTICE_HEADERS = (NOTICE, ROLE, ORIGIN, ADMITTED_AT)
"""What the router appends to the original's headers, in this order."""


@dataclass(frozen=True, slots=True)
class NoticeRecord:
    """A notice. `seq` is its offset in the inbox, `event` the original record at its origin."""

    seq: int
    notice: UUID
    role: Role
    origin: Origin
    admitted_at: datetime
    event: Record
    headers: EventHeaders
    digest: bytes

    @property
    def said(self) -> SignedFields:
        """What its sender signed."""
        return self.headers.signed_fields(self.origin.topic, self.origin.partition, self.event.value)


def parse_notice(record: Record) -> NoticeRecord:
    """Takes a record of an inbox apart. Raises BusError with its place if the router never writes such."""
    count = len(NOTICE_HEADERS)
    original, ours = record.headers[:-count], record.headers[-count:]
    try:
        if tuple(name for name, _ in ours) != NOTICE_HEADERS:
            raise ValueError("the last headers are " + ", ".join(name for name, _ in ours))
        notice, role, origin_text, at = ((value or b"").decode("ascii") for _, value in ours)
        if role not in ("to", "cc", "by-law"):
            raise ValueError(f"role {role!r}")
        origin = Origin.parse(origin_text)
        headers = EventHeaders.parse(original)
        event = record._replace(
            topic=origin.topic, partition=origin.partition, offset=origin.offset, headers=original
        )
        return NoticeRecord(
            seq=record.offset,
            notice=UUID(notice),
            role=cast(Role, role),
            origin=origin,
            admitted_at=to_datetime(parse_utc_text(at)),
            event=event,
            headers=headers,
            digest=event_digest(headers.signed_fields(origin.topic, origin.partition, record.value)),
        )
    except (ValueError, BusError) as error:
        raise BusError(
            "not a notice",
            found=str(error)[:200],
            expected="an event and the headers " + ", ".join(NOTICE_HEADERS),
            remedy="tell the operator of the bus",
            topic=record.topic,
            partition=record.partition,
            offset=record.offset,
        ) from error
