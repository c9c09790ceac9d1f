"""Published figures held against those computed from the events: R60-R65 as findings; pure."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from functools import lru_cache, partial
from typing import Any, Protocol

from casebus_schemas.case.chain import ChainEvent, Digest
from casebus_schemas.errors import RetryLater, StopService, UsageError
from casebus_schemas.rules.chain import r09
from casebus_schemas.rules.finding import Finding
from casebus_schemas.rules.register import RULES
from casebus_schemas.rules.rule import Rule
from casebus_schemas.rules.statistics import r60, r61, r62, r63, r65
from casebus_schemas.small_types import RuleId

from .differences import differs, plain, refused, sums, unnamed
from .figures import Figure, Versions, figure
from .measures import MEASURES, Measure
from .periods import Period
from .published import RESTATED, Stated, stated_figures
from .ratios import RatioRefused, growth, ratio
from .scopes import Scope, find_scope
from .tally import Tally


@dataclass(frozen=True, slots=True)
class Comparison:
    """A stated figure; what the events gave at its `as_of` and give now, None if not computable; findings."""

    stated: Stated
    then: Decimal | None
    now: Decimal | None
    findings: tuple[Finding, ...]

    def to_json(self) -> dict[str, Any]:
        """The three values and the findings as in records.md 5."""
        stated = self.stated
        return {
            "event": stated.event.digest.hex(),
            "by": stated.event.agency,
            "ref": stated.ref,
            "measure": stated.measure,
            "kind": stated.kind,
            "period": stated.period.text,
            "scope": stated.scope,
            "unit": stated.unit,
            "stated": plain(stated.value),
            "recomputed_as_of": None if self.then is None else plain(self.then),
            "recomputed_now": None if self.now is None else plain(self.now),
            "superseded": not stated.valid,
            "findings": [found.to_json() for found in self.findings],
        }


@dataclass(frozen=True, slots=True)
class Published:
    """All comparisons, and the findings about several publications together."""

    comparisons: tuple[Comparison, ...]
    together: tuple[Finding, ...]

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Every finding once, in a fixed order."""
        found = [finding for each in self.comparisons for finding in each.findings]
        unique = {finding.id: finding for finding in (*found, *self.together)}
        return tuple(sorted(unique.values(), key=lambda finding: (finding.rule, str(finding.id))))


@dataclass(frozen=True, slots=True)
class Basis:
    """What a stated figure means in terms of what can be computed."""

    measure: Measure
    scope: Scope
    cohort_by: Measure | None


class Counts(Protocol):
    """What the events give, for the figures of one agency."""

    def figure(self, basis: Basis, period: Period, at: datetime | None) -> Figure:
        """The figure from the events as known at a time, None for all of them."""


class CountsOf(Protocol):
    """What the events give, by the agency whose figures are held against it."""

    def of(self, agency: str) -> Counts:
        """For the figures of one agency."""


def compare_published(
    events: Iterable[ChainEvent], versions: Versions, rules: Mapping[RuleId, Rule] = RULES
) -> Published:
    """Holds every figure of the publications among the events against the other events.

    A figure must equal what the events known at its `as_of` give (else R61, or R62 for a change); if it did
    and later events changed it, it is to be restated (R64, naming them), while the old version keeps
    standing. What cannot be recomputed because its label, unit or cohort is unknown or mixed is a finding
    too (R65, R60, R63). A measure that no event on the bus counts is not compared, and what was stated anew
    is mended. Only what `rules` hold is found.
    """
    known = list(events)
    return compare_stated(stated_figures(known), _AtOnce(known, versions), rules)


def compare_stated(
    stated: Sequence[Stated],
    counts: CountsOf,
    rules: Mapping[RuleId, Rule] = RULES,
    *,
    most: int | None = None,
) -> Published:
    """The same of figures as they are stated. With `most`: of each agency that many that stand, the last.

    `counts` is asked for the same whatever it answers.
    """
    siblings: dict[Digest, dict[str, Stated]] = {}
    for each in stated:
        siblings.setdefault(each.event.digest, {})[each.ref] = each
    chosen = stated if most is None else _last(stated, most)
    before = _before(stated)
    comparisons = []
    for each in chosen:
        earlier = before.get((each.event.digest, each.ref))
        found = counts.of(each.event.agency)
        compared = _guarded(each, partial(_compared, each, siblings[each.event.digest], earlier, found))
        kept = tuple(finding for finding in compared.findings if finding.rule in rules)
        comparisons.append(replace(compared, findings=kept))
    together = sums([each for each in chosen if each.valid])
    return Published(tuple(comparisons), tuple(each for each in together if each.rule in rules))


def _guarded(stated: Stated, compare: Callable[[], Comparison]) -> Comparison:
    """The comparison, or R09 in its place: what one states does not keep others from being heard."""
    try:
        return compare()
    except (StopService, RetryLater):
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is: the other figures are compared
        failed = r09.RULE.finding(r09.failed(r61.RULE, stated.event, error))
        return Comparison(stated, None, None, (failed,))


