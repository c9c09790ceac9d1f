"""What events of several chains have in common: their keys, by kind, and the events that share one."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Literal, NamedTuple, Protocol
from uuid import UUID

from casebus_schemas.agencies import agency_of_source

from .chain import ChainEvent, distinct

KeyKind = Literal["event-id"]

MOST_READ = 100
"""How many events of one key a rule is given, those that were admitted first; a finding shows ten."""


class Key(NamedTuple):
    """What several chains may have in common."""

    kind: KeyKind
    text: str


class Headed(Protocol):
    """An event as far as its keys need it."""

    @property
    def id(self) -> UUID:
        """Its id, given by its agency."""

    @property
    def source(self) -> str:
        """Who said it."""


def _event_id(event: Headed) -> Iterator[str]:
    # Ids belong to their agency: what a stranger says under another's id has nothing in common with it.
    yield f"{agency_of_source(event.source)} {event.id}"


KEYS: Mapping[KeyKind, Callable[[Headed], Iterable[str]]] = {"event-id": _event_id}
"""By kind what gives an event's keys."""


def keys_of(event: Headed, kinds: Iterable[KeyKind]) -> Iterator[Key]:
    """The keys of an event."""
    for kind in kinds:
        for text in KEYS[kind](event):
            yield Key(kind, text)


@dataclass(frozen=True, slots=True)
class Linked:
    """Events of several chains that have a key in common, in the order of their admission.

    They are the first `MOST_READ`; `cut` says that there are more.
    """

    key: Key
    events: tuple[ChainEvent, ...]
    cut: bool = False

    @property
    def chains(self) -> int:
        """How many chains they stand in."""
        return len({event.chain for event in self.events})


def linked(key: Key, events: Iterable[ChainEvent]) -> Linked | None:
    """The events of a key, if they stand in several chains: order and repetition do not matter."""
    known = sorted(distinct(events).values(), key=lambda event: (event.admitted_at, event.digest))
    if len({event.chain for event in islice(known, MOST_READ)}) < 2:
        return None
    return Linked(key, tuple(known[:MOST_READ]), len(known) > MOST_READ)


def all_linked(events: Iterable[ChainEvent], kinds: Iterable[KeyKind]) -> Iterator[Linked]:
    """Whatever events of several chains have in common, by key."""
    kinds = tuple(kinds)
    sharing: dict[Key, list[ChainEvent]] = {}
    for event in events:
        for key in keys_of(event, kinds):
            sharing.setdefault(key, []).append(event)
    for key in sorted(sharing):
        if len(sharing[key]) > 1 and (found := linked(key, sharing[key])) is not None:
            yield found
