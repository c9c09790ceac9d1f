"""What the agency knows: events it said or heard, and which chain a case reference belongs to."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, select

from casebus_schemas.wire.ids import normalise_reference

from .database import known_event
from .outbox_events import Reference

_EVENT = "INSERT OR IGNORE INTO known_event (digest, id, type, source, chain, sent) VALUES (?, ?, ?, ?, ?, ?)"
_REFERENCE = "INSERT OR IGNORE INTO known_reference (issuer, scheme, value, chain) VALUES (?, ?, ?, ?)"
_CHAIN = "SELECT chain FROM known_reference WHERE issuer = ? AND scheme = ? AND value = ?"


@dataclass(frozen=True, slots=True)
class KnownEvent:
    """An event that the agency said (`sent`) or heard."""

    digest: bytes
    id: UUID
    type: str
    source: str
    chain: str
    sent: bool


def remember_event(
    connection: Connection,
    *,
    digest: bytes,
    id: UUID,
    type: str,
    source: str,
    chain: str,
    references: Iterable[Reference],
    sent: bool,
) -> None:
    """Notes an event that the agency said or heard, and the chain of its references; the first one wins."""
    connection.exec_driver_sql(_EVENT, (digest, str(id), type, source, chain, int(sent)))
    for issuer, scheme, value in references:
        connection.exec_driver_sql(_REFERENCE, (issuer, scheme, normalise_reference(value), chain))


def events_of_id(connection: Connection, id: UUID) -> list[KnownEvent]:
    """The known events of that id: usually one; several where an id was used twice."""
    return _events(connection, known_event.c.id == str(id))


def event_of_digest(connection: Connection, digest: bytes) -> KnownEvent | None:
    """The known event of that digest."""
    found = _events(connection, known_event.c.digest == digest)
    return found[0] if found else None


def chain_of_reference(connection: Connection, references: Iterable[Reference]) -> str | None:
    """The chain to which the first known one of the references belongs."""
    for issuer, scheme, value in references:
        reference = (issuer, scheme, normalise_reference(value))
        chain: str | None = connection.exec_driver_sql(_CHAIN, reference).scalar()
        if chain is not None:
            return chain
    return None


def _events(connection: Connection, condition: ColumnElement[bool]) -> list[KnownEvent]:
    rows = connection.execute(select(known_event).where(condition).order_by(known_event.c.digest))
    return [
        KnownEvent(row.digest, UUID(row.id), row.type, row.source, row.chain, bool(row.sent)) for row in rows
    ]
