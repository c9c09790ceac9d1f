"""What the agency knows: events it said or heard, and which chain a case reference belongs to."""

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from casebus_schemas.agencies import agency_of_source
from casebus_schemas.case.placing import Reference
from casebus_schemas.wire.door import DoorProblem

_EVENT = "INSERT OR IGNORE INTO known_event (digest, id, type, source, chain, sent) VALUES (?, ?, ?, ?, ?, ?)"
# What an agency says of its own numbers, and what others claim of them.
_KNOWN_TABLE, _CLAIMED_TABLE = "known_reference", "claimed_reference"
_REFERENCE = "INSERT OR IGNORE INTO {} (issuer, scheme, value, chain) VALUES (?, ?, ?, ?)"
_CHAIN = "SELECT chain FROM {} WHERE issuer = ? AND scheme = ? AND value = ?"
# A number without its office means whichever office of the agency has it ('0' is the character after '/').
_OF_OFFICES = """
SELECT DISTINCT chain FROM {}
WHERE issuer > ?1 || '/' AND issuer < ?1 || '0' AND scheme = ?2 AND value = ?3
"""
# What the agency said stands in its outbox, what it heard in known_event, each in the order in which it came.
_KNOWN = """
SELECT digest, id, type, headers, aggregateid, 1, 0, position FROM outbox WHERE {0} = ?
UNION ALL SELECT digest, id, type, source, chain, sent, 1 - sent, rowid FROM known_event WHERE {0} = ?
ORDER BY 7, 8
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
    """Notes an event that the agency heard, and the chain of its references; the first one wins.

    What its speaker says of numbers of others is noted apart, and counts only where they have said nothing.
    """
    connection.execute(_EVENT, (digest, str(id), type, source, chain, 0))
    speaker = agency_of_source(source)
    for reference in references:
        table = _KNOWN_TABLE if _giver(reference) == speaker else _CLAIMED_TABLE
        connection.execute(_REFERENCE.format(table), (*reference.normal, chain))


def remember_references(connection: sqlite3.Connection, references: Iterable[Reference], chain: str) -> None:
    """Notes the chain of references that the agency itself gave; the first one wins."""
    connection.executemany(
        _REFERENCE.format(_KNOWN_TABLE),
        [(*reference.normal, chain) for reference in references],
    )


def events_of_id(connection: sqlite3.Connection, id: UUID) -> list[KnownEvent]:
    """The known events of that id: usually one; several where an id was used twice.

    What the agency said itself comes first, then what it heard, each in the order in which it came.
    """
    return _events(connection, _OF_ID, str(id))


def event_of_digest(connection: sqlite3.Connection, digest: bytes) -> KnownEvent | None:
    """The known event of that digest."""
    found = _events(connection, _OF_DIGEST, digest)
    return found[0] if found else None


def chain_of_reference(connection: sqlite3.Connection, reference: Reference, agency: str) -> str | None:
    """The chain to which a reference belongs, as far as this agency knows.

    By the word of whoever gives such numbers; else by that of others, unless it is the agency's own number:
    nobody places its cases for it. Raises DoorProblem if several offices have the number.
    """
    found = _chains(connection, _KNOWN_TABLE, reference)
    if not found and _giver(reference) != agency:
        claimed = _chains(connection, _CLAIMED_TABLE, reference)
        return claimed[0] if len(claimed) == 1 else None
    if len(found) > 1:
        raise DoorProblem(
            "/data/envelope/local_refs",
            f"several offices of {reference.issuer} have the number {reference.value}",
            found=f"{len(found)} matters",
            expected=f"{reference.issuer}/office as the issuer, or the chain id as subject",
        )
    return found[0] if found else None


def _chains(connection: sqlite3.Connection, table: str, reference: Reference) -> list[str]:
    found = [row[0] for row in connection.execute(_CHAIN.format(table), reference.normal)]
    if not found and "/" not in reference.issuer:
        found = [row[0] for row in connection.execute(_OF_OFFICES.format(table), reference.normal)]
    return found


def _giver(reference: Reference) -> str:
    """Whose number it is."""
    return reference.issuer.partition("/")[0]


def _events(connection: sqlite3.Connection, query: str, what: str | bytes) -> list[KnownEvent]:
    found: dict[bytes, KnownEvent] = {}
    for digest, id, type, source, chain, sent, *_ in connection.execute(query, (what, what)):
        # Said before heard: what the agency said stays its own where a notice of it came back.
        found.setdefault(digest, KnownEvent(digest, UUID(id), type, _source(source), chain, bool(sent)))
    return list(found.values())


def _source(text: str) -> str:
    """The source itself, or that of the headers of a row of the outbox."""
    if text.startswith("/"):
        return text
    headers: dict[str, Any] = dict(json.loads(text))
    return str(headers["ce_source"])
