"""What an agency is advised of its own events as it says them, from what its own file knows."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from uuid import UUID

from casebus_schemas.case.chain import ChainEvent, Digest, chain_event
from casebus_schemas.case.placing import references_of
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.texts.sentence import Sentence
from casebus_schemas.times import to_moment
from casebus_schemas.wire.door import DoorEvent, DoorProblem, parse_event

from ..known import chain_of_reference, event_of_digest, events_of_id
from ..outbox.outbox import Outbox
from ..outbox.outbox_events import Queued
from .advice import OPENS, Hint, hints

_OPENED = f"""
SELECT aggregateid, id FROM outbox WHERE type = '{OPENS}' AND aggregateid IN (%s) ORDER BY position DESC
"""


class SaidAdvice:
    """Advice on a run of events of the door: made before they are queued, asked for each that was."""

    def __init__(self, outbox: Outbox, catalog: Catalog, events: Iterable[object]) -> None:
        self._outbox = outbox
        self._catalog = catalog
        self._events = [_parsed(event, catalog) for event in events]
        self._opened = self._opened_before()

    def on(self, number: int, queued: Queued, now: datetime) -> Iterator[Hint]:
        """Hints on the run's n-th event, which is queued for the first time."""
        event = self._events[number]
        if event is None:
            return
        said = chain_event(
            digest=queued.digest,
            id=queued.id,
            type=event.type,
            source=event.source,
            chain=queued.chain,
            time_ms=to_moment(event.time),
            admitted_at_ms=to_moment(event.time),
            body=event.data,
        )
        yield from hints(said, now, self)
        if event.type == OPENS:
            self._opened.setdefault(queued.chain, str(queued.id))

    def has_id(self, id: UUID) -> bool:
        """Whether the agency has said or heard an event of this id."""
        with self._outbox.reading() as connection:
            return bool(events_of_id(connection, id))

    def has_digest(self, digest: Digest) -> bool:
        """Whether the agency has said or heard an event of this digest."""
        with self._outbox.reading() as connection:
            return event_of_digest(connection, digest) is not None

    def opened_by(self, event: ChainEvent) -> Sentence | None:
        """The agency's own event that opened the case before."""
        first = self._opened.get(event.chain)
        return None if first is None else Sentence(f"事件 {first} ", f"event {first}")

    def _opened_before(self) -> dict[str, str]:
        """The first of the agency's events that opened each chain which these events would open.

        Looked up only where the chain or a reference was known before: the outbox is not in their order.
        """
        chains: set[str] = set()
        with self._outbox.reading() as connection:
            for event in self._events:
                if event is None or event.type != OPENS:
                    continue
                if event.subject is not None:
                    chains.add(event.subject)
                    continue
                for reference in references_of(event.data["envelope"], event.source):
                    try:
                        chain = chain_of_reference(connection, reference, self._outbox.agency)
                    except DoorProblem:  # several offices have the number: the connector says it
                        continue
                    if chain is not None:
                        chains.add(chain)
            if not chains:
                return {}
            marks = ", ".join("?" * len(chains))
            return dict(connection.execute(_OPENED % marks, sorted(chains)).fetchall())


def _parsed(event: object, catalog: Catalog) -> DoorEvent | None:
    try:
        parsed = parse_event(event, catalog)
    except DoorProblem:  # the connector says it
        return None
    return parsed if "envelope" in parsed.data else None
