"""Published figures held against those computed from the events: R60-R65 as findings; pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from itertools import product
from typing import Any

from casebus_schemas.agencies import BUS
from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.errors import UsageError
from casebus_schemas.law import Sentence
from casebus_schemas.rules.finding import Account, Finding, Severity, Suggestion, account
from casebus_schemas.rules.register import RULES
from casebus_schemas.rules.rule import Found, Rule
from casebus_schemas.rules.statistics import r60, r61, r62, r63, r64, r65
from casebus_schemas.small_types import Agency, RuleId

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


def compare_published(
    events: Iterable[ChainEvent], versions: Versions, rules: Mapping[RuleId, Rule] = RULES
) -> Published:
    """Holds every figure of the publications among the events against the other events.

    A figure must equal what the events known at its `as_of` give (else R61, or R62 for a change); if it did
    and later events changed it, it is to be restated (R64, naming them), while the old version keeps
    standing. What cannot be recomputed because its label, unit or cohort is unknown or mixed is a finding
    too (R65, R60, R63). A measure that no event on the bus counts is not compared. Only what `rules` hold is
    found.
    """
    known = list(events)
    counts = _Counts(known, versions)
    stated = stated_figures(known)
    comparisons = []
    previous: dict[tuple[str, ...], Stated] = {}
    for each in stated:
        siblings = {s.ref: s for s in stated if s.event == each.event}
        compared = _compared(each, siblings, previous.get(each.key), counts)
        kept = tuple(finding for finding in compared.findings if finding.rule in rules)
        comparisons.append(replace(compared, findings=kept))
        previous[each.key] = each
    together = _sums([each for each in stated if each.valid])
    return Published(tuple(comparisons), tuple(each for each in together if each.rule in rules))


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
    found = list(_differs(stated, Decimal(then.value), Decimal(now.value), [(then, now)], r61.RULE))
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
        return Comparison(stated, None, None, (_refused(stated, r63.RULE, r63.NAMES_NOTHING),))
    divide = growth if stated.kind == "change" else ratio
    mark = "stated as meant by the publisher" if stated.mixed else None
    pairs = [tuple(counts.figure(*side, at) for side in sides) for at in (stated.as_of, None)]
    try:
        then, now = (divide(one, other, mark).exact for one, other in pairs)
    except RatioRefused as refusal:
        refused = [_refused(stated, each.rule, each.text) for each in refusal.objections]
        return Comparison(stated, None, None, tuple(refused))
    rule = r62.RULE if stated.kind == "change" else r63.RULE
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
        return _refused(stated, r65.RULE, r65.unknown_label(stated.scope))
    if unit and stated.unit != measure.unit.id:
        words = r60.other_unit(measure.title, measure.unit.label, measure.unit.id, stated.unit)
        return _refused(stated, r60.RULE, words)
    by = next((each for each in MEASURES.values() if each.type == stated.cohort), None)
    if by is None:
        return _refused(stated, r63.RULE, r63.unknown_cohort(stated.cohort))
    return _Basis(measure, scope, None if by.type == measure.type else by)


def _differs(
    stated: Stated, then: Decimal, now: Decimal, versions: Sequence[tuple[Figure, ...]], rule: Rule
) -> Iterator[Finding]:
    value = stated.value
    at_first, today = (_as_precise(value, computed) for computed in (then, now))
    if value == at_first and (value == today or not stated.valid):
        return
    if value == at_first:
        restated = [restate(before, after) for before, after in versions]
        causes = {cause.event.digest: cause.event for each in restated for cause in each.causes}
        words = r64.changed(list(causes), _plain(value), _plain(today))
        yield _finding(stated, r64.RULE, today, versions, words, causes=list(causes.values()))
    elif value != today:
        words = r61.not_counted(_plain(value), _plain(at_first), _plain(today))
        # Of a restated figure only what was known at its time counts.
        yield _finding(stated, rule, today if stated.valid else at_first, versions, words)


def _unnamed(stated: Stated, before: Stated, earlier: Figure, later: Figure) -> Iterator[Finding]:
    """R64: a restatement that does not name the events which made it necessary."""
    causes = [cause.event for cause in restate(earlier, later).causes]
    unnamed = [event for event in causes if event.digest not in stated.causes]
    if unnamed:
        yield _finding(
            stated,
            r64.RULE,
            Decimal(later.value),
            [(earlier, later)],
            r64.causes_unnamed([event.digest for event in unnamed]),
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
            words = r61.not_added(
                one.period.text,
                two.period.text,
                _plain(one.value + two.value),
                whole.period.text,
                _plain(whole.value),
            )
            yield r61.RULE.finding(
                Found(
                    chain=whole.event.chain,
                    subject=f"sum\n{whole.event.id}/{whole.ref}\n{one.ref}\n{two.ref}",
                    causes=[one.event, two.event, whole.event],
                    accounts=[account(each.event, _said(each)) for each in (one, two, whole)],
                    because=words,
                    suggestion=Suggestion(RESTATED, Agency(whole.event.agency)),
                )
            )


def _refused(stated: Stated, rule: Rule, words: Sentence) -> Finding:
    return _finding(stated, rule, None, (), words, severity="medium")


def _finding(
    stated: Stated,
    rule: Rule,
    computed: Decimal | None,
    versions: Sequence[tuple[Figure, ...]],
    because: Sentence,
    *,
    causes: Sequence[ChainEvent] = (),
    severity: Severity = "high",
    subject: str = "value",
) -> Finding:
    accounts = [account(stated.event, _said(stated))]
    if computed is not None:
        latest = [each[-1] for each in versions]
        value = {
            "value": _plain(computed),
            "versions": [each.version for each in latest],
            "source_sets": [each.source_set.hex() for each in latest],
        }
        accounts.append(Account(Agency(BUS), value, None))
    return rule.finding(
        Found(
            subject=f"{subject}\n{stated.event.id}/{stated.ref}",
            causes=[stated.event, *causes],
            severity=severity,
            accounts=accounts,
            because=because,
            suggestion=Suggestion(RESTATED, Agency(stated.event.agency)),
        )
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
