"""The fold: puts a chain's events into their one order and lets corrections and withdrawals take effect."""

import heapq
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any
from uuid import UUID

from .amounts import CurrentAmounts
from .belonging import Belonging
from .chain import ChainEvent, Digest, distinct
from .persons import Suspects


class Folded:
    """A chain in its order, and what corrections and withdrawals made of it.

    `order` holds every event once, causes before effects. `standing` holds those that still speak, with
    their facts as corrected; corrections and withdrawals that took effect are not among them. `superseded`
    maps the digest of a corrected event to the digests of the corrections in effect, oldest first. `rivals`
    are sets of corrections or withdrawals of one event of which none takes effect; `strangers` corrections
    or withdrawals by an agency that did not say what they touch; `cycles` events that claim to be each
    other's cause. `belonging` knows who speaks from outside: that has no effect either. Whoever made it may
    `grow` it; what it gives is never changed by others.
    """

    def __init__(
        self,
        order: Iterable[ChainEvent],
        standing: Iterable[ChainEvent],
        superseded: Mapping[Digest, tuple[Digest, ...]],
        withdrawn: Mapping[Digest, Digest],
        rivals: tuple[tuple[ChainEvent, ...], ...],
        strangers: tuple[ChainEvent, ...],
        cycles: tuple[tuple[ChainEvent, ...], ...],
        belonging: Belonging,
    ) -> None:
        self.belonging = belonging
        self.order: list[ChainEvent] = list(order)
        self.standing: list[ChainEvent] = list(standing)
        self.superseded = superseded
        self.withdrawn = withdrawn
        self.rivals = rivals
        self.strangers = strangers
        self.cycles = cycles
        self.by_digest: dict[Digest, ChainEvent] = {}
        self.by_id: dict[UUID, list[ChainEvent]] = {}
        self.place: dict[Digest, int] = {}
        self.said_of: dict[str, list[ChainEvent]] = {}
        self.standing_of: dict[str, list[ChainEvent]] = {}
        self.stated = CurrentAmounts()
        self._awaited: set[UUID | Digest] = set()
        self._threads: dict[Digest, frozenset[Digest]] = {}
        self._last_key: tuple[datetime, Digest] | None = None
        for place, event in enumerate(self.order):
            self._index(event, place)
        for event in self.standing:
            self._index_standing(event)

    @property
    def awaited(self) -> Set[UUID | Digest]:
        """Ids and digests that some event of the chain points at."""
        return self._awaited

    @cached_property
    def suspects(self) -> Suspects:
        """Who is who in the events that stand."""
        return Suspects(self.standing)

    def thread(self, event: ChainEvent) -> frozenset[Digest]:
        """An event, what it answers, what that answers, and so on; corrections count as what they correct."""
        known = self._threads.get(event.digest)
        if known is None:
            found: set[Digest] = set()
            request = self.request_of(event)
            while request is not None and (digest := self.origin_of(request.digest)) not in found:
                found.add(digest)
                request = self.request_of(self.by_digest[digest])
            known = self._threads[event.digest] = frozenset((event.digest, *found))
        return known

    def request_of(self, event: ChainEvent) -> ChainEvent | None:
        """The event that this one answers: the version its hash names, else the first that was admitted."""
        return _target(event, self.by_id)

    def origin_of(self, digest: Digest) -> Digest:
        """The event that a correction finally corrects; any other event's own digest."""
        seen = set()
        while (event := self.by_digest.get(digest)) is not None and event.corrects in self.by_digest:
            if digest in seen or event.corrects is None:
                break
            seen.add(digest)
            digest = event.corrects
        return digest

    def grow(self, event: ChainEvent) -> bool:
        """Takes an event that sorts last and changes nothing before it; False if it is not such a one.

        Then the fold is as it was, and all events must be folded anew. Takes no more time in a long chain.
        """
        points_back = event.corrects or event.withdraws
        was_awaited = event.id in self._awaited or event.digest in self._awaited or event.id in self.by_id
        sorts_last = self._last_key is None or event.sort_key > self._last_key
        if not sorts_last or points_back or was_awaited or self.cycles or event.in_reply_to == event.id:
            return False
        if not self.belonging.take(event):
            return False
        self._index(event, len(self.order))
        self.order.append(event)
        if self.belonging.is_outside(event):
            return True
        self._index_standing(event)
        self.standing.append(event)
        if "suspects" in self.__dict__:
            self.suspects.add(event)
        return True

    def _index(self, event: ChainEvent, place: int) -> None:
        self.by_digest[event.digest] = event
        self.by_id.setdefault(event.id, []).append(event)
        self.place[event.digest] = place
        self.said_of.setdefault(event.type, []).append(event)
        self._awaited.update(_pointers(event))
        if self._last_key is None or event.sort_key > self._last_key:
            self._last_key = event.sort_key

    def _index_standing(self, event: ChainEvent) -> None:
        self.standing_of.setdefault(event.type, []).append(event)
        self.stated.add(event)


