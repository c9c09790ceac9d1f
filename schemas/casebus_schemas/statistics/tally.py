"""The tally: everything that can be counted in a set of events, each item with the events it rests on."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache

from casebus_schemas.case.chain import ChainEvent, Digest
from casebus_schemas.case.effects import mends
from casebus_schemas.case.persons import Entry, Person, entry_of, identify
from casebus_schemas.law.calendar import beijing_day

from .matters import Matter, matters
from .measures import CHANGED, COUNTED_TYPES, INDICTMENT_WITHDRAWN, PROSECUTED, Measure
from .scopes import FUTURES_MARKETS, Charged

_RANK = {PROSECUTED: 0, CHANGED: 1, INDICTMENT_WITHDRAWN: 2}


@dataclass(frozen=True, slots=True)
class Item:
    """One person, chain or event that counts, or would but for a correction or withdrawal (`counts` False).

    `placed_by` is the event whose Beijing day `on` puts it into a period; `events` all that it rests on.
    `days` and `ever` are the days and charges under which any version of these events would count it.
    """

    key: str
    chain: str
    on: date
    placed_by: Digest
    counts: bool
    charges: frozenset[Charged]
    events: frozenset[Digest]
    days: frozenset[date]
    ever: frozenset[Charged]


class Tally:
    """What a set of events holds to be counted, as it was known to the bus at a time (None: all of it)."""

    def __init__(self, events: Iterable[ChainEvent], known_at: datetime | None = None) -> None:
        self.known_at = known_at
        self.matters = matters(events, COUNTED_TYPES, known_at)
        self._known = frozenset(
            digest
            for matter in self.matters.values()
            for digest in (*matter.folded.by_digest, *matter.folded.repeats.said)
        )
        self.items = cache(self._items)

    def knows(self, event: ChainEvent) -> bool:
        """Whether the event is among them."""
        return event.digest in self._known

    def _items(self, measure: Measure) -> tuple[Item, ...]:
        """The items of a measure, in a fixed order. Those that count by person are persons, for cases too."""
        return tuple(item for matter in self.matters.values() for item in _of_matter(matter, measure))


def _of_matter(matter: Matter, measure: Measure) -> list[Item]:
    if measure.by_person:
        return list(_persons(matter))
    return list(_chain(matter, measure.type) if measure.counts == "chains" else _events(matter, measure.type))


def _events(matter: Matter, type: str) -> Iterator[Item]:
    standing = {event.digest: event for event in matter.folded.standing}
    for said in matter.folded.order:
        if said.type == type and not mends(said):
            event = standing.get(said.digest, said)
            rests_on = frozenset({said.digest, *matter.touching(said.digest)})
            yield Item(
                key=said.digest.hex(),
                chain=matter.chain,
                on=beijing_day(said.occurred_at),
                placed_by=said.digest,
                counts=said.digest in standing,
                charges=_charged(event),
                events=rests_on,
                days=frozenset({beijing_day(said.occurred_at)}),
                ever=_charged(event) | _charged(said),
            )


def _chain(matter: Matter, type: str) -> Iterator[Item]:
    found = list(_events(matter, type))
    if not found:
        return
    # The first that counts; if none does, the first that would have.
    first = min(found, key=lambda item: (not item.counts, item.on, item.placed_by))
    yield Item(
        key=matter.chain,
        chain=matter.chain,
        on=first.on,
        placed_by=first.placed_by,
        counts=first.counts,
        charges=frozenset(
            charge for item in found if item.counts or item is first for charge in item.charges
        ),
        events=frozenset(digest for item in found for digest in item.events),
        days=frozenset(item.on for item in found),
        ever=frozenset(charge for item in found for charge in item.ever),
    )


_Joined = Callable[[frozenset[frozenset[Digest]]], frozenset[Digest]]


@dataclass(slots=True)
class _Track:
    """The way of one person through the indictments of a chain."""

    legal: bool
    placed: ChainEvent | None = None
    was: tuple[ChainEvent, frozenset[Charged]] | None = None
    charges: dict[Digest, frozenset[Charged]] = field(default_factory=dict)
    events: set[frozenset[Digest]] = field(default_factory=set)
    """What it rests on, in the runs that it shares with the other persons of an indictment."""
    days: set[date] = field(default_factory=set)
    ever: set[Charged] = field(default_factory=set)

    def prosecute(self, event: ChainEvent, charges: frozenset[Charged]) -> None:
        if self.placed is None:
            self.placed = event
            self.days.add(beijing_day(event.occurred_at))
        self.charges[event.digest] = charges
        self.ever |= charges

    def take_back(self) -> None:
        if self.placed is not None:
            self.was = (self.placed, self._all())
        self.placed = None
        self.charges = {}

    def item(self, chain: str, key: str, joined: "_Joined") -> Item | None:
        event, charges = (self.placed, self._all()) if self.placed else self.was or (None, frozenset())
        if event is None or self.legal:
            return None
        return Item(
            key=f"{chain}/{key}",
            chain=chain,
            on=beijing_day(event.occurred_at),
            placed_by=event.digest,
            counts=self.placed is not None,
            charges=charges,
            events=joined(frozenset(self.events)),
            days=frozenset(self.days),
            ever=frozenset(self.ever),
        )

    def _all(self) -> frozenset[Charged]:
        return frozenset(charge for charges in self.charges.values() for charge in charges)


class _Persons:
    """Who is listed in the papers on the indictments of a chain, as said and as corrected."""

    def __init__(self, matter: Matter) -> None:
        self._said = [event for event in matter.folded.order if event.data.get("suspects")]
        versions = [*self._said, *matter.folded.standing]
        self._of = identify(
            entry for event in versions if event.family == "outcome" for entry in _entries(event)
        )

    def listed(self, event: ChainEvent) -> dict[Person, set[str]]:
        """Whom this version of an event lists, with the references under which it does."""
        found: dict[Person, set[str]] = {}
        for entry in _entries(event):
            found.setdefault(self._of[entry], set()).add(entry.ref)
        return found

    def charges(self, event: ChainEvent) -> dict[str, set[Charged]]:
        """By suspect the charges of this version of an event: looked through once for all persons."""
        found: dict[str, set[Charged]] = {}
        for suspect, charged in _charges(event):
            found.setdefault(suspect, set()).add(charged)
        return found


def _persons(matter: Matter) -> Iterator[Item]:
    folded = matter.folded
    if not any(event.type in _RANK for event in folded.order):
        return
    persons = _Persons(matter)
    tracks: dict[str, _Track] = {}

    standing = [event for event in folded.standing if event.type in _RANK and not mends(event)]
    # The fold's order is of causes; where two share a time, an indictment comes before what is done to it.
    standing.sort(key=lambda event: (event.occurred_at, _RANK[event.type], event.digest))
    for event in standing:
        listed = persons.listed(event)
        if event.type == INDICTMENT_WITHDRAWN:
            touching = frozenset({event.digest, *matter.touching(event.digest)})
            for key in (
                {person.key for person in listed} if listed else _answered(matter, event, persons, tracks)
            ):
                if key in tracks:
                    tracks[key].take_back()
                    tracks[key].events.add(touching)
            continue
        charging = persons.charges(event)
        for person, refs in listed.items():
            on = tracks.setdefault(person.key, _Track(person.legal))
            if event.type == CHANGED:
                on.charges = {}
            on.prosecute(event, frozenset[Charged]().union(*(charging.get(ref, ()) for ref in refs)))
    _trace(matter, persons, tracks)
    # Who rests on the same runs shares them: persons times events would be more than there is room for.
    joined = cache(lambda runs: frozenset[Digest]().union(*runs))
    for key in sorted(tracks):
        item = tracks[key].item(matter.chain, key, joined)
        if item is not None:
            yield item


def _trace(matter: Matter, persons: _Persons, tracks: dict[str, _Track]) -> None:
    """Notes on which events each person rests, and gives those who count no more the place that they had."""
    standing = {event.digest: event for event in matter.folded.standing}
    for said in matter.folded.order:
        if said.type not in _RANK or mends(said):
            continue
        touching = frozenset({said.digest, *matter.touching(said.digest)})
        now = persons.listed(standing[said.digest]) if said.digest in standing else {}
        as_said = persons.listed(said)
        of_ref: dict[str, list[Person]] = {}
        for person, refs in as_said.items():
            for ref in refs:
                of_ref.setdefault(ref, []).append(person)
        if said.type == INDICTMENT_WITHDRAWN and not as_said:
            for key in _answered(matter, said, persons, tracks):
                if key in tracks:
                    tracks[key].events.add(touching)
        for version in (said, *(matter.event(digest) for digest in sorted(touching))):
            if version is not said and not (version.data.get("charges") or version.data.get("suspects")):
                continue  # who says nothing of either adds nothing to what was said
            charging = persons.charges(version if version.data.get("charges") else said)
            listed = persons.listed(version) or as_said
            if version is not said and not version.data.get("suspects"):  # of those whom it charges
                listed = {}
                for ref in charging.keys() & of_ref.keys():
                    for person in of_ref[ref]:
                        listed.setdefault(person, set()).add(ref)
            for person, refs in listed.items():
                on = tracks.setdefault(person.key, _Track(person.legal))
                on.events.add(touching)
                charged = frozenset[Charged]().union(*(charging.get(ref, ()) for ref in refs))
                on.ever |= charged
                if person not in now and said.type != INDICTMENT_WITHDRAWN:
                    on.days.add(beijing_day(said.occurred_at))
                    if on.placed is None and on.was is None:
                        on.was = (said, charged)


def _answered(
    matter: Matter, event: ChainEvent, persons: _Persons, tracks: dict[str, _Track]
) -> Iterable[str]:
    """Whom a withdrawal without list means: those of the indictment it answers, else all of the chain."""
    request = matter.folded.request_of(event)
    if request is None or request.type not in _RANK:
        return list(tracks)
    standing = {event.digest: event for event in matter.folded.standing}
    origin = matter.folded.origin_of(request.digest)
    return [person.key for person in persons.listed(standing.get(origin, request))]


def _entries(event: ChainEvent) -> list[Entry]:
    return [entry_of(event.agency, suspect) for suspect in event.data.get("suspects") or ()]


def _charged(event: ChainEvent) -> frozenset[Charged]:
    return frozenset(charged for _, charged in _charges(event))


def _charges(event: ChainEvent) -> Iterator[tuple[str, Charged]]:
    security = event.data.get("security")
    futures = security is not None and security["market"] in FUTURES_MARKETS
    for charge in event.data.get("charges") or ():
        yield charge["suspect"], Charged(charge["article"].replace(" ", ""), futures)
