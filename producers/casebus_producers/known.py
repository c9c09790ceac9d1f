"""What the agency knows: events it said or heard, and which chain a case reference belongs to."""

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from casebus_schemas.case.placing import Reference
from casebus_schemas.wire.door import DoorProblem

_EVENT = "INSERT OR IGNORE INTO known_event (digest, id, type, source, chain, sent) VALUES (?, ?, ?, ?, ?, ?)"
_REFERENCE = "INSERT OR IGNORE INTO known_reference (issuer, scheme, value, chain) VALUES (?, ?, ?, ?)"
_CHAIN = "SELECT chain FROM known_reference WHERE issuer = ? AND scheme = ? AND value = ?"
# A number without its office means whichever office of the agency has it ('0' is the character after '/').
_OF_OFFICES = """
SELECT DISTINCT chain FROM known_reference
WHERE issuer > ?1 || '/' AND issuer < ?1 || '0' AND scheme = ?2 AND value = ?3
"""
# What the agency said stands in its outbox, what it heard in known_event.
_KNOWN = """
SELECT digest, id, type, headers, aggregateid, 1 FROM outbox WHERE {0} = ?
UNION ALL SELECT digest, id, type, source, chain, sent FROM known_event WHERE {0} = ?
"""
_OF_ID, _OF_DIGEST = _KNOWN.format("id"), _KNOWN.format("digest")


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
    connection: sqlite3.Connection,
    *,
    digest: bytes,
    id: UUID,
    type: str,
    source: str,
    chain: str,
    references: Iterable[Reference],
) -> None:
    """Notes an event that the agency heard, and the chain of its references; the first one wins."""
    connection.execute(_EVENT, (digest, str(id), type, source, chain, 0))
    for reference in references:
        connection.execute(_REFERENCE, (*reference.normal, chain))


def remember_references(connection: sqlite3.Connection, references: Iterable[Reference], chain: str) -> None:
    """Notes the chain of references that the agency itself gave; the first one wins."""
    connection.executemany(
        _REFERENCE,
        [(*reference.normal, chain) for reference in references],
    )


def events_of_id(connection: sqlite3.Connection, id: UUID) -> list[KnownEvent]:
    """The known events of that id, by digest: usually one; several where an id was used twice."""
    return _events(connection, _OF_ID, str(id))


def event_of_digest(connection: sqlite3.Connection, digest: bytes) -> KnownEvent | None:
    """The known event of that digest."""
    found = _events(connection, _OF_DIGEST, digest)
    return found[0] if found else None


def chain_of_reference(connection: sqlite3.Connection, reference: Reference) -> str | None:
    """The chain to which a reference belongs. Raises DoorProblem if several offices have the number."""
    found = [row[0] for row in connection.execute(_CHAIN, reference.normal)]
    if not found and "/" not in reference.issuer:
        found = [row[0] for row in connection.execute(_OF_OFFICES, reference.normal)]
    if len(found) > 1:
        raise DoorProblem(
            "/data/envelope/local_refs",
            f"several offices of {reference.issuer} have the number {reference.value}",
            found=f"{len(found)} matters",
            expected=f"{reference.issuer}/office as the issuer, or the chain id as subject",
        )
    return found[0] if found else None


def _events(connection: sqlite3.Connection, query: str, what: str | bytes) -> list[KnownEvent]:
    found: dict[bytes, KnownEvent] = {}
    for digest, id, type, source, chain, sent in connection.execute(query, (what, what)):
        # Said before heard: what the agency said stays its own where a notice of it came back.
        found.setdefault(digest, KnownEvent(digest, UUID(id), type, _source(source), chain, bool(sent)))
    return [found[digest] for digest in sorted(found)]


def _source(text: str) -> str:
    """The source itself, or that of the headers of a row of the outbox."""
    if text.startswith("/"):
        return text
    headers: dict[str, Any] = dict(json.loads(text))
    return str(headers["ce_source"])
