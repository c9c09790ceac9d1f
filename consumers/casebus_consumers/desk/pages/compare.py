"""Two views of one case held against each other: of two times, two levels of proof, or two days' law."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from starlette.responses import Response

from casebus_consumers.desk.asked import Asked, Gone, Page
from casebus_consumers.desk.shown.as_of_question import Question, question_of
from casebus_consumers.desk.shown.compared import KINDS, Told, parts_of
from casebus_consumers.desk.shown.names import case_name
from casebus_schemas.case.as_of import LEVELS
from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.rules.case_view import NothingKnown
from casebus_schemas.rules.view_changes import changes, nothing_known
from casebus_schemas.times import beijing_text, in_beijing

WAS = "was_"
"""Before the controls of the view that the other one is held against."""
_MOST_STARTS = 5
_A_WEEK = timedelta(days=7)


def show(asked: Asked) -> Response:
    """The page; nothing is compared before it is said what with."""
    chain, desk, w = asked.part("chain"), asked.desk, asked.words
    line = asked.glance.cases.get(chain)
    if line is None:
        raise Gone
    was, now = question_of(asked, WAS), question_of(asked)
    compares = was.limited or now.limited
    views = [_view(asked, chain, one) for one in (was, now)] if compares else []
    compared = changes(*views) if views else None
    opened = asked.open(chain)
    there = frozenset(one["id"] for one in (*line.duties, *line.findings))
    told = Told(chain, desk.agency, there, w, open=opened)
    return asked.page(
        "compare.html",
        line=line,
        name=case_name(line, w, open=opened),
        sides=((WAS, was.values), ("", now.values)),
        wrong=was.wrong or now.wrong,
        levels=LEVELS,
        at=asked.glance.now,
        times=[datetime.fromisoformat(view["at"]) for view in views],
        nothing=[not view["events"] for view in views],
        moved=None if compared is None else compared["status"],
        parts=None if compared is None else parts_of(compared, told),
        counts=None if compared is None else _counts(compared),
        starts=_starts(desk.view.events(chain), asked.glance.now, asked),
    )


def _view(asked: Asked, chain: str, question: Question) -> dict[str, Any]:
    """The case as asked; without anything in it where nothing was known.

    By the fold of the agency's own events alone on either side: what the bus announces besides has no time
    as of which it could be asked.
    """
    now = asked.glance.now
    as_of = question.as_of if question.limited else replace(question.as_of, known_at=now)
    try:
        return asked.desk.view.case(chain, now, asked=as_of)
    except NothingKnown:
        return dict(nothing_known(chain, beijing_text(as_of.at(now)), as_of.to_json()))


def _counts(compared: dict[str, Any]) -> dict[str, int]:
    """How many entries there are of each kind of difference."""
    return {
        kind: sum(len(part[kind]) for part in compared.values() if isinstance(part, dict) and kind in part)
        for kind in KINDS
    }


def _starts(events: list[ChainEvent], now: datetime, asked: Asked) -> list[tuple[str, str]]:
    """Comparisons that are often asked for: (words, query)."""
    w = asked.words
    found = [(w("compare.since_week"), f"was_known_at={in_beijing(now - _A_WEEK).date()}")]
    seen = set()
    for event in sorted(events, key=lambda one: one.admitted_at, reverse=True):
        day = in_beijing(event.admitted_at).date()
        if day not in seen and len(found) <= _MOST_STARTS:
            seen.add(day)
            words = w("compare.what_changed", what=w.title(event.type), day=w.day(day))
            found.append((words, f"was_known_at={day - timedelta(days=1)}&known_at={day}"))
    return found


PAGES = (Page("/cases/{chain}/compare", "read", show),)
