"""Terms as an officer counts them: the last day, how many days are left, and in which state that is."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from casebus_consumers.desk.board import RUNNING
from casebus_consumers.desk.words import Count, Words
from casebus_consumers.liaison.due_text import days_left
from casebus_schemas.law.clocks import clock_table
from casebus_schemas.texts.sentence import Sentence
from casebus_schemas.times import in_beijing

_AT_LEAST = timedelta(milliseconds=1)
_SHADES = {
    "overdue": "danger",
    "due": "warning",
    "contested": "warning",
    "open": "accent",
    "waiting": "accent",
}
_A_DAY = timedelta(days=1)
_UNVERIFIED = Sentence("（期限未核实）", " (limit not verified)")


@dataclass(frozen=True, slots=True)
class Shade:
    """A word and how loud it is: danger, warning, accent or quiet."""

    text: str
    shade: str


def state_of(duty: dict[str, Any], w: Words) -> Shade:
    """The state of a duty."""
    return Shade(w.word("duty", duty["state"]), _SHADES.get(duty["state"], "quiet"))


def ends_of(duty: dict[str, Any]) -> tuple[datetime, datetime]:
    """The first and the last instant at which a duty's term may end."""
    return datetime.fromisoformat(duty["due_earliest"]), datetime.fromisoformat(duty["latest_possible"])


def left_of(duty: dict[str, Any], now: datetime, w: Words) -> Shade:
    """How long is left of a duty's term, between its first and its last reading."""
    first, last = ends_of(duty)
    state = state_of(duty, w)
    if duty["state"] not in RUNNING:
        return state
    if duty["met"]:
        done = in_beijing(datetime.fromisoformat(duty["met"]["provably"])).date()
        over = (done - in_beijing(last - _AT_LEAST).date()).days
        return Shade(w("terms.met_late", n=Count(over)) if over > 0 else state.text, state.shade)
    if now >= last:
        over = (in_beijing(now).date() - in_beijing(last - _AT_LEAST).date()).days
        return Shade(w("terms.overdue", n=Count(over)), "danger")
    until, at_most = max(days_left(first, now), 0), days_left(last, now)
    if at_most == 0:
        hours = int((last - now) / timedelta(hours=1))
        by_hours = last - datetime.fromisoformat(duty["started_at"]) < 3 * _A_DAY and in_beijing(last).hour
        text = w("terms.hours", n=Count(hours)) if by_hours else w("terms.last_day")
        return Shade(text, "warning")
    if until == at_most:
        return Shade(w("terms.left", n=Count(until)), state.shade)
    return Shade(w("terms.left_between", a=until, b=Count(at_most)), state.shade)


def last_day(end: datetime, w: Words, near: datetime | None = None) -> str:
    """The end of a term: of one at midnight the day that is over then, of another the time too."""
    local = in_beijing(end)
    if (local.hour, local.minute, local.second) == (0, 0, 0):
        return w.day(end - _AT_LEAST, near)
    return f"{w.day(end, near)} {w.clock(end)}"


def span_of(duty: dict[str, Any], w: Words, near: datetime | None = None) -> str:
    """First and last day of a term's end."""
    first, last = ends_of(duty)
    one, other = last_day(first, w, near), last_day(last, w, near)
    return one if one == other else f"{one} – {other}"


def duty_title(duty: dict[str, Any], w: Words) -> str:
    """What is owed; the number of the clock where this program does not know it."""
    known = clock_table().by_id.get(duty["rule"])
    title = duty["rule"] if known is None else w.say(known.title)
    return title + w.say(_UNVERIFIED) if duty.get("verified") is False else title


def parties_of(duty: dict[str, Any], own: str, w: Words) -> str:
    """Who owes it to whom, with "we" for the own agency."""

    def called(name: str) -> str:
        return w("terms.we") if name.partition("/")[0] == own else w.short(name)

    return f"{called(duty['owed_by'])} → {w.listed([called(name) for name in duty['owed_to']])}"


def is_owed_by(duty: dict[str, Any], agency: str) -> bool:
    """Whether the agency, or an office of it, owes a duty."""
    return bool(duty["owed_by"].partition("/")[0] == agency)
