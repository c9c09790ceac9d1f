"""The fold: puts a chain's events into their one order and lets corrections and withdrawals take effect."""

import heapq
from collections.abc import Iterable, Iterator, Mapping, Set
from datetime import datetime
from functools import cached_property
from typing import Any
from uuid import UUID

from .amounts import CurrentAmounts
from .assets import AssetBook
from .belonging import Belonging
from .chain import ChainEvent, Digest, distinct
from .circles import circles_of
from .effects import Effects, mends, take_effect, targets_of
from .persons import Suspects
from .repeats import Repeats

MOST_ANSWERED = 30
"""How far back it is followed what an event answers."""


class Folded:
    """A chain in its order, and what corrections and withdrawals made of it.

    `order` holds every event once, causes before effects. `standing`, `superseded`, `withdrawn`, `rivals`,
    `strangers` and `too_many` are what `Effects` says: corrections and withdrawals never stand.
    `cycles` are events that claim to be each other's cause. `belonging` knows who speaks from outside: that
    has no effect either. `repeats` are events that only say again what one of the order says: what points at
    them points at that. Whoever made it may `grow` it; what it gives is never changed by others.
    """

    def __init__(
        self,
        order: Iterable[ChainEvent],
        effects: Effects,
        cycles: tuple[tuple[ChainEvent, ...], ...],
        belonging: Belonging,
        repeats: Repeats,
    ) -> None:
        self.belonging = belonging
        self.repeats = repeats
        self.order: list[ChainEvent] = list(order)
        self.standing: list[ChainEvent] = effects.standing
        if belonging.first_outside:
            self.standing = [event for event in effects.standing if not belonging.is_outside(event)]
        self.superseded = effects.superseded
        self.withdrawn = effects.withdrawn
        self.rivals = effects.rivals
        self.strangers = effects.strangers
        self.cycles = cycles
        self.too_many = effects.too_many
        self._idle = effects.idle
        self.by_digest: dict[Digest, ChainEvent] = {}
        self.said_as: dict[tuple[str, UUID], list[ChainEvent]] = {}
        self.shared_ids: dict[tuple[str, UUID], list[ChainEvent]] = {}
        self._answerable = _Answerable()
        self._origins: dict[Digest, Digest] = {}
        self.place: dict[Digest, int] = {}
        self.said_of: dict[str, list[ChainEvent]] = {}
        self.standing_of: dict[str, list[ChainEvent]] = {}
        self.stated = CurrentAmounts()
        self.assets = AssetBook()
        self.last_security: dict[str, ChainEvent] = {}
        self._awaited: set[UUID | Digest] = set()
        self._threads: dict[Digest, frozenset[Digest]] = {}
        self.kept: dict[type[Any], tuple[Any, Any, int, int]] = {}
        """What `kept_of` has read so far: of which kind, up to where."""
        self._last_key: tuple[datetime, Digest] | None = None
        for place, event in enumerate(self.order):
            self._index(event, place)
        self._answerable.enter_repeats(repeats, self.by_digest)
        for event in self.standing:
            self._index_standing(event)

    @property
    def events(self) -> Iterator[ChainEvent]:
        """Every event that was folded, as it came, repeats too."""
        yield from map(self.repeats.as_said, self.order)
        yield from self.repeats.said.values()

    def known(self, digest: Digest) -> ChainEvent | None:
        """The event of that digest, as it came, if it was folded."""
        return self.repeats.said.get(digest) or self.by_digest.get(digest)

    @property
    def awaited(self) -> Set[UUID | Digest]:
        """Ids and digests that some event of the chain points at."""
        return self._awaited

    @cached_property
    def suspects(self) -> Suspects:
        """Who is who in the events that stand."""
        return Suspects(self.standing)

    def is_idle(self, event: ChainEvent) -> bool:
        """Whether the event is a correction or withdrawal that has no effect."""
        return event.digest in self._idle

    def thread(self, event: ChainEvent) -> frozenset[Digest]:
        """An event, what it answers, what that answers, and so on; corrections count as what they correct.

        At most `MOST_ANSWERED` of them: no procedure answers so often.
        """
        known = self._threads.get(event.digest)
        if known is None:
            found: set[Digest] = set()
            request = self.request_of(event)
            while request is not None and (digest := self.origin_of(request.digest)) not in found:
                if len(found) == MOST_ANSWERED:
                    break
                found.add(digest)
                request = self.request_of(self.by_digest[digest])
            known = self._threads[event.digest] = frozenset((event.digest, *found))
        return known

    def request_of(self, event: ChainEvent) -> ChainEvent | None:
        """The event that this one answers: the version its hash names, else the first with that id.

        The first that the bus had of those that its speaker was told of: nobody draws an answer to himself by
        an id of others.
        """
        return _target(event, self._answerable, self.by_digest)

    def origin_of(self, digest: Digest) -> Digest:
        """The event that a correction finally corrects; any other event's own digest."""
        return self._origins.get(digest, digest)

    def grow(self, event: ChainEvent) -> bool:
        """Takes an event that sorts last and changes nothing before it; False if it is not such a one.

        Then the fold is as it was, and all events must be folded anew. Takes no more time in a long chain.
        """
        was_awaited = event.digest in self._awaited or (
            event.id in self._awaited and self._answerable.is_moved_by(event)
        )
        if was_awaited or self.repeats.is_early(event):
            return False
        original = self.repeats.original_of(event)
        if original is not None:
            self.repeats.drop(event, original)
            self._answerable.enter(event, self.by_digest[original.digest])
            return True
        said, event = event, self.repeats.meaning(event)
        sorts_last = self._last_key is None or event.sort_key > self._last_key
        answers_itself = event.in_reply_to == event.id or event.digest in pointers_of(event)
        if not sorts_last or answers_itself or self._takes_effect(event):
            return False
        if not self.belonging.take(event):
            return False
        self.repeats.keep(said)
        self._index(event, len(self.order))
        self.order.append(event)
        for target in targets_of(event, self.by_digest):
            if self.by_digest[target].agency != event.agency:
                self.strangers.append(event)
            else:
                self.too_many.setdefault(self.origin_of(target), []).append(event)
        if mends(event):
            self._idle.add(event.digest)
        if mends(event) or self.belonging.is_outside(event):
            return True
        self._index_standing(event)
        self.standing.append(event)
        if "suspects" in self.__dict__:
            self.suspects.add(event)
        return True

    def _takes_effect(self, event: ChainEvent) -> bool:
        """Whether an event changes what an earlier one says."""
        return any(
            self.by_digest[target].agency == event.agency and self.origin_of(target) not in self.too_many
            for target in targets_of(event, self.by_digest)
        )

    def _index(self, event: ChainEvent, place: int) -> None:
        self.by_digest[event.digest] = event
        self._answerable.enter(event)
        same = self.said_as.setdefault((event.agency, event.id), [])
        same.append(event)
        if len(same) > 1:
            self.shared_ids[event.agency, event.id] = same
        if event.corrects is not None and event.corrects != event.digest:
            known = self._origins.get(event.corrects)
            if known is not None or event.corrects in self.by_digest:
                self._origins[event.digest] = known or event.corrects
        self.place[event.digest] = place
        self.said_of.setdefault(event.type, []).append(event)
        self._awaited.update(pointers_of(event))
        if self._last_key is None or event.sort_key > self._last_key:
            self._last_key = event.sort_key

    def _index_standing(self, event: ChainEvent) -> None:
        self.standing_of.setdefault(event.type, []).append(event)
        self.stated.add(event)
        self.assets.add(event)
        if event.data.get("security"):
            self.last_security[event.agency] = event


