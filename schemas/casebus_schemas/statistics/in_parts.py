"""Figures counted chain by chain: however many events there are, those of one chain are held at a time."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from casebus_schemas.case.chain import ChainEvent, Digest

from .comparison import Basis
from .figures import Cohort, Counted, Figure, Source, Versions, counted_in
from .periods import Period
from .tally import Tally

MOST_HELD = 400_000
"""Units and events that are held for the figures of one agency together: some 25 MB, a second to compare."""

_Asked = tuple[Basis, Period]


class TooMuchToHold(Exception):
    """The figures of one agency rest on more than is held for one agency."""


@dataclass(slots=True)
class _Sum:
    units: set[str] = field(default_factory=set)
    sources: list[Source] = field(default_factory=list)


class OfAgency:
    """The figures that were asked for those of one agency."""

    def __init__(self, versions: Versions) -> None:
        self._versions = versions
        self._held = 0
        self._sums: dict[datetime | None, dict[_Asked, _Sum]] = {}

    def figure(self, basis: Basis, period: Period, at: datetime | None) -> Figure:
        """The figure from what was taken so far, as known at a time.

        Raises TooMuchToHold where this agency's figures rest on too much, whatever order it came in.
        """
        if self._held > MOST_HELD:
            raise TooMuchToHold
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

    def asked(self) -> Mapping[datetime | None, Mapping[_Asked, _Sum]]:
        """What is counted, by the time as of which; nothing once it is too much."""
        return self._sums

    def add(self, found: _Sum, counted: Counted, sources: Sequence[Source]) -> None:
        """Adds what counts in one chain."""
        before = len(found.units)
        found.units |= counted.units
        found.sources.extend(sources)
        self._held += len(found.units) - before + len(sources)
        if self._held > MOST_HELD:
            self._sums = {}


class InParts:
    """Counts what was asked for before in every chain that is taken; until then a figure is that of nothing.

    Its figures carry no notes, and their events no contents. Each agency has its own share of room.
    """

    def __init__(self, versions: Versions) -> None:
        self._versions = versions
        self._of: dict[str, OfAgency] = {}

    def of(self, agency: str) -> OfAgency:
        """For the figures of one agency."""
        return self._of.setdefault(agency, OfAgency(self._versions))

    def take(self, chain: Iterable[ChainEvent]) -> None:
        """Counts the events of one chain, all of them at once."""
        for _ in self.steps(chain):
            pass

    def steps(self, chain: Iterable[ChainEvent]) -> Iterator[None]:
        """The same in steps, between which others may be served."""
        events = sorted(chain, key=lambda event: event.admitted_at)
        times = [event.admitted_at for event in events]
        # What was known at a time is told apart by how much it was: each state is counted once.
        states: dict[int, list[tuple[OfAgency, datetime | None]]] = {}
        for one in self._of.values():
            for at in one.asked():
                known = len(events) if at is None else bisect_right(times, at)
                if known:
                    states.setdefault(known, []).append((one, at))
        bare: dict[Digest, ChainEvent] = {}
        for known, asking in sorted(states.items()):
            yield
            tally = Tally(events[:known])
            if tally.matters:
                yield from _counted(tally, asking, bare)


def _counted(
    tally: Tally, asking: Iterable[tuple[OfAgency, datetime | None]], bare: dict[Digest, ChainEvent]
) -> Iterator[None]:
    """Counts all that is asked of one state of a chain."""
    counted: dict[_Asked, Counted] = {}
    shown: dict[Source, Source] = {}
    for one, at in asking:
        for asked, found in one.asked().get(at, {}).items():
            counts = counted.get(asked)
            if counts is None:
                yield
                basis, period = asked
                counts = counted_in(tally, basis.measure, period, basis.scope, basis.cohort_by)
                counted[asked] = counts
            one.add(found, counts, [_shared(source, bare, shown) for source in counts.sources])


def _shared(source: Source, bare: dict[Digest, ChainEvent], shown: dict[Source, Source]) -> Source:
    """The source without its event's contents: one value for all figures that rest on it."""
    event = bare.get(source.event.digest)
    if event is None:
        said = source.event
        event = bare[said.digest] = replace(said, data={}, envelope={}, handled=said.handling)
    without = replace(source, event=event)
    return shown.setdefault(without, without)
