"""What corrections and withdrawals make of the events of a chain."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from casebus_schemas.catalogue.catalog import Catalog

from .chain import ChainEvent, Digest

MOST_CORRECTIONS = 100
"""Corrections and withdrawals of one event, and of its corrections, that may take effect."""

_POINTERS = frozenset({"corrects", "withdraws"})


def mends(event: ChainEvent) -> bool:
    """Whether the event only changes what another one says: it never speaks by itself, in effect or not."""
    return event.corrects is not None or event.withdraws is not None or event.type in _mending_types()


@cache
def _mending_types() -> frozenset[str]:
    """Types that must name what they correct or withdraw: one that names nothing has no effect."""
    types = Catalog.load().types.values()
    return frozenset(event.type for event in types if event.names and _POINTERS.issuperset(event.names))


def targets_of(event: ChainEvent, found: Mapping[Digest, ChainEvent]) -> list[Digest]:
    """What an event corrects or takes back, as far as it is there."""
    named = {event.corrects, event.withdraws} - {None, event.digest}
    return sorted(target for target in named if target is not None and target in found)


@dataclass(frozen=True, slots=True)
class Effects:
    """What corrections and withdrawals make of events.

    `standing` are those that still speak, with their facts as corrected; `superseded` the corrections in
    effect by what they correct, `withdrawn` the withdrawal by what it takes back; `rivals` corrections of one
    event that exclude each other, `strangers` what touches another agency's event, `too_many` what is beyond
    the limit, by the event that it finally touches; `idle` all that changes nothing.
    """

    standing: list[ChainEvent]
    superseded: dict[Digest, tuple[Digest, ...]]
    withdrawn: dict[Digest, Digest]
    rivals: tuple[tuple[ChainEvent, ...], ...]
    strangers: list[ChainEvent]
    too_many: dict[Digest, list[ChainEvent]]
    idle: set[Digest]


def take_effect(order: Sequence[ChainEvent]) -> Effects:
    """The one rule of effect, for facts, accounts, suspects and documents alike.

    Who said an event may correct or withdraw it. What a correction gives in a field replaces what stood there
    in full (`overlay`). A withdrawal takes the event back with all its corrections, whichever came first.
    Corrections of one event beside each other have no effect, any of them; nor has what names an event that
    is not there, or another agency's.
    """
    found = {event.digest: event for event in order}
    touching: dict[Digest, list[ChainEvent]] = {}
    strangers: list[ChainEvent] = []
    too_many: dict[Digest, list[ChainEvent]] = {}
    origins: dict[Digest, Digest] = {}
    count: Counter[Digest] = Counter()
    for event in order:
        for target in targets_of(event, found):
            if target == event.corrects:
                origins[event.digest] = origins.get(target, target)
            if found[target].agency != event.agency:
                strangers.append(event)
                continue
            origin = origins.get(target, target)
            count[origin] += 1
            if count[origin] > MOST_CORRECTIONS:
                too_many.setdefault(origin, []).append(event)
            else:
                touching.setdefault(target, []).append(event)
    state = _Settling(found, touching)
    superseded: dict[Digest, tuple[Digest, ...]] = {}
    withdrawn: dict[Digest, Digest] = {}
    effective: set[Digest] = set()
    for digest in [event.digest for event in order if event.digest in touching]:
        resolved = state.resolve(digest)
        if resolved.withdrawn_by is not None:
            withdrawn[digest] = resolved.withdrawn_by
            effective.add(resolved.withdrawn_by)
        if resolved.corrected_by:
            superseded[digest] = resolved.corrected_by
            effective.update(resolved.corrected_by)
    for event in order:  # its corrections go with it, and theirs: causes stand before effects
        if event.corrects in withdrawn and event in touching.get(event.corrects, ()):
            withdrawn.setdefault(event.digest, withdrawn[event.corrects])
    standing = []
    for event in order:
        if mends(event) or event.digest in withdrawn:
            continue
        by = [found[digest] for digest in superseded.get(event.digest, ())]
        standing.append(event.corrected(state.resolve(event.digest).data, by) if by else event)
    idle = {
        event.digest
        for event in order
        if mends(event) and event.digest not in effective and event.digest not in withdrawn
    }
    return Effects(standing, superseded, withdrawn, tuple(state.rivals), strangers, too_many, idle)


@dataclass(frozen=True, slots=True)
class _Resolved:
    data: Mapping[str, Any]
    corrected_by: tuple[Digest, ...]
    withdrawn_by: Digest | None


class _Settling:
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
        taken_back = [e for e in live if e.withdraws == digest]
        if taken_back:
            return _Resolved(event.data, (), min(taken_back, key=lambda e: e.sort_key).digest)
        if len(live) > 1:
            self.rivals.append(tuple(sorted(live, key=lambda e: e.sort_key)))
        elif live:
            correction = self._done[live[0].digest]
            return _Resolved(
                overlay(event.data, correction.data), (live[0].digest, *correction.corrected_by), None
            )
        return self._done[digest]


_OF_THE_CORRECTION = frozenset({"reasons", "sealed"})


def overlay(facts: Mapping[str, Any], correction: Mapping[str, Any]) -> dict[str, Any]:
    """The facts with what a correction gives in their place.

    What the correction leaves null or empty stands. What it gives replaces the field in full, a list the
    whole list: what it leaves out of the list is taken back.
    """
    given = {
        name: value
        for name, value in correction.items()
        if name not in _OF_THE_CORRECTION and name in facts and value is not None and value != []
    }
    return {**facts, **given}
