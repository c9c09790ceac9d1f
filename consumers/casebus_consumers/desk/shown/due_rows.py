"""Rows of the list of terms, and the weeks ahead with what ends on each day."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from casebus_consumers.desk.board import RUNNING, Cases, is_running
from casebus_consumers.desk.desk import Glance
from casebus_consumers.desk.words import Count, Words
from casebus_schemas.law.calendar import Calendar
from casebus_schemas.law.clocks import clock_table
from casebus_schemas.times import in_beijing

from .bars import Axis, Bar, bar_of
from .names import case_facts, case_name
from .terms import Shade, duty_title, ends_of, is_owed_by, last_day, left_of, parties_of, span_of, state_of

SIGHTS = ("all", "ours", "theirs", "overdue", "due", "contested", "open", "waiting", "over")
_A_MS = timedelta(milliseconds=1)
_WEEKS = 5


@dataclass(frozen=True, slots=True)
class Reason:
    """One reading of a term, in words."""

    name: str
    end: str
    why: str
    state: Shade


@dataclass(frozen=True, slots=True)
class DueRow:
    """One duty."""

    id: str
    chain: str
    case: str
    facts: str
    title: str
    rule: str
    state: Shade
    sub: str
    left: Shade
    span: str
    parties: str
    started: str
    bar: Bar
    shade: str
    label: str
    reasons: Sequence[Reason]
    law: str
    ours: bool
    running: bool
    word: str


@dataclass(frozen=True, slots=True)
class Day:
    """A day ahead: how many terms end on it by their first and by their last reading."""

    day: date
    first: int
    last: int
    works: bool
    made_up: bool
    occasion: str | None
    today: bool
    past: bool


def counts_of(glance: Glance, own: str) -> dict[str, int]:
    """How many duties each sight has."""
    return {sight: len(found) for sight, found in _by_sight(glance.cases, own).items()}


def chosen(glance: Glance, own: str, sight: str) -> list[dict[str, Any]]:
    """The duties of a sight, what ends first at the top; those that are over from the last one back."""
    return _by_sight(glance.cases, own)[sight]


def _by_sight(cases: Cases, own: str) -> dict[str, list[dict[str, Any]]]:
    def sorted_out() -> dict[str, list[dict[str, Any]]]:
        found: dict[str, list[dict[str, Any]]] = {sight: [] for sight in SIGHTS}
        for duty in sorted(cases.duties, key=lambda duty: (*reversed(ends_of(duty)), duty["id"])):
            for sight in _sights(duty, own):
                found[sight].append(duty)
        found["over"].reverse()
        return found

    return cases.once(("sights of duties", own), sorted_out)


def _sights(duty: dict[str, Any], own: str) -> tuple[str, ...]:
    if not is_running(duty):
        return ("over",)
    return ("all", "ours" if is_owed_by(duty, own) else "theirs", duty["state"])


def row_of(duty: dict[str, Any], glance: Glance, own: str, axis: Axis, w: Words) -> DueRow:
    """A row."""
    case, now = glance.cases[duty["chain"]], glance.now
    state, left = state_of(duty, w), left_of(duty, now, w)
    reasons = [_reason(reading, duty, now, w) for reading in duty["readings"]]
    span = span_of(duty, w, now)
    title = duty_title(duty, w) + (f" {duty['suspect']}" if duty["suspect"] else "")
    return DueRow(
        id=duty["id"],
        chain=duty["chain"],
        case=case_name(case, w),
        facts=case_facts(case, w),
        title=title,
        rule=duty["rule"],
        state=state,
        sub=_sub(duty, reasons, w),
        left=left if duty["state"] in RUNNING else Shade("", "quiet"),
        span=span,
        parties=parties_of(duty, own, w),
        started=w("due.since", day=last_day(datetime.fromisoformat(duty["started_at"]), w, now)),
        bar=bar_of(duty, axis),
        shade=state.shade,
        label=w.gap.join((title, state.text, span)),
        reasons=reasons,
        law=_law(duty, w),
        ours=is_owed_by(duty, own),
        running=is_running(duty),
        word=w(f"due.from_{duty.get('from', 'own')}"),
    )


def _sub(duty: dict[str, Any], reasons: Sequence[Reason], w: Words) -> str:
    if duty["met"]:
        return w("due.met_on", day=w.day(datetime.fromisoformat(duty["met"]["by_claim"])))
    if duty["stands_since"]:
        return w("due.stands")
    if duty["awaits_receipt"]:
        return w("due.awaits_receipt")
    over = sum(1 for reason in reasons if reason.state.shade == "danger")
    if over and over < len(reasons):
        return w("due.some_over", n=Count(over), all=len(reasons))
    if over and len(reasons) > 1:
        return w("due.all_over", n=Count(len(reasons)))
    if any(reading["provisional"] for reading in duty["readings"]):
        return w("due.provisional")
    return w("due.right") if duty["right"] else ""


def _reason(reading: dict[str, Any], duty: dict[str, Any], now: datetime, w: Words) -> Reason:
    end = datetime.fromisoformat(reading.get("latest_possible", reading["due"]))
    if not is_running(duty):
        state = Shade("", "quiet")
    elif now >= end:
        state = Shade(w("due.is_over"), "danger")
    elif in_beijing(end - _A_MS).date() == in_beijing(now).date():
        state = Shade(w("due.ends_today"), "warning")
    else:
        state = Shade(w("due.runs"), "accent")
    why = w.say(reading["why"]) + ("。" if w.language == "zh" else ".")
    due = datetime.fromisoformat(reading["due"])
    return Reason(w.word("reading", reading["name"]), last_day(due, w, now), why, state)


def _law(duty: dict[str, Any], w: Words) -> str:
    """The articles of the text that was in force when the term began."""
    clock = clock_table().by_id.get(duty["rule"])
    if clock is None:
        return ""
    begun = in_beijing(datetime.fromisoformat(duty["started_at"])).date()
    version = clock.in_force(begun) or clock.versions[-1]
    named = [w.law(article.instrument, article.article) for article in version.source]
    return w.listed(list(dict.fromkeys(named)))


def weeks_of(cases: Cases, now: datetime, calendar: Calendar) -> list[list[Day]]:
    """Five weeks from the Monday of this one; of running duties, those that end on each day."""
    today = in_beijing(now).date()
    monday = today - timedelta(days=today.weekday())
    first, last = cases.once("days", lambda: _ends_by_day(cases))
    weeks = []
    for week in range(_WEEKS):
        days = [monday + timedelta(days=7 * week + number) for number in range(7)]
        weeks.append([_day(day, today, first.get(day, 0), last.get(day, 0), calendar) for day in days])
    return weeks


def _ends_by_day(cases: Cases) -> tuple[Counter[date], Counter[date]]:
    """How many running duties end on each day, by their first and by their last reading."""
    found: tuple[Counter[date], Counter[date]] = (Counter(), Counter())
    for duty in cases.running:
        for ends, end in zip(found, ends_of(duty), strict=True):
            ends[in_beijing(end - _A_MS).date()] += 1
    return found


def _day(day: date, today: date, first: int, last: int, calendar: Calendar) -> Day:
    works = calendar.works(day)
    made_up = works and day.weekday() >= 5
    return Day(day, first, last, works, made_up, calendar.occasion(day), day == today, day < today)
