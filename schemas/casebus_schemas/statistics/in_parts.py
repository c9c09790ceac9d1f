"""Figures counted chain by chain: however many events there are, those of one chain are held at a time."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime

from casebus_schemas.case.chain import ChainEvent, Digest

from .comparison import Basis
from .figures import Cohort, Counted, Figure, Source, Versions, counted_in
from .periods import Period
from .tally import Tally

_Asked = tuple[Basis, Period]


@dataclass(slots=True)
class _Sum:
    units: set[str] = field(default_factory=set)
    sources: list[Source] = field(default_factory=list)


class InParts:
    """Counts what was asked for before in every chain that is taken; until then a figure is that of nothing.

    Its figures carry no notes, and their events no contents.
    """

    def __init__(self, versions: Versions) -> None:
        self._versions = versions
        self._sums: dict[datetime | None, dict[_Asked, _Sum]] = {}

    def figure(self, basis: Basis, period: Period, at: datetime | None) -> Figure:
        """The figure from what was taken so far, as known at a time."""
        found = self._sums.setdefault(at, {}).setdefault((basis, period), _Sum())
        return Figure(
            measure=basis.measure,
            scope=basis.scope,
            cohort=Cohort((basis.cohort_by or basis.measure).type, period),
            value=len(found.units),
            units=frozenset(found.units),
            sources=tuple(sorted(found.sources, key=lambda source: source.event.sort_key)),
            notes=(),
            versions=self._versions,
            knows=lambda event: at is None or event.admitted_at <= at,
        )

    def take(self, chain: Iterable[ChainEvent]) -> None:
        """Counts the events of one chain, all of them at once."""
        events = list(chain)
        # What was known at a time is told apart by how much it was: each state is counted once.
        tallies: dict[int, Tally] = {}
        counted: dict[tuple[int, _Asked], Counted] = {}
        bare: dict[Digest, ChainEvent] = {}
        for at, asked in self._sums.items():
            known = [event for event in events if at is None or event.admitted_at <= at]
            if not known:
                continue
            if (tally := tallies.get(len(known))) is None:
                tally = tallies[len(known)] = Tally(known)
            if not tally.matters:
                continue
            for one, found in asked.items():
                basis, period = one
                counts = counted.get((len(known), one))
                if counts is None:
                    counts = counted_in(tally, basis.measure, period, basis.scope, basis.cohort_by)
                    counted[len(known), one] = counts
                found.units |= counts.units
                found.sources.extend(
                    replace(source, event=bare.setdefault(source.event.digest, _bare(source.event)))
                    for source in counts.sources
                )


def _bare(event: ChainEvent) -> ChainEvent:
    return replace(event, data={}, envelope={}, handled=event.handling)
