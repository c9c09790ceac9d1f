"""The figures of the day, and what must be done first."""

from bisect import bisect_right
from dataclasses import dataclass, replace
from datetime import datetime
from heapq import nsmallest
from typing import Any

from casebus_consumers.desk.board import RUNNING, Cases
from casebus_consumers.desk.desk import Glance
from casebus_consumers.desk.words import Words

from .names import case_name
from .terms import Shade, duty_title, ends_of, is_owed_by, left_of, parties_of, span_of

_URGENT = {"overdue": 0, "due": 1, "contested": 2, "open": 3, "waiting": 4}
_MOST = 6


@dataclass(frozen=True, slots=True)
class Figures:
    """Duties by state, ours and theirs; findings by severity; when the next term ends."""

    states: dict[str, tuple[int, int]]
    high: int
    medium: int
    next_end: datetime | None

    @property
    def findings(self) -> int:
        """Findings that are not closed."""
        return self.high + self.medium


@dataclass(frozen=True, slots=True)
class Task:
    """Something to do, with where it is done."""

    title: str
    href: str
    note: str
    state: Shade


def figures_of(glance: Glance, own: str) -> Figures:
    """Of everything that is known."""
    figures, ends = glance.cases.once(("figures", own), lambda: _counted(glance.cases, own))
    coming = bisect_right(ends, glance.now)
    return replace(figures, next_end=ends[coming] if coming < len(ends) else None)


def _counted(cases: Cases, own: str) -> tuple[Figures, list[datetime]]:
    """All but what depends on the time, and the first ends of all running duties in order."""
    sides = {state: [0, 0] for state in RUNNING}
    for duty in cases.running:
        sides[duty["state"]][0 if is_owed_by(duty, own) else 1] += 1
    states = {state: (ours, theirs) for state, (ours, theirs) in sides.items()}
    severities = [one["severity"] for one in cases.findings if one["state"] != "closed"]
    high = severities.count("high")
    ends = sorted(ends_of(duty)[0] for duty in cases.running)
    return Figures(states, high, len(severities) - high, None), ends


def first_things(glance: Glance, own: str, w: Words) -> list[Task]:
    """The agency's own duties, the most urgent first."""

    def most_urgent() -> list[dict[str, Any]]:
        owed = (duty for duty in glance.cases.running if is_owed_by(duty, own) and not duty["right"])
        return nsmallest(_MOST, owed, key=_rank)

    return [_task(duty, glance, own, w) for duty in glance.cases.once(("first", own), most_urgent)]


def _rank(duty: dict[str, Any]) -> tuple[int, datetime, str]:
    return _URGENT[duty["state"]], ends_of(duty)[0], duty["id"]


def _task(duty: dict[str, Any], glance: Glance, own: str, w: Words) -> Task:
    case = glance.cases[duty["chain"]]
    note = w.gap.join((case_name(case, w), parties_of(duty, own, w), span_of(duty, w, glance.now)))
    return Task(duty_title(duty, w), f"/due#{duty['id']}", note, left_of(duty, glance.now, w))
