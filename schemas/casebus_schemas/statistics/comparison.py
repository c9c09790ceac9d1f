"""Published figures held against those computed from the events: R60-R65 as findings; pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from itertools import product
from typing import Any

from casebus_schemas.agencies import BUS
from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.errors import UsageError
from casebus_schemas.law import Sentence
from casebus_schemas.rules.finding import Account, Finding, Severity, Suggestion, finding

from .figures import Figure, Versions, figure
from .measures import MEASURES, Measure
from .periods import Period
from .published import RESTATED, Stated, stated_figures
from .ratios import RatioRefused, growth, ratio
from .restatements import restate
from .scopes import Scope, find_scope
from .tally import Tally

Computed = Figure | Decimal
"""A count with its lineage, or the per cent of two of them."""


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
            "stated": _plain(stated.value),
            "recomputed_as_of": None if self.then is None else _plain(self.then),
            "recomputed_now": None if self.now is None else _plain(self.now),
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


def compare_published(events: Iterable[ChainEvent], versions: Versions) -> Published:
    """Holds every figure of the publications among the events against the other events.

    A figure must equal what the events known at its `as_of` give (else R61, or R62 for a change); if it did
    and later events changed it, it is to be restated (R64, naming them), while the old version keeps
    standing. What cannot be recomputed because its label, unit or cohort is unknown or mixed is a finding
    too (R65, R60, R63). A measure that no event on the bus counts is not compared.
    """
    known = list(events)
    counts = _Counts(known, versions)
    stated = stated_figures(known)
    comparisons = []
    previous: dict[tuple[str, ...], Stated] = {}
    for each in stated:
        siblings = {s.ref: s for s in stated if s.event == each.event}
        comparisons.append(_compared(each, siblings, previous.get(each.key), counts))
        previous[each.key] = each
    return Published(tuple(comparisons), tuple(_sums([each for each in stated if each.valid])))


@dataclass(frozen=True, slots=True)
class _Basis:
    """What a stated figure means in terms of what can be computed."""

    measure: Measure
    scope: Scope
    cohort_by: Measure | None


class _Counts:
    """Figures from the events as known at a time, each computed once."""

    def __init__(self, events: Sequence[ChainEvent], versions: Versions) -> None:
        self._versions = versions
        self._tally = cache(lambda at: Tally(events, at))

    def figure(self, basis: _Basis, period: Period, at: datetime | None) -> Figure:
        return figure(
            self._tally(at), basis.measure, period, basis.scope, self._versions, cohort_by=basis.cohort_by
        )


def _compared(
    stated: Stated, siblings: dict[str, Stated], before: Stated | None, counts: _Counts
) -> Comparison:
    if stated.kind in ("change", "ratio"):
        return _compared_percent(stated, siblings, counts)
    if stated.kind not in ("count", "sum") or stated.measure not in MEASURES:
        return Comparison(stated, None, None, ())
    basis = _basis(stated, unit=True)
    if not isinstance(basis, _Basis):
        return Comparison(stated, None, None, (basis,))
    then = counts.figure(basis, stated.period, stated.as_of)
    now = counts.figure(basis, stated.period, None)
    found = list(_differs(stated, Decimal(then.value), Decimal(now.value), [(then, now)], "R61"))
    if before is not None and stated.event.type == RESTATED:
        found.extend(_unnamed(stated, before, counts.figure(basis, stated.period, before.as_of), then))
    return Comparison(stated, Decimal(then.value), Decimal(now.value), tuple(found))


def _compared_percent(stated: Stated, siblings: dict[str, Stated], counts: _Counts) -> Comparison:
    above, below = siblings.get(stated.above or ""), siblings.get(stated.below or "")
    sides: list[tuple[_Basis, Period]] = []
    for side, period in _sides(stated, above, below):
        if side.measure not in MEASURES:
            return Comparison(stated, None, None, ())
        basis = _basis(side, unit=side is not stated)
        if not isinstance(basis, _Basis):
            return Comparison(stated, None, None, (basis,))
        sides.append((basis, period))
    if not sides:
        words = Sentence("比率未指明分子与分母", "the ratio names no numerator and denominator")
        return Comparison(stated, None, None, (_refused(stated, "R63", words),))
    divide = growth if stated.kind == "change" else ratio
    mark = "stated as meant by the publisher" if stated.mixed else None
    pairs = [tuple(counts.figure(*side, at) for side in sides) for at in (stated.as_of, None)]
    try:
        then, now = (divide(one, other, mark).exact for one, other in pairs)
    except RatioRefused as refusal:
        refused = [_refused(stated, each.rule, each.text) for each in refusal.objections]
        return Comparison(stated, None, None, tuple(refused))
    rule = "R62" if stated.kind == "change" else "R63"
    versions = list(zip(*pairs, strict=True))
    return Comparison(stated, then, now, tuple(_differs(stated, then, now, versions, rule)))


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


def _basis(stated: Stated, *, unit: bool) -> _Basis | Finding:
    measure = MEASURES[stated.measure]
    try:
        scope = find_scope(stated.scope)
    except UsageError:
        words = Sentence(
            f"口径“{stated.scope}”未登记,无法比对",
            f"the scope label “{stated.scope}” is not a known one: nothing can be compared with it",
        )
        return _refused(stated, "R65", words)
    if unit and stated.unit != measure.unit.id:
        words = Sentence(
            f"{measure.title.zh}的单位是{measure.unit.label.zh},所公布的是{stated.unit}",
            f"{measure.title.en} are counted in {measure.unit.id}, the publication says {stated.unit}",
        )
        return _refused(stated, "R60", words)
    by = next((each for each in MEASURES.values() if each.type == stated.cohort), None)
    if by is None:
        words = Sentence(
            f"统计口径“{stated.cohort}”未登记,无法重算",
            f"the cohort “{stated.cohort}” is not the type of a counted event: it cannot be recomputed",
        )
        return _refused(stated, "R63", words)
    return _Basis(measure, scope, None if by.type == measure.type else by)


def _differs(
    stated: Stated, then: Decimal, now: Decimal, versions: Sequence[tuple[Figure, ...]], rule: str
) -> Iterator[Finding]:
    value = stated.value
    at_first, today = (_as_precise(value, computed) for computed in (then, now))
    if value == at_first and (value == today or not stated.valid):
        return
    if value == at_first:
        restated = [restate(before, after) for before, after in versions]
        causes = {cause.event.digest: cause.event for each in restated for cause in each.causes}
        listed = ", ".join(sorted(digest.hex()[:12] for digest in causes))
        yield _finding(
            stated,
            "R64",
            today,
            versions,
            Sentence(
                f"公布后有{len(causes)}个事件改变了该数字,由{_plain(value)}变为{_plain(today)}:{listed}",
                f"{len(causes)} events since it was computed change it from {_plain(value)} to "
                f"{_plain(today)}: {listed}",
            ),
            causes=list(causes.values()),
        )
    elif value != today:
        yield _finding(
            stated,
            rule,
            today if stated.valid else at_first,
            versions,
            Sentence(
                f"公布为{_plain(value)},按当时已知事件重算为{_plain(at_first)},按现有事件为{_plain(today)}",
                f"stated as {_plain(value)}, but the events known then give {_plain(at_first)}, "
                f"those known now {_plain(today)}",
            ),
        )


def _unnamed(stated: Stated, before: Stated, earlier: Figure, later: Figure) -> Iterator[Finding]:
    """R64: a restatement that does not name the events which made it necessary."""
    causes = [cause.event for cause in restate(earlier, later).causes]
    unnamed = [event for event in causes if event.digest not in stated.causes]
    if unnamed:
        listed = ", ".join(event.digest.hex()[:12] for event in unnamed)
        yield _finding(
            stated,
            "R64",
            Decimal(later.value),
            [(earlier, later)],
            Sentence(
                f"更正未列明原因事件:{listed}",
                f"the restatement does not name the events behind it: {listed}",
            ),
            causes=[before.event, *unnamed],
            severity="medium",
            subject="causes",
        )


def _sums(stated: Sequence[Stated]) -> Iterator[Finding]:
    """R61: two periods that follow each other do not add up to what is stated of both together."""
    counts = [each for each in stated if each.kind in ("count", "sum")]

    def alike(each: Stated) -> tuple[str, ...]:
        return each.key[:-1]

    whole_of = {(alike(each), each.period): each for each in counts}
    for one, two in product(counts, counts):
        if alike(one) != alike(two) or not two.period.follows(one.period):
            continue
        whole = whole_of.get((alike(one), one.period.joined(two.period)))
        if whole is not None and one.value + two.value != whole.value:
            accounts = [
                Account(each.event.agency, _said(each), each.event.digest) for each in (one, two, whole)
            ]
            added = _plain(one.value + two.value)
            yield finding(
                "R61",
                chain=whole.event.chain,
                subject=f"sum\n{whole.event.id}/{whole.ref}\n{one.ref}\n{two.ref}",
                causes=[one.event, two.event, whole.event],
                severity="high",
                accounts=accounts,
                because=Sentence(
                    f"{one.period.text}与{two.period.text}合计{added},而{whole.period.text}公布为{_plain(whole.value)}",
                    f"{one.period.text} and {two.period.text} add up to {added}, but {whole.period.text} is "
                    f"stated as {_plain(whole.value)}",
                ),
                suggestion=Suggestion(RESTATED, whole.event.agency),
            )


def _refused(stated: Stated, rule: str, words: Sentence) -> Finding:
    return _finding(stated, rule, None, (), words, severity="medium")


def _finding(
    stated: Stated,
    rule: str,
    computed: Decimal | None,
    versions: Sequence[tuple[Figure, ...]],
    because: Sentence,
    *,
    causes: Sequence[ChainEvent] = (),
    severity: Severity = "high",
    subject: str = "value",
) -> Finding:
    accounts = [Account(stated.event.agency, _said(stated), stated.event.digest)]
    if computed is not None:
        latest = [each[-1] for each in versions]
        value = {
            "value": _plain(computed),
            "versions": [each.version for each in latest],
            "source_sets": [each.source_set.hex() for each in latest],
        }
        accounts.append(Account(BUS, value, None))
    return finding(
        rule,
        chain=stated.event.chain,
        subject=f"{subject}\n{stated.event.id}/{stated.ref}",
        causes=[stated.event, *causes],
        severity=severity,
        accounts=accounts,
        because=because,
        suggestion=Suggestion(RESTATED, stated.event.agency),
    )


def _said(stated: Stated) -> dict[str, Any]:
    return {
        "figure": stated.ref,
        "measure": stated.measure,
        "value": _plain(stated.value),
        "unit": stated.unit,
        "scope": stated.scope,
        "cohort": stated.cohort,
        "period": stated.period.text,
    }


def _as_precise(stated: Decimal, computed: Decimal) -> Decimal:
    """A computed value to as many decimals as the stated one shows; its trailing zeros are not shown."""
    shown = stated.normalize().as_tuple().exponent
    decimals = max(0, -shown) if isinstance(shown, int) else 0
    return computed.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)


def _plain(value: Decimal) -> str:
    return f"{value.normalize():f}" if value else "0"