def _last(stated: Sequence[Stated], most: int) -> list[Stated]:
    left: Counter[str] = Counter()
    chosen = []
    for each in reversed(stated):
        left[each.event.agency] += each.valid
        if each.valid and left[each.event.agency] <= most:
            chosen.append(each)
    return chosen[::-1]


def _before(stated: Sequence[Stated]) -> dict[tuple[Digest, str], Stated]:
    """Of each figure the one that stated the same before it."""
    found = {}
    previous: dict[tuple[str, ...], Stated] = {}
    for each in stated:
        if each.key in previous:
            found[(each.event.digest, each.ref)] = previous[each.key]
        previous[each.key] = each
    return found


class _AtOnce:
    """Figures from events that are all there, those of each time tallied once."""

    def __init__(self, events: Sequence[ChainEvent], versions: Versions) -> None:
        self._versions = versions
        # Figures of one publication follow each other and share their time: a few tallies are kept.
        self._tally = lru_cache(maxsize=4)(lambda at: Tally(events, at))

    def of(self, _agency: str) -> Counts:
        return self

    def figure(self, basis: Basis, period: Period, at: datetime | None) -> Figure:
        tally = self._tally(at)
        return figure(tally, basis.measure, period, basis.scope, self._versions, cohort_by=basis.cohort_by)


def _compared(
    stated: Stated, siblings: dict[str, Stated], before: Stated | None, counts: Counts
) -> Comparison:
    if stated.kind in ("change", "ratio"):
        return _compared_percent(stated, siblings, counts)
    if stated.kind not in ("count", "sum") or stated.measure not in MEASURES:
        return Comparison(stated, None, None, ())
    basis = _basis(stated, unit=True)
    if not isinstance(basis, Basis):
        return Comparison(stated, None, None, (basis,))
    then = counts.figure(basis, stated.period, stated.as_of)
    now = counts.figure(basis, stated.period, None)
    found = list(differs(stated, Decimal(then.value), Decimal(now.value), [(then, now)], r61.RULE))
    if before is not None and stated.valid and stated.event.type == RESTATED:
        found.extend(unnamed(stated, before, counts.figure(basis, stated.period, before.as_of), then))
    return Comparison(stated, Decimal(then.value), Decimal(now.value), tuple(found))


def _compared_percent(stated: Stated, siblings: dict[str, Stated], counts: Counts) -> Comparison:
    above, below = siblings.get(stated.above or ""), siblings.get(stated.below or "")
    sides: list[tuple[Basis, Period]] = []
    for side, period in _sides(stated, above, below):
        if side.measure not in MEASURES:
            return Comparison(stated, None, None, ())
        basis = _basis(side, unit=side is not stated)
        if not isinstance(basis, Basis):
            return Comparison(stated, None, None, (basis,))
        sides.append((basis, period))
    if not sides:
        return Comparison(stated, None, None, (refused(stated, r63.RULE, r63.NAMES_NOTHING),))
    divide = growth if stated.kind == "change" else ratio
    mark = "stated as meant by the publisher" if stated.mixed else None
    pairs = [tuple(counts.figure(*side, at) for side in sides) for at in (stated.as_of, None)]
    try:
        then, now = (divide(one, other, mark).exact for one, other in pairs)
    except RatioRefused as refusal:
        objected = [refused(stated, each.rule, each.text) for each in refusal.objections]
        return Comparison(stated, None, None, tuple(objected))
    rule = r62.RULE if stated.kind == "change" else r63.RULE
    versions = list(zip(*pairs, strict=True))
    return Comparison(stated, then, now, tuple(differs(stated, then, now, versions, rule)))


def _sides(stated: Stated, above: Stated | None, below: Stated | None) -> list[tuple[Stated, Period]]:
    """The two figures of a percentage with their periods; empty if a ratio does not name them.

    A change says by itself what it is a change of; its base is then the same days of the year before.
    """
    if stated.kind == "change":
        upper = above or stated
        return [
            (upper, upper.period),
            (below or upper, below.period if below else upper.period.year_before()),
        ]
    return [(above, above.period), (below, below.period)] if above and below else []


def _basis(stated: Stated, *, unit: bool) -> Basis | Finding:
    measure = MEASURES[stated.measure]
    try:
        scope = find_scope(stated.scope)
    except UsageError:
        return refused(stated, r65.RULE, r65.unknown_label(stated.scope))
    if unit and stated.unit != measure.unit.id:
        words = r60.other_unit(measure.title, measure.unit.label, measure.unit.id, stated.unit)
        return refused(stated, r60.RULE, words)
    by = next((each for each in MEASURES.values() if each.type == stated.cohort), None)
    if by is None:
        return refused(stated, r63.RULE, r63.unknown_cohort(stated.cohort))
    return Basis(measure, scope, None if by.type == measure.type else by)