def fold(events: Iterable[ChainEvent], parties: frozenset[str] | None = None) -> Folded:
    """Folds a set of admitted events of one chain: any order of arrival and any repetition give the same.

    `parties` are those of the whole chain, where only a part of its events is given.
    """
    found = distinct(events)
    order, cycles = _causal_order(found)
    standing, superseded, withdrawn, rivals, strangers = _take_effect(order)
    belonging = Belonging(order, parties)
    if belonging.first_outside:
        standing = tuple(event for event in standing if not belonging.is_outside(event))
    return Folded(order, standing, superseded, withdrawn, rivals, strangers, cycles, belonging)


def extend(folded: Folded, event: ChainEvent) -> Folded:
    """The fold with one more event: the same one, grown, where that can be, else all events folded anew.

    Equal to folding all events anew in every case (a property test holds it).
    """
    known = folded.by_digest.get(event.digest)
    if known is not None:
        return folded if known.admitted_at <= event.admitted_at else fold((*folded.order, event))
    return folded if folded.grow(event) else fold((*folded.order, event))


def _pointers(event: ChainEvent) -> list[UUID | Digest]:
    pointers = (event.in_reply_to, event.in_reply_to_hash, event.corrects, event.withdraws, event.prev)
    return [pointer for pointer in pointers if pointer is not None]


def _target(event: ChainEvent, by_id: Mapping[UUID, Sequence[ChainEvent]]) -> ChainEvent | None:
    request = event.in_reply_to
    if request is None:
        return None
    candidates = by_id.get(request, ())
    if len(candidates) == 1:
        return candidates[0]
    for candidate in candidates:
        if candidate.digest == event.in_reply_to_hash:
            return candidate
    # Not the one that claims the earliest time: whoever says more under a known id would take its answers.
    return min(candidates, key=lambda candidate: (candidate.admitted_at, candidate.digest), default=None)


def _causal_order(
    found: Mapping[Digest, ChainEvent],
) -> tuple[tuple[ChainEvent, ...], tuple[tuple[ChainEvent, ...], ...]]:
    by_id: dict[UUID, list[ChainEvent]] = {}
    for event in found.values():
        by_id.setdefault(event.id, []).append(event)
    causes: dict[Digest, set[Digest]] = {}
    effects: dict[Digest, list[Digest]] = {digest: [] for digest in found}
    for event in found.values():
        request = _target(event, by_id)
        named = {request.digest if request else None, event.corrects, event.withdraws, event.prev}
        causes[event.digest] = {digest for digest in named if digest is not None and digest in found}
        for cause in causes[event.digest]:
            effects[cause].append(event.digest)
    order: list[ChainEvent] = []
    cycles: list[tuple[ChainEvent, ...]] = []
    waiting = {digest: len(of) for digest, of in causes.items()}
    ready = [found[digest].sort_key for digest, count in waiting.items() if count == 0]
    heapq.heapify(ready)
    while waiting:
        if not ready:
            cycle = _smallest_cycle(waiting, causes, found)
            cycles.append(cycle)
            ready.append(cycle[0].sort_key)
        digest = heapq.heappop(ready)[1]
        del waiting[digest]
        order.append(found[digest])
        for effect in effects[digest]:
            if effect in waiting:
                waiting[effect] -= 1
                if waiting[effect] == 0:
                    heapq.heappush(ready, found[effect].sort_key)
    return tuple(order), tuple(cycles)


def _smallest_cycle(
    waiting: Mapping[Digest, int], causes: Mapping[Digest, set[Digest]], found: Mapping[Digest, ChainEvent]
) -> tuple[ChainEvent, ...]:
    """Events that wait for each other, found by walking from the earliest waiting one to its causes."""
    at = min(waiting, key=lambda digest: found[digest].sort_key)
    path: list[Digest] = []
    while at not in path:
        path.append(at)
        at = min((c for c in causes[at] if c in waiting), key=lambda digest: found[digest].sort_key)
    cycle = [found[digest] for digest in path[path.index(at) :]]
    return tuple(sorted(cycle, key=lambda event: event.sort_key))


