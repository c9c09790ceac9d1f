"""What corrections and withdrawals make of the events of a chain."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .chain import ChainEvent, Digest

MOST_CORRECTIONS = 100
"""Corrections and withdrawals of one event, and of its corrections, that may take effect."""


def targets_of(event: ChainEvent, found: Mapping[Digest, ChainEvent]) -> list[Digest]:
    """What an event corrects or takes back, as far as it is there."""
    named = {event.corrects, event.withdraws} - {None, event.digest}
    return sorted(target for target in named if target is not None and target in found)


def take_effect(
    order: Sequence[ChainEvent],
) -> tuple[
    list[ChainEvent],
    dict[Digest, tuple[Digest, ...]],
    dict[Digest, Digest],
    tuple[tuple[ChainEvent, ...], ...],
    list[ChainEvent],
    dict[Digest, list[ChainEvent]],
]:
    """What stands; what is superseded or withdrawn by what; rivals, strangers, and what is too many."""
    found = {event.digest: event for event in order}
    touching: dict[Digest, list[ChainEvent]] = {}
    strangers: list[ChainEvent] = []
    too_many: dict[Digest, list[ChainEvent]] = {}
    idle: set[Digest] = set()
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
                idle.add(event.digest)
            else:
                touching.setdefault(target, []).append(event)
    state = _Effects(found, touching)
    standing = []
    superseded: dict[Digest, tuple[Digest, ...]] = {}
    withdrawn: dict[Digest, Digest] = {}
    effective = idle
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
    return standing, superseded, withdrawn, tuple(state.rivals), strangers, too_many


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
