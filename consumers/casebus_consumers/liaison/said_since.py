"""Whether what a refused record says was said again and admitted since: driven again it would be a repeat."""

from datetime import UTC, datetime

from casebus_schemas.case.chain import ChainEvent, chain_event
from casebus_schemas.case.repeats import Repeats
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.errors import BusError
from casebus_schemas.times import to_moment
from casebus_schemas.wire.codec import decode
from casebus_schemas.wire.headers import EventHeaders, digest_of
from casebus_services.reconciler.accounts_database import Database
from casebus_services.reconciler.chain_events import events_of

from .dead_letters import DeadLetter

_LAST = datetime(9000, 1, 1, tzinfo=UTC)


def said_since(accounts_url: str, letter: DeadLetter) -> ChainEvent | None:
    """The admitted event of the same content in the same chain, None also where the record cannot be read."""
    catalog = Catalog.load()
    try:
        refused = _event(letter, catalog)
    except BusError:
        return None
    database = Database(accounts_url, read_only=True)
    try:
        with database.reading() as transaction:
            events = events_of(transaction, catalog, refused.chain)
    finally:
        database.close()
    admitted = {event.digest: event for event in events}
    if refused.digest in admitted:
        return admitted[refused.digest]
    original = Repeats([*events, refused]).of.get(refused.digest)
    return None if original is None else admitted[original]


def _event(letter: DeadLetter, catalog: Catalog) -> ChainEvent:
    headers = EventHeaders.parse(letter.record.headers)
    _, body = decode(catalog, letter.record.value)
    return chain_event(
        digest=digest_of(letter.record),
        id=headers.id,
        type=headers.type,
        source=headers.source,
        chain=headers.subject,
        time_ms=headers.time_ms,
        admitted_at_ms=to_moment(_LAST),
        body=body,
    )
