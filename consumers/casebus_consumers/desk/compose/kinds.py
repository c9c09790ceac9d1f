"""Which types of event an agency may compose at its desk, and which of them fit what it has heard."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.catalogue.catalog import Catalog, EventType
from casebus_schemas.law.clocks import clock_table

_ELSEWHERE = frozenset(
    {"receipt", "finding", "key", "statement", "access", "retention", "dead_letter", "obligation"}
)
"""Families that officers do not write here: pages or commands of their own say them."""
DELAY = "obligation.delay_announced"
_FIRST = (
    "clue.submitted",
    "consultation.requested",
    "consultation.answered",
    "referral.submitted",
    "referral.receipted",
    "referral.filed",
    "referral.not_filed",
    "administrative.penalty_decided",
    "progress.transferred_for_prosecution",
    "outcome.prosecuted",
    "outcome.not_prosecuted",
    "outcome.judgment",
)
"""What is written most; an agency sees those of them that it may say."""
_MOST_SUGGESTED = 12


@dataclass(frozen=True, slots=True)
class Suggested:
    """A type that fits an event: as its answer, its correction, or because a duty asks for it."""

    type: str
    answers: ChainEvent | None = None
    duty: str | None = None
    corrects: ChainEvent | None = None


def composable(catalog: Catalog, agency: str) -> Mapping[str, EventType]:
    """The types that officers of an agency may compose, by name, in the order of events.yaml."""
    return MappingProxyType(
        {
            name: kind
            for name, kind in catalog.types.items()
            if agency in kind.speakers and (kind.family not in _ELSEWHERE or name == DELAY)
        }
    )


def common(catalog: Catalog, agency: str) -> list[str]:
    """Those of them that are written most."""
    may = composable(catalog, agency)
    return [name for name in _FIRST if name in may]


def families(catalog: Catalog, agency: str) -> dict[str, list[str]]:
    """All of them by their family."""
    found: dict[str, list[str]] = {}
    for name, kind in composable(catalog, agency).items():
        found.setdefault(kind.family, []).append(name)
    return found


def answering(catalog: Catalog, agency: str, event: ChainEvent) -> list[str]:
    """The types with which an agency may answer an event by name."""
    return [name for name, kind in composable(catalog, agency).items() if event.type in kind.answers]


def suggested(
    catalog: Catalog, agency: str, events: Sequence[ChainEvent], duties: Sequence[Mapping[str, Any]]
) -> list[Suggested]:
    """What an agency may want to say in a case: what it owes, then answers to what it was told last."""
    may, found = composable(catalog, agency), []
    by_digest = {event.digest.hex(): event for event in events}
    for duty in duties:
        clock = clock_table().by_id.get(duty["rule"])
        if clock is None or duty["owed_by"].partition("/")[0] != agency:
            continue
        cause = by_digest.get(duty["cause"])
        for name in clock.duty:
            if name in may:
                fits = cause is not None and may[name].may_answer(cause.type)
                found.append(Suggested(name, cause if fits else None, duty["id"]))
    for event in sorted(events, key=lambda one: one.admitted_at, reverse=True):
        if event.agency != agency:
            found += [Suggested(name, event) for name in answering(catalog, agency, event)]
    seen: set[tuple[str, bytes | None]] = set()
    kept = []
    for one in found:
        key = (one.type, None if one.answers is None else one.answers.digest)
        if key not in seen:
            seen.add(key)
            kept.append(one)
    return kept[:_MOST_SUGGESTED]


def corrections(catalog: Catalog, agency: str, events: Sequence[ChainEvent]) -> list[ChainEvent]:
    """The agency's own events of a case whose facts it may correct, the latest first."""
    own = [event for event in events if event.agency == agency and event.corrects is None]
    may = [event for event in own if catalog.correction_of(event.type, agency) in composable(catalog, agency)]
    return sorted(may, key=lambda one: one.occurred_at, reverse=True)
