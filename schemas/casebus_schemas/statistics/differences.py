"""What is found of a published figure: where it differs, from what, and who hears of it."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from uuid import UUID

from casebus_schemas.agencies import BUS
from casebus_schemas.case.chain import ChainEvent, Digest
from casebus_schemas.law import Sentence
from casebus_schemas.rules.finding import Account, Finding, Severity, Suggestion, account
from casebus_schemas.rules.register import of_scope
from casebus_schemas.rules.rule import Found, Rule
from casebus_schemas.rules.sight import told_of_all
from casebus_schemas.rules.statistics import r61, r64
from casebus_schemas.small_types import Agency
from casebus_schemas.wire.ids import bus_id

from .figures import Figure
from .published import PUBLISHED, RESTATED, Stated
from .restatements import restate

_ABOUT = ("value", "causes", "sum")
"""What of a figure a finding can be about."""


def differs(
    stated: Stated, then: Decimal, now: Decimal, versions: Sequence[tuple[Figure, ...]], rule: Rule
) -> Iterator[Finding]:
    """R64, or the rule given: a figure that stands and is not what the events give."""
    value = stated.value
    at_first, today = (_as_precise(value, computed) for computed in (then, now))
    if value == today or not stated.valid:
        return
    if value == at_first:
        restated = [restate(before, after) for before, after in versions]
        causes = {cause.event.digest: cause.event for each in restated for cause in each.causes}
        words = r64.changed(list(causes), plain(value), plain(today))
        yield _finding(stated, r64.RULE, today, versions, words, causes=list(causes.values()))
    else:
        words = r61.not_counted(plain(value), plain(at_first), plain(today))
        yield _finding(stated, rule, today, versions, words)


def unnamed(stated: Stated, before: Stated, earlier: Figure, later: Figure) -> Iterator[Finding]:
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


def sums(stated: Sequence[Stated]) -> Iterator[Finding]:
    """R61: two periods that follow each other do not add up to what is stated of both together."""
    counts = [each for each in stated if each.kind in ("count", "sum")]
    whole_of = {(each.key[:-1], each.period): each for each in counts}
    begin: dict[tuple[tuple[str, ...], date], list[Stated]] = {}
    for each in counts:
        begin.setdefault((each.key[:-1], each.period.first), []).append(each)
    found: set[tuple[Digest, str]] = set()
    for one in counts:
        for two in begin.get((one.key[:-1], one.period.day_after), ()):
            whole = whole_of.get((one.key[:-1], one.period.joined(two.period)))
            if whole is None or one.value + two.value == whole.value:
                continue
            if (whole.event.digest, whole.ref) not in found:
                found.add((whole.event.digest, whole.ref))
                yield _not_added(one, two, whole)


def _not_added(one: Stated, two: Stated, whole: Stated) -> Finding:
    words = r61.not_added(
        one.period.text,
        two.period.text,
        plain(one.value + two.value),
        whole.period.text,
        plain(whole.value),
    )
    return r61.RULE.finding(
        Found(
            chain=whole.event.chain,
            subject=_subject("sum", whole.event, whole.ref),
            causes=[one.event, two.event, whole.event],
            named_by=[whole.event],
            accounts=[account(each.event, _said(each)) for each in (one, two, whole)],
            because=words,
            suggestion=Suggestion(RESTATED, Agency(whole.event.agency)),
            apart=r61.NOT_TOLD,
        )
    )


def refused(stated: Stated, rule: Rule, words: Sentence) -> Finding:
    """A figure that says something with which nothing can be computed."""
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
            "value": plain(computed),
            "versions": [each.version for each in latest],
            "source_sets": [each.source_set.hex() for each in latest],
        }
        accounts.append(Account(Agency(BUS), value, None))
    by = {source.event.digest: source.event for each in versions for one in each for source in one.sources}
    rests_on = [stated.event, *causes, *by.values()]
    told = told_of_all(rests_on)
    since = min((event.admitted_at for event in causes), default=stated.event.last_said_at)
    return rule.finding(
        Found(
            subject=_subject(subject, stated.event, stated.ref),
            causes=[stated.event, *causes],
            named_by=[stated.event],
            uses=by.values(),
            severity=severity,
            accounts=accounts,
            because=because,
            suggestion=Suggestion(RESTATED, Agency(stated.event.agency)),
            opened_at=max(stated.event.last_said_at, since),
            beside=sorted(told & {event.agency for event in rests_on}),
            apart=r61.NOT_TOLD,
        )
    )


def _subject(about: str, event: ChainEvent, ref: str) -> str:
    return f"{about}\n{event.id}/{ref}"


def findings_about(events: Iterable[ChainEvent], agency: str) -> frozenset[UUID]:
    """The ids of whatever could be found about the figures of those events that the agency was told of."""
    return frozenset(
        bus_id(rule, f"{event.chain}\n{_subject(about, event, entry['ref'])}", [event.digest])
        for event in events
        if event.type in (PUBLISHED, RESTATED) and agency in event.audience
        for entry in event.data["figures"]
        for rule in of_scope("statistics")
        for about in _ABOUT
    )


def _said(stated: Stated) -> dict[str, Any]:
    return {
        "figure": stated.ref,
        "measure": stated.measure,
        "value": plain(stated.value),
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


def plain(value: Decimal) -> str:
    """A number without exponent and trailing zeros."""
    return f"{value.normalize():f}" if value else "0"
