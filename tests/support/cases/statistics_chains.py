"""Figures of tests, and events that repeat, correct or withdraw others."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.statistics.figures import Figure, Versions, figure
from casebus_schemas.statistics.measures import find_measure
from casebus_schemas.statistics.periods import Period
from casebus_schemas.statistics.scopes import find_scope
from casebus_schemas.statistics.tally import Tally

from .chains import at, event_id

PLAYED = Path(__file__).resolve().parents[2] / "data" / "prosecutions-2021-2022.jsonl"
VERSIONS = Versions("catalogue", "law")
ALL = "2021-01..2022-06"


def count(
    events: Iterable[ChainEvent],
    period: str = ALL,
    scope: str = "securities",
    measure: str = "persons_prosecuted",
    *,
    cohort_by: str | None = None,
    known_at: datetime | None = None,
) -> Figure:
    """A figure of these events."""
    by = find_measure(cohort_by) if cohort_by else None
    return figure(
        Tally(events, known_at),
        find_measure(measure),
        Period.parse(period),
        find_scope(scope),
        VERSIONS,
        cohort_by=by,
    )


def of_one(events: Iterable[ChainEvent], period: str = ALL) -> ChainEvent:
    """The first event in a period that lists exactly one suspect, one that is counted."""
    span = Period.parse(period)
    return next(
        event
        for event in events
        if len(event.data["suspects"]) == 1 and span.holds(date.fromisoformat(str(event.occurred_at)[:10]))
    )


def of_several(events: Iterable[ChainEvent]) -> ChainEvent:
    """The first event that lists several natural persons with one charge each."""
    return next(
        event
        for event in events
        if len(event.data["suspects"]) == len(event.data["charges"]) > 1
        and all(suspect["kind"] == "natural" for suspect in event.data["suspects"])
        and all(charge["article"] != "191" for charge in event.data["charges"])
    )


def again(event: ChainEvent, name: str, admitted: str | None = None, **changes: Any) -> ChainEvent:
    """The same said once more under another id and digest; `changes` are fields of the event."""
    return replace(
        event,
        id=event_id(name),
        digest=sha256(name.encode()).digest(),
        admitted_at=at(admitted) if admitted else event.admitted_at,
        **changes,
    )


def correction(event: ChainEvent, name: str, admitted: str | None = None, **facts: Any) -> ChainEvent:
    """A correction of an event by its speaker: these facts take the place of its own."""
    envelope = {**event.envelope, "corrects": event.digest, "withdraws": None}
    moment = at(admitted) if admitted else event.occurred_at
    said = again(event, name, admitted, envelope=envelope, occurred_at=moment)
    return replace(said, type="outcome.corrected", data={**event.data, **facts})


def withdrawal(event: ChainEvent, name: str, admitted: str | None = None) -> ChainEvent:
    """A withdrawal of an event by its speaker."""
    envelope = {**event.envelope, "corrects": None, "withdraws": event.digest}
    moment = at(admitted) if admitted else event.occurred_at
    said = again(event, name, admitted, envelope=envelope, occurred_at=moment)
    return replace(said, type="outcome.corrected", data={**event.data, "suspects": [], "charges": []})
