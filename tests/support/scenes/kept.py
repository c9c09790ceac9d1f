"""Receipts of the bus as a door's reader keeps them."""

from itertools import count

from casebus_consumers.door.door import Door
from casebus_producers.received.kept_receipts import keep as keep_receipt
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.wire.codec import decode
from casebus_schemas.wire.records import Outgoing
from support.events.signed_events import stored

_offsets = count()


def keep(door: Door, receipt: Outgoing) -> None:
    """Keeps a receipt in the door's outbox file."""
    record = stored(receipt, next(_offsets))
    with door._outbox.transaction() as connection:
        assert keep_receipt(connection, record, decode(Catalog.load(), record.value)[1]) is None
