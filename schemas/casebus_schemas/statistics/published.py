"""Published figures as their publishers state them, with what has become of each publication."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from casebus_schemas.case.chain import ChainEvent, Digest
from casebus_schemas.case.fold import fold

from .measures import TYPES
from .periods import Period

PUBLISHED, RESTATED = TYPES["figure_published"], TYPES["figure_restated"]


@dataclass(frozen=True, slots=True)
class Stated:
    """A figure of a publication (casebus.Figure). `as_of` bounds what was known of the events then.

    `causes` are those that a restatement names; `valid` is False once a later one states the same figure.
    """

    event: ChainEvent
    ref: str
    measure: str
    kind: str
    value: Decimal
    unit: str
    scope: str
    cohort: str
    period: Period
    above: str | None
    below: str | None
    mixed: bool
    source_set: Digest | None
    as_of: datetime
    causes: frozenset[Digest]
    valid: bool

    @property
    def key(self) -> tuple[str, ...]:
        """What it states, by whom: a later statement of the same takes its place."""
        words = (self.event.agency, self.measure, self.kind, self.unit, self.scope, self.cohort)
        return (*words, self.period.text)


class StatedFigures:
    """The figures in publications that stand, corrected where they were, of chains taken one after the other.

    With `most` of each agency the last that many, in whatever order its chains come.
    """

    def __init__(self, most: int | None = None) -> None:
        self._most = most
        self._of: dict[str, list[_Place]] = {}

    def take(self, chain: Iterable[ChainEvent]) -> None:
        """Takes the events of one chain, all of them at once."""
        new: dict[str, list[_Place]] = {}
        for event in fold(chain).standing:
            if event.type in (PUBLISHED, RESTATED) and event.corrects is None and event.withdraws is None:
                figures = new.setdefault(event.agency, [])
                figures.extend((event.sort_key, at, event) for at in range(len(event.data["figures"])))
        for agency, figures in new.items():
            known = sorted([*self._of.get(agency, ()), *figures], key=_where)
            self._of[agency] = known if self._most is None else known[-self._most :]

    def all(self) -> list[Stated]:
        """All of them, in the order of publication."""
        places = sorted((place for places in self._of.values() for place in places), key=_where)
        found = [_stated(event, event.data["figures"][at]) for _, at, event in places]
        last = {stated.key: number for number, stated in enumerate(found)}
        return [replace(stated, valid=last[stated.key] == number) for number, stated in enumerate(found)]


_Place = tuple[Any, int, ChainEvent]
"""A figure by its event's place in the order of publication, and its own in the event."""


def _where(place: _Place) -> tuple[Any, int]:
    return place[:2]


def stated_figures(events: Iterable[ChainEvent], most: int | None = None) -> list[Stated]:
    """Every figure in publications that stand, corrected where they were, in the order of publication.

    With `most` of each agency the last that many.
    """
    chains: dict[str, list[ChainEvent]] = {}
    for event in events:
        if event.family == "publication":
            chains.setdefault(event.chain, []).append(event)
    figures = StatedFigures(most)
    for chain in chains.values():
        figures.take(chain)
    return figures.all()


def _stated(event: ChainEvent, entry: Mapping[str, Any]) -> Stated:
    return Stated(
        event=event,
        ref=entry["ref"],
        measure=entry["measure"],
        kind=entry["kind"],
        value=entry["value"],
        unit=entry["unit"],
        scope=entry["scope"],
        cohort=entry["cohort"],
        period=Period(entry["period"]["from"], entry["period"]["to"]),
        above=entry["numerator"],
        below=entry["denominator"],
        mixed=entry["mixed"],
        source_set=entry["source_set"],
        as_of=event.data.get("as_of") or event.admitted_at,
        causes=frozenset(bytes(digest) for digest in event.data.get("causes") or ()),
        valid=True,
    )