def fold(events: Iterable[ChainEvent], parties: frozenset[str] | None = None) -> Folded:
    """Folds a set of admitted events of one chain: any order of arrival and any repetition give the same.

    `parties` are those of the whole chain, where only a part of its events is given.
    """
    every = distinct(events)
    repeats = Repeats(every.values())
    found = {digest: repeats.meaning(event) for digest, event in every.items() if digest not in repeats.said}
    order, cycles = _causal_order(found, repeats)
    return Folded(order, take_effect(order), cycles, Belonging(order, parties), repeats)


def extend(folded: Folded, event: ChainEvent) -> Folded:
    """The fold with one more event: the same one, grown, where that can be, else all events folded anew.

    Equal to folding all events anew in every case (a property test holds it).
    """
    known = folded.known(event.digest)
    if known is not None:
        return folded if known.admitted_at <= event.admitted_at else fold((*folded.events, event))
    return folded if folded.grow(event) else fold((*folded.events, event))


def pointers_of(event: ChainEvent) -> list[UUID | Digest]:
    """Ids and digests of what an event points at."""
    pointers = (event.in_reply_to, event.in_reply_to_hash, event.corrects, event.withdraws, event.prev)
    return [pointer for pointer in pointers if pointer is not None]


class _Answerable:
    """What an id means to whoever answers it: of several events with it the one that the bus had first.

    First of those that he was told of, as the admissions say: what was not told to him he cannot answer.
    """

    def __init__(self) -> None:
        self._first: dict[tuple[UUID, str | None], tuple[tuple[datetime, Digest], ChainEvent]] = {}

    def enter(self, event: ChainEvent, meant: ChainEvent | None = None) -> None:
        """Takes an event; `meant` is the one that it only says again."""
        for key in self._keys_moved_by(event):
            self._first[key] = (_had(event), meant or event)

    def enter_repeats(self, repeats: Repeats, found: Mapping[Digest, ChainEvent]) -> None:
        for digest, event in repeats.said.items():
            self.enter(event, found[repeats.of[digest]])

    def is_moved_by(self, event: ChainEvent) -> bool:
        """Whether the event's id means another event to somebody, once it is entered."""
        return bool(self._keys_moved_by(event))

    def find(self, id: UUID, answerer: str) -> ChainEvent | None:
        found = self._first.get((id, answerer)) or self._first.get((id, None))
        return None if found is None else found[1]

    def _keys_moved_by(self, event: ChainEvent) -> list[tuple[UUID, str | None]]:
        keys: list[tuple[UUID, str | None]] = [(event.id, None)]
        keys.extend((event.id, agency) for agency in event.audience)
        return [key for key in keys if key not in self._first or _had(event) < self._first[key][0]]


