"""Figures: a value with its scope, unit, cohort, version, and the events it was computed from."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from hashlib import sha256
from typing import Any, NamedTuple

from casebus_schemas.case.chain import ChainEvent, Digest
from casebus_schemas.case.effects import mends
from casebus_schemas.law import Sentence
from casebus_schemas.times import beijing_text

from .matters import Role
from .measures import Measure
from .periods import Period
from .scopes import Scope
from .tally import Item, Tally


@dataclass(frozen=True, slots=True)
class Cohort:
    """Which units belong to a period: those whose event of the type `by` falls into it."""

    by: str
    period: Period

    def to_json(self) -> dict[str, str]:
        """Placing event and days."""
        return {"by": self.by, **self.period.to_json()}


@dataclass(frozen=True, slots=True)
class Source:
    """An event that a figure rests on; `adds` is how many units it put into the figure."""

    event: ChainEvent
    role: Role
    adds: int

    def to_json(self) -> dict[str, Any]:
        """One line of a lineage."""
        return {
            "digest": self.event.digest.hex(),
            "type": self.event.type,
            "by": self.event.agency,
            "chain": self.event.chain,
            "time": beijing_text(self.event.occurred_at),
            "admitted_at": beijing_text(self.event.admitted_at),
            "role": self.role,
            "adds": self.adds,
        }


@dataclass(frozen=True, slots=True)
class Note:
    """What a reader must know of a figure, and which events it concerns."""

    text: Sentence
    events: tuple[Digest, ...]

    def to_json(self) -> dict[str, Any]:
        """Words and digests."""
        return {"note": self.text.to_json(), "events": [digest.hex() for digest in self.events]}


@dataclass(frozen=True)
class Versions:
    """Of the catalogue that decoded the events and of the legal lists by which they were counted."""

    catalogue: str
    law: str


@dataclass(frozen=True)
class Figure:
    """A count that cannot be separated from what it means.

    `units` are the keys of what was counted: chains or persons of a chain; `knows` tells whether an event was
    looked at, whether it gave a unit or not.
    """

    measure: Measure
    scope: Scope
    cohort: Cohort
    value: int
    units: frozenset[str]
    sources: tuple[Source, ...]
    notes: tuple[Note, ...]
    versions: Versions
    knows: Callable[[ChainEvent], bool] = field(repr=False, compare=False)

    @cached_property
    def source_set(self) -> Digest:
        """SHA-256 of the sorted digests of the events that it rests on, as in casebus.Figure."""
        return sha256(b"".join(sorted(source.event.digest for source in self.sources))).digest()

    @cached_property
    def version(self) -> str:
        """Short hash of what was asked, the set of events, the catalogue and the legal lists."""
        asked = [self.measure.id, self.scope.to_json(), self.cohort.to_json(), self.source_set.hex()]
        text = json.dumps([*asked, self.versions.catalogue, self.versions.law], sort_keys=True)
        return sha256(text.encode()).hexdigest()[:16]

    @property
    def title(self) -> str:
        """What it counts, of what, when: for messages."""
        return f"{self.measure.id} {self.cohort.period.text} {self.scope.label.text}"

    def to_json(self, *, lineage: bool = False) -> dict[str, Any]:
        """The figure with all that it means; with its events on request."""
        body: dict[str, Any] = {
            **self.measure.to_json(),
            "value": self.value,
            "scope": self.scope.to_json(),
            "cohort": self.cohort.to_json(),
            "period": self.cohort.period.text,
            "version": self.version,
            "source_count": len(self.sources),
            "source_set": self.source_set.hex(),
            "catalogue": self.versions.catalogue,
            "law": self.versions.law,
            "notes": [note.to_json() for note in self.notes],
        }
        if lineage:
            body["lineage"] = [source.to_json() for source in self.sources]
        return body


def figure(
    tally: Tally,
    measure: Measure,
    period: Period,
    scope: Scope,
    versions: Versions,
    *,
    cohort_by: Measure | None = None,
) -> Figure:
    """Counts. Persons are counted once a chain, on the Beijing day of the first indictment that stands.

    `cohort_by` places units by another event of their chain (`cases_referred`: of the cases referred in the
    period, whenever they were prosecuted); chains without that event are left out.
    """
    counted = counted_in(tally, measure, period, scope, cohort_by)
    return Figure(
        measure=measure,
        scope=scope,
        cohort=Cohort((cohort_by or measure).type, period),
        value=len(counted.units),
        units=counted.units,
        sources=counted.sources,
        notes=tuple(_notes(tally, measure, period, scope, counted.items)),
        versions=versions,
        knows=tally.knows,
    )


class Counted(NamedTuple):
    """What of a tally counts: the items, their keys, and the events that they rest on."""

    items: list[Item]
    units: frozenset[str]
    sources: tuple[Source, ...]


def counted_in(
    tally: Tally, measure: Measure, period: Period, scope: Scope, cohort_by: Measure | None
) -> Counted:
    """What counts; of several chains it is all that counts in each of them."""
    everything = tally.items(measure)
    related = [item for item in everything if scope.holds(item.ever)]
    counted = [item for item in everything if item.counts and scope.holds(item.charges)]
    if cohort_by is not None:
        days = _first_days(item for item in tally.items(cohort_by) if item.counts)
        related = [item for item in related if item.chain in days and period.holds(days[item.chain])]
        counted = [item for item in counted if item.chain in days and period.holds(days[item.chain])]
    else:
        days = _first_days(counted)
        by_chain = measure.counts == "chains"
        related = [item for item in related if any(period.holds(day) for day in item.days)]
        counted = [i for i in counted if period.holds(days[i.chain] if by_chain else i.on)]
    units, adds = _units(counted, measure)
    return Counted(counted, units, _sources(tally, related, adds))


def _first_days(items: Iterable[Item]) -> dict[str, date]:
    """The first day on which something of each chain counts."""
    days: dict[str, date] = {}
    for item in items:
        days[item.chain] = min(item.on, days.get(item.chain, item.on))
    return days


def _units(counted: Sequence[Item], measure: Measure) -> tuple[frozenset[str], Counter[Digest]]:
    """The keys of what counts, and how many units each event put there."""
    if measure.counts != "chains":
        return frozenset(i.key for i in counted), Counter(i.placed_by for i in counted)
    first: dict[str, Item] = {}
    for item in sorted(counted, key=lambda item: (item.on, item.placed_by)):
        first.setdefault(item.chain, item)
    return frozenset(first), Counter(item.placed_by for item in first.values())


def _sources(tally: Tally, items: Iterable[Item], adds: Counter[Digest]) -> tuple[Source, ...]:
    # Persons of one indictment share what they rest on: it is looked through once.
    runs = {(item.chain, id(item.events)): item for item in items}.values()
    found = {(item.chain, digest) for item in runs for digest in item.events}
    sources = []
    for chain, digest in found:
        matter = tally.matters[chain]
        sources.append(Source(matter.event(digest), matter.role(digest), adds[digest]))
    return tuple(sorted(sources, key=lambda source: source.event.sort_key))


def _notes(
    tally: Tally, measure: Measure, period: Period, scope: Scope, counted: Sequence[Item]
) -> Iterator[Note]:
    if not scope.verified:
        yield Note(
            Sentence("口径所列罪名未经核实", "the list of crimes behind this scope label is not verified"), ()
        )
    unclear, bare = set(), set()
    for item in tally.items(measure):
        if item.counts and period.holds(item.on) and not scope.holds(item.charges):
            if not item.charges:
                bare.add(item.placed_by)
            elif any(scope.unclear(charge) for charge in item.charges):
                unclear.add(item.placed_by)
    if bare:
        words = Sentence("未写明罪名,不计入", "not counted: no charge is named")
        yield Note(words, tuple(sorted(bare)))
    if unclear:
        words = Sentence(
            "只写条文未写款,该口径仅含部分款,不计入",
            "not counted: no paragraph of an article of which only some crimes are in scope",
        )
        yield Note(words, tuple(sorted(unclear)))
    chains = {item.chain for item in tally.items(measure) if period.holds(item.on)}
    idle = {
        event.digest
        for chain in chains
        for event in tally.matters[chain].folded.order
        if mends(event) and event.family == measure.type.partition(".")[0]
        if tally.matters[chain].role(event.digest) == "no effect"
    }
    if idle:
        words = Sentence(
            "更正或撤回未生效(对象不明、并列或非本机关)",
            "corrections or withdrawals without effect: of an unknown event, rival, or by another agency",
        )
        yield Note(words, tuple(sorted(idle)))
    if measure.by_person:
        yield from _shared(tally, measure, counted)


def _shared(tally: Tally, measure: Measure, counted: Sequence[Item]) -> Iterator[Note]:
    """Persons counted in several chains: one matter each, so one count each."""
    chains: dict[bytes, set[str]] = {}
    by_token: dict[bytes, set[Digest]] = {}
    for chain, digest in {(item.chain, item.placed_by) for item in counted}:
        for suspect in tally.matters[chain].event(digest).data.get("suspects") or ():
            for token in suspect.get("tokens") or ():
                chains.setdefault(bytes(token), set()).add(chain)
                by_token.setdefault(bytes(token), set()).add(digest)
    shared = {digest for token, found in chains.items() if len(found) > 1 for digest in by_token[token]}
    if shared and measure.counts == "persons":
        words = Sentence(
            "同一人涉及多个案链,每链计一次", "the same person in several chains counts once in each"
        )
        yield Note(words, tuple(sorted(shared)))
