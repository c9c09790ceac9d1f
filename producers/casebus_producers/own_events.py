"""Events that the agency itself has said, found by what somebody calls them."""

import json
from dataclasses import dataclass
from typing import Any

from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.wire.codec import decode
from casebus_schemas.wire.headers import EventHeaders
from casebus_schemas.wire.ids import message_uuid

from .outbox import Outbox

_FEWEST = 4
"""Characters by which an event is found."""
_NAMED = """
SELECT digest, headers, payload FROM outbox
WHERE id = ? OR id = ? OR id LIKE ? OR lower(hex(digest)) LIKE ? ORDER BY position LIMIT 20
"""


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
    if len(wanted) < _FEWEST:
        return []
    beginning = wanted.lower().replace("%", "").replace("_", "") + "%"
    by_number = str(message_uuid(outbox.agency, wanted))
    with outbox.reading() as connection:
        rows = connection.execute(_NAMED, (wanted.lower(), by_number, beginning, beginning)).fetchall()
    return [OwnEvent(digest, _headers(headers), value) for digest, headers, value in rows]


def _headers(text: str) -> EventHeaders:
    return EventHeaders.parse(tuple((name, value.encode()) for name, value in json.loads(text)))