def _had(event: ChainEvent) -> tuple[datetime, Digest]:
    return (event.admitted_at, event.digest)


def _target(
    event: ChainEvent, answerable: _Answerable, found: Mapping[Digest, ChainEvent]
) -> ChainEvent | None:
    request, version = event.in_reply_to, event.in_reply_to_hash
    if request is None:
        return None
    named = found.get(version) if version is not None else None
    if named is not None and named.id == request:
        return named
    return answerable.find(request, event.agency)


_Causes = dict[Digest, set[Digest]]


def _causal_order(
    found: Mapping[Digest, ChainEvent], repeats: Repeats
) -> tuple[list[ChainEvent], tuple[tuple[ChainEvent, ...], ...]]:
    """Causes before effects, else by time and digest; of a circle none counts as another's cause."""
    answerable = _Answerable()
    for event in found.values():
        answerable.enter(event)
    answerable.enter_repeats(repeats, found)
    causes: _Causes = {}
    for event in found.values():
        request = _target(event, answerable, found)
        named = (request.digest if request else None, event.corrects, event.withdraws, event.prev)
        causes[event.digest] = {digest for digest in named if digest is not None and digest in found}
    order = _sorted_by_cause(found, causes)
    if len(order) == len(found):
        return order, ()
    circles = circles_of(causes, {event.digest for event in order})
    for circle in circles:
        for digest in circle:
            causes[digest] -= circle
    cycles = [tuple(sorted(map(found.__getitem__, circle), key=_sort_key)) for circle in circles]
    return _sorted_by_cause(found, causes), tuple(sorted(cycles, key=lambda cycle: cycle[0].sort_key))


def _sorted_by_cause(found: Mapping[Digest, ChainEvent], causes: _Causes) -> list[ChainEvent]:
    """Without those that wait for themselves."""
    effects: dict[Digest, list[Digest]] = {}
    for digest, of in causes.items():
        for cause in of:
            effects.setdefault(cause, []).append(digest)
    waiting = {digest: len(of) for digest, of in causes.items()}
    ready = [found[digest].sort_key for digest, count in waiting.items() if count == 0]
    heapq.heapify(ready)
    order: list[ChainEvent] = []
    while ready:
        digest = heapq.heappop(ready)[1]
        order.append(found[digest])
        for effect in effects.get(digest, ()):
            waiting[effect] -= 1
            if waiting[effect] == 0:
                heapq.heappush(ready, found[effect].sort_key)
    return order


def _sort_key(event: ChainEvent) -> tuple[datetime, Digest]:
    return event.sort_key
