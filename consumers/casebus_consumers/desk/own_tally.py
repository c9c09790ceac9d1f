"""What an agency's own events count up to, kept in memory and counted anew when some have come."""

from casebus_consumers.own.store import OwnStore
from casebus_consumers.own.view import OwnView
from casebus_producers.outbox.outbox import Outbox
from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.statistics.measures import FAMILIES
from casebus_schemas.statistics.tally import Tally

from .changed import Ends, chains_between, ends_of


class OwnTally:
    """Used by one thread at a time."""

    def __init__(self, view: OwnView, store: OwnStore, outbox: Outbox) -> None:
        self._view = view
        self._store = store
        self._outbox = outbox
        self._until: Ends | None = None
        self._events: dict[str, list[ChainEvent]] = {}
        self._tally = Tally(())

    def now(self) -> Tally:
        """The tally of all that the agency knows now."""
        ends, before = ends_of(self._store, self._outbox), self._until
        if ends == before:
            return self._tally
        if before is None or ends.inbox < before.inbox or ends.outbox < before.outbox:
            self._events.clear()
            chains = set(self._view.chain_ids())
        else:
            chains = chains_between(self._store, self._outbox, before, ends)
        for chain in chains:
            self._events[chain] = [one for one in self._view.events(chain) if one.family in FAMILIES]
        self._tally = Tally(event for events in self._events.values() for event in events)
        self._until = ends
        return self._tally
