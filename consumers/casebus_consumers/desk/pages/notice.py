"""One notice of the inbox in full: what it says, what it started, and how it was received."""

import json
from typing import Any

from starlette.responses import Response

from casebus_consumers.desk.asked import Asked, Gone, Page
from casebus_consumers.desk.notices import Line
from casebus_consumers.desk.shown.event_facts import facts_of
from casebus_consumers.desk.shown.findings_list import finding_title, severity_of
from casebus_consumers.desk.shown.inbox_rows import row_of
from casebus_consumers.desk.shown.terms import duty_title, left_of, parties_of, span_of


def show(asked: Asked) -> Response:
    """The page; opening it reads it."""
    glance, number = asked.glance, asked.part("seq")
    line = (
        asked.desk.notices.one(int(number))
        if number.isascii() and number.isdigit() and len(number) < 16
        else None
    )
    if line is None:
        raise Gone
    w = asked.words
    body = asked.desk.notices.bodies([line.seq]).get(line.seq, {})
    data: dict[str, Any] = body["event"]["data"] if body else {}
    case = glance.cases.get(line.chain or "")
    known = {duty["id"]: duty for duty in (case.duties if case is not None else ())}
    duties = [known[one["id"]] for one in data.get("obligations") or () if one["id"] in known]
    if line.digest is not None:
        duties += [duty for duty in known.values() if duty["cause"] == line.digest and duty not in duties]
    found = {one["id"]: one for one in (case.findings if case is not None else ())}
    findings = [found.get(one["id"], one) for one in data.get("findings") or ()]
    return asked.page(
        "notice.html",
        row=row_of(line, body, glance, asked.desk.agency, w),
        body=body,
        facts=facts_of(body["event"], w, open=asked.open(line.chain)) if body else [],
        duties=[
            (
                duty,
                duty_title(duty, w),
                parties_of(duty, asked.desk.agency, w),
                span_of(duty, w, glance.now),
                left_of(duty, glance.now, w),
            )
            for duty in duties
        ],
        findings=[(one, finding_title(one, w), severity_of(one, w)) for one in findings],
        forged=_problem(asked, line),
    )


def _problem(asked: Asked, line: Line) -> str | None:
    """Why a record is not to be believed, or cannot be read."""
    if line.kind not in ("forged", "unreadable"):
        return None
    for seq, _, text in asked.desk.door.heard(line.seq - 1, 1):
        if seq == line.seq:
            problem = json.loads(text).get("problem")
            return asked.words.say(problem) if isinstance(problem, dict) else str(problem or "")
    return None


PAGES = (Page("/inbox/{seq}", "read", show),)
