"""Who belongs to a chain: who opened it, whom its parties told or addressed, and whom the law brings in."""

from collections.abc import Iterable, Mapping, Set
from datetime import datetime
from functools import cache

from casebus_schemas.catalogue.catalog import Catalog

from .chain import ChainEvent, Digest


class Belonging:
    """The parties of a chain and its strangers: a function of the set of its events, whatever their order.

    Its opener is the agency of the event that the bus had first. Whom a party tells is a party, whose event
    it answers by digest, and who alone may answer the type of what it says. What a stranger says of the case
    stands outside: it is kept, and has no effect until a party tells or addresses him. With `parties` these
    are given.
    """

    def __init__(self, events: Iterable[ChainEvent] = (), parties: frozenset[str] | None = None) -> None:
        self._given = parties is not None
        self.parties: set[str] = set(parties or ())
        self._opened_at: datetime | None = None
        self._brings: dict[str, set[str]] = {}
        self._said: dict[Digest, str] = {}
        self._answered: dict[Digest, set[str]] = {}
        self.first_outside: dict[str, ChainEvent] = {}
        found = list(events)
        if found and not self._given:
            self._opened_at = min(event.admitted_at for event in found)
            self._brought(event.agency for event in found if event.admitted_at == self._opened_at)
        for event in found:
            self.take(event)
        strangers = self.first_outside.keys() - self.parties
        self.first_outside = {agency: self.first_outside[agency] for agency in sorted(strangers)}

    def is_outside(self, event: ChainEvent) -> bool:
        """Whether the event speaks of the case and its speaker is a stranger."""
        return event.agency not in self.parties and event.type in _about_the_case()

    def take(self, event: ChainEvent) -> bool:
        """Takes one more event; False if by it some stranger belongs to the chain, or another opened it."""
        if not self._given:
            if self._opened_at is None or event.admitted_at < self._opened_at:
                moved = self._opened_at is not None
                self._opened_at = event.admitted_at
                self._brought((event.agency,))
                if moved:
                    return False
            elif event.admitted_at == self._opened_at:
                self._brought((event.agency,))
        if not self._given:
            self._bring(event.agency, _brought_by(event))
            self._bring_answered(event)
        if self.is_outside(event):
            first = self.first_outside.get(event.agency)
            if first is None or _admission(event) < _admission(first):
                self.first_outside[event.agency] = event
        return self.parties.isdisjoint(self.first_outside)

    def _bring_answered(self, event: ChainEvent) -> None:
        # By digest only: anybody may use an id of others for an event of his own.
        self._said[event.digest] = event.agency
        for agency in self._answered.get(event.digest, ()):
            self._bring(agency, {event.agency})
        request = event.in_reply_to_hash
        if request is not None:
            self._answered.setdefault(request, set()).add(event.agency)
            if request in self._said:
                self._bring(event.agency, {self._said[request]})

    def _bring(self, agency: str, brought: Set[str]) -> None:
        known = self._brings.setdefault(agency, set())
        new = brought - known
        known |= new
        if new and agency in self.parties:
            self._brought(new)

    def _brought(self, agencies: Iterable[str]) -> None:
        waiting = [agency for agency in agencies if agency not in self.parties]
        while waiting:
            agency = waiting.pop()
            if agency not in self.parties:
                self.parties.add(agency)
                waiting.extend(self._brings.get(agency, ()))


def parties_of(events: Iterable[ChainEvent]) -> frozenset[str]:
    """Who belongs to the chain of these events."""
    return frozenset(Belonging(events).parties)


def _admission(event: ChainEvent) -> tuple[datetime, bytes]:
    return (event.admitted_at, event.digest)


def _brought_by(event: ChainEvent) -> set[str]:
    """Whom an event of a party makes parties."""
    addressed = (*(event.envelope.get("to") or ()), *(event.envelope.get("cc") or ()))
    named = {address.partition("/")[0] for address in addressed}
    return named | event.told | _answerers().get(event.type, frozenset())


@cache
def _about_the_case() -> frozenset[str]:
    types = Catalog.load().types.values()
    return frozenset(event.type for event in types if event.about in ("listed", "case"))


@cache
def _answerers() -> Mapping[str, frozenset[str]]:
    """By type, the agencies that alone have the role that may answer it."""
    found: dict[str, set[str]] = {}
    for event in Catalog.load().types.values():
        if len(event.speakers) == 1:
            for answered in event.answers:
                found.setdefault(answered, set()).update(event.speakers)
    return {type: frozenset(agencies) for type, agencies in found.items()}
