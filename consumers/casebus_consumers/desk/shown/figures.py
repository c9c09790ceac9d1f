"""The figures of the day, and what must be done first."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from casebus_consumers.desk.board import RUNNING, is_running
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
    sides = {state: [0, 0] for state in RUNNING}
    ends = []
    for duty in glance.duties:
        if is_running(duty):
            sides[duty["state"]][0 if is_owed_by(duty, own) else 1] += 1
            ends.append(ends_of(duty)[0])
    states = {state: (ours, theirs) for state, (ours, theirs) in sides.items()}
    running = [one for one in glance.findings if one["state"] != "closed"]
    high = sum(1 for one in running if one["severity"] == "high")
    coming = [end for end in ends if end > glance.now]
    return Figures(states, high, len(running) - high, min(coming, default=None))


def first_things(glance: Glance, own: str, w: Words) -> list[Task]:
    """The agency's own duties, the most urgent first."""
    owed = [
        duty for duty in glance.duties if is_owed_by(duty, own) and is_running(duty) and not duty["right"]
    ]
    owed.sort(key=lambda duty: _rank(duty))
    return [_task(duty, glance, own, w) for duty in owed[:_MOST]]


def _rank(duty: dict[str, Any]) -> tuple[int, datetime, str]:
    return _URGENT[duty["state"]], ends_of(duty)[0], duty["id"]


def _task(duty: dict[str, Any], glance: Glance, own: str, w: Words) -> Task:
    case = glance.cases[duty["chain"]]
    note = w.gap.join((case_name(case, w), parties_of(duty, own, w), span_of(duty, w, glance.now)))
    return Task(duty_title(duty, w), f"/due#{duty['id']}", note, left_of(duty, glance.now, w))