def _take_effect(
    order: tuple[ChainEvent, ...],
) -> tuple[
    tuple[ChainEvent, ...],
    dict[Digest, tuple[Digest, ...]],
    dict[Digest, Digest],
    tuple[tuple[ChainEvent, ...], ...],
    tuple[ChainEvent, ...],
]:
    found = {event.digest: event for event in order}
    touching: dict[Digest, list[ChainEvent]] = {}
    strangers: list[ChainEvent] = []
    for event in order:
        for target in {event.corrects, event.withdraws} - {None}:
            if target not in found or target == event.digest:
                continue
            if found[target].agency != event.agency:
                strangers.append(event)
                continue
            touching.setdefault(target, []).append(event)
    state = _Effects(found, touching)
    standing = []
    superseded: dict[Digest, tuple[Digest, ...]] = {}
    withdrawn: dict[Digest, Digest] = {}
    effective = set()
    for digest in [event.digest for event in order if event.digest in touching]:
        resolved = state.resolve(digest)
        if resolved.withdrawn_by is not None:
            withdrawn[digest] = resolved.withdrawn_by
            effective.add(resolved.withdrawn_by)
        if resolved.corrected_by:
            superseded[digest] = resolved.corrected_by
            effective.update(resolved.corrected_by)
    for event in order:
        if event.digest in effective or event.digest in withdrawn:
            continue
        by = [found[digest] for digest in superseded.get(event.digest, ())]
        standing.append(event.corrected(state.resolve(event.digest).data, by) if by else event)
    return tuple(standing), superseded, withdrawn, tuple(state.rivals), tuple(strangers)


@dataclass(frozen=True, slots=True)
class _Resolved:
    data: Mapping[str, Any]
    corrected_by: tuple[Digest, ...]
    withdrawn_by: Digest | None


class _Effects:
    """What each event says after corrections of corrections, computed once for each.

    Without recursion: a row of corrections may be longer than Python's stack.
    """

    def __init__(
        self, found: Mapping[Digest, ChainEvent], touching: Mapping[Digest, list[ChainEvent]]
    ) -> None:
        self.rivals: list[tuple[ChainEvent, ...]] = []
        self._found = found
        self._touching = touching
        self._done: dict[Digest, _Resolved] = {}

    def resolve(self, digest: Digest) -> _Resolved:
        waiting = [digest]
        entered: set[Digest] = set()
        while waiting:
            at = waiting[-1]
            if at in self._done and at not in entered:
                waiting.pop()
                continue
            if at not in entered:
                entered.add(at)
                self._done[at] = _Resolved(self._found[at].data, (), None)  # a cycle of corrections ends here
                # The last is pushed first, so that the first is resolved first.
                ahead = [e.digest for e in self._touching.get(at, ()) if e.digest not in self._done]
                if ahead:
                    waiting.extend(reversed(ahead))
                    continue
            entered.discard(at)
            waiting.pop()
            self._done[at] = self._settled(at)
        return self._done[digest]

    def _settled(self, digest: Digest) -> _Resolved:
        event = self._found[digest]
        touching = self._touching.get(digest, ())
        live = [e for e in touching if self._done[e.digest].withdrawn_by is None]
        if len(live) > 1:
            self.rivals.append(tuple(sorted(live, key=lambda e: e.sort_key)))
        elif live and live[0].withdraws == digest:
            return _Resolved(event.data, (), live[0].digest)
        elif live:
            correction = self._done[live[0].digest]
            return _Resolved(
                overlay(event.data, correction.data), (live[0].digest, *correction.corrected_by), None
            )
        return self._done[digest]


_OF_THE_CORRECTION = frozenset({"reasons", "sealed"})


def overlay(facts: Mapping[str, Any], correction: Mapping[str, Any]) -> dict[str, Any]:
    """The facts with what a correction gives in their place.

    What the correction leaves null or empty stands. A list replaces the list, except amounts: those of the
    bases that the correction names are replaced, the others stand.
    """
    corrected = dict(facts)
    for name, value in correction.items():
        if name in _OF_THE_CORRECTION or name not in facts or value is None or value == []:
            continue
        if name == "amounts":
            bases = {amount["basis"] for amount in value}
            value = [amount for amount in facts[name] if amount["basis"] not in bases] + list(value)
        corrected[name] = value
    return corrected
