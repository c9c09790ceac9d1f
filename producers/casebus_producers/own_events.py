"""Events that the agency itself has said, found by what somebody calls them."""

import json
import sqlite3
from dataclasses import dataclass
from typing import Any

from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.wire.codec import decode
from casebus_schemas.wire.headers import EventHeaders
from casebus_schemas.wire.ids import message_uuid

from .outbox.outbox import Outbox

_FEWEST = 4
"""Characters of an id or digest by which an event is found."""
_NAMED = """
SELECT digest, headers, payload FROM outbox
WHERE id = ? OR id = ? OR id LIKE ? OR lower(hex(digest)) LIKE ? ORDER BY position LIMIT 20
"""
_OF_CHAIN = "SELECT digest, headers, payload FROM outbox WHERE aggregateid = ? ORDER BY position"


@dataclass(frozen=True, slots=True)
class OwnEvent:
    """An event of the agency's outbox as it was signed."""

    digest: bytes
    headers: EventHeaders
    value: bytes

    def data(self, catalog: Catalog) -> dict[str, Any]:
        """What it says."""
        return decode(catalog, self.value)[1]


def own_events(outbox: Outbox, named: str) -> list[OwnEvent]:
    """Those whose id or digest is or begins as somebody says, or that bear this message number."""
    wanted = named.strip()
    plain = wanted.lower().replace("%", "").replace("_", "")
    beginning = f"{plain}%" if len(plain) >= _FEWEST else ""
    by_number = str(message_uuid(outbox.agency, wanted))
    with outbox.reading() as connection:
        rows = connection.execute(_NAMED, (wanted.lower(), by_number, beginning, beginning)).fetchall()
    return [OwnEvent(digest, _headers(headers), value) for digest, headers, value in rows]


def own_events_of(outbox: Outbox, chain: str) -> list[OwnEvent]:
    """Those of a chain, in the order in which they were said."""
    with outbox.reading() as connection:
        return said_in(connection, chain)


def said_in(connection: sqlite3.Connection, chain: str) -> list[OwnEvent]:
    """The same within a transaction of the caller."""
    rows = connection.execute(_OF_CHAIN, (chain,)).fetchall()
    return [OwnEvent(digest, _headers(headers), value) for digest, headers, value in rows]


def versions(outbox: Outbox, event: OwnEvent, catalog: Catalog) -> list[OwnEvent]:
    """An event and its corrections, from the first version to the last; of two rivals the later one."""
    every = {one.digest: one for one in own_events_of(outbox, event.headers.subject)}
    corrects = {
        digest: one.data(catalog).get("envelope", {}).get("corrects") for digest, one in every.items()
    }
    first = event
    while (earlier := every.get(corrects.get(first.digest) or b"")) is not None:
        first = earlier
    found = [first]
    after = {target: digest for digest, target in corrects.items() if target is not None}
    while (later := after.get(found[-1].digest)) is not None:
        found.append(every[later])
    return found


def _headers(text: str) -> EventHeaders:
    return EventHeaders.parse(tuple((name, value.encode()) for name, value in json.loads(text)))
