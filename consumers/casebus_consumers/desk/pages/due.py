"""Terms: what is due by when and why, the weeks ahead, a calendar file, and the announcement of a delay."""

from datetime import datetime
from typing import Any
from uuid import uuid4

from starlette.responses import Response

from casebus_consumers.desk.asked import Asked, Gone, Page
from casebus_consumers.desk.shown.bars import axis_of
from casebus_consumers.desk.shown.calendar_file import calendar_file
from casebus_consumers.desk.shown.due_rows import SIGHTS, chosen, counts_of, row_of, weeks_of
from casebus_consumers.desk.shown.figures import figures_of
from casebus_consumers.desk.shown.terms import is_owed_by
from casebus_schemas.errors import UsageError
from casebus_schemas.law.calendar import published
from casebus_schemas.times import read_end, to_moment, utc_text
from casebus_schemas.wire.cloud_event import cloud_event

_ON_A_PAGE = 60


def show(asked: Asked) -> Response:
    """The list with its bars, and five weeks."""
    glance, desk = asked.glance, asked.desk
    sight = asked.query("state", SIGHTS) or "all"
    every = chosen(glance, desk.agency, sight)
    page = max(asked.number("page") or 1, 1)
    shown = every[(page - 1) * _ON_A_PAGE : page * _ON_A_PAGE]
    calendar = published()
    axis = axis_of(glance.now, calendar)
    return asked.page(
        "due.html",
        sight=sight,
        counts=counts_of(glance, desk.agency),
        rows=[row_of(duty, glance, desk.agency, axis, asked.words) for duty in shown],
        total=len(every),
        page=page,
        pages=-(-len(every) // _ON_A_PAGE),
        axis=axis,
        figures=figures_of(glance, desk.agency),
        weeks=weeks_of(glance.cases, glance.now, calendar),
    )


def as_calendar(asked: Asked) -> Response:
    """Running terms as iCalendar: titles and case numbers, no persons."""
    body = calendar_file(asked.glance, asked.desk.agency, asked.words)
    headers = {"content-disposition": 'attachment; filename="casebus.ics"'}
    return Response(body, media_type="text/calendar; charset=utf-8", headers=headers)


def show_one(asked: Asked) -> Response:
    """One term, with the form that announces a delay."""
    duty = _duty(asked)
    axis = axis_of(asked.glance.now, published())
    return asked.page(
        "duty.html",
        row=row_of(duty, asked.glance, asked.desk.agency, axis, asked.words),
        axis=axis,
        notice=_announcement(asked, duty),
        duty=duty,
    )


def announce(asked: Asked) -> Response:
    """Says that the agency will be late: when it expects to act, and why."""
    duty = _duty(asked)
    notice = _announcement(asked, duty)
    if notice is None or not is_owed_by(duty, asked.desk.agency):
        raise UsageError(
            "a delay of a term that the bus has not announced to this agency as its own",
            expected="a running term that this agency owes",
        )
    event = delay(
        notice,
        duty,
        asked.desk.agency,
        asked.needed("until"),
        asked.needed("reasons"),
        asked.officer.shown,
        asked.desk.now(),
    )
    said = asked.desk.say(event)
    asked.desk.accesses.note(asked.officer, "announced-delay", str(said.id))
    return asked.to(f"/due/{duty['id']}", done="said")


def delay(
    notice: dict[str, Any],
    duty: dict[str, Any],
    agency: str,
    until: str,
    reasons: str,
    officer: str,
    now: datetime,
) -> dict[str, Any]:
    """The event that announces a delay; `notice` is the one by which the bus announced the term."""
    event = notice["event"]
    return cloud_event(
        "obligation.delay_announced",
        source=f"/{agency}",
        id=uuid4(),
        time=utc_text(to_moment(now) // 1000 * 1000),
        subject=duty["chain"],
        message_class="response",
        to=sorted({name.partition("/")[0] for name in duty["owed_to"]} - {agency}),
        in_reply_to=event["id"],
        in_reply_to_hash=notice["digest"],
        handling=event["data"]["envelope"]["handling"],
        facts={
            "obligation": duty["id"],
            "new_due": utc_text(to_moment(read_end(until))),
            "reasons": reasons,
            "officer": officer,
        },
    )


def _duty(asked: Asked) -> dict[str, Any]:
    for duty in asked.glance.duties:
        if duty["id"] == asked.part("id"):
            return duty
    raise Gone


def _announcement(asked: Asked, duty: dict[str, Any]) -> dict[str, Any] | None:
    """The bus's last notice of a duty, with its digest."""
    found: dict[str, Any] | None = None
    for entry in reversed(asked.desk.heard_of_bus(duty["chain"])):
        announced = entry["event"]["data"].get("obligations") or ()
        if any(one["id"] == duty["id"] for one in announced):
            found = entry
            break
    return found


PAGES = (
    Page("/due", "read", show),
    Page("/due.ics", "read", as_calendar),
    Page("/due/{id}", "read", show_one, announce, "act"),
)
