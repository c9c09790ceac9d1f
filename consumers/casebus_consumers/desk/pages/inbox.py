"""The inbox: what is new, what must be done first; reading and signing for notices."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

from starlette.responses import Response

from casebus_consumers.desk.asked import Asked, Gone, Page
from casebus_consumers.desk.notices import SIGHTS, SIGNED, Line
from casebus_consumers.desk.shown.figures import Figures, figures_of, first_things
from casebus_consumers.desk.shown.findings_list import to_answer
from casebus_consumers.desk.shown.inbox_rows import days, row_of
from casebus_consumers.desk.shown.terms import last_day
from casebus_schemas.times import to_moment, utc_text
from casebus_schemas.wire.cloud_event import cloud_event

_ON_A_PAGE = 40
_AT_ONCE = 500


def show(asked: Asked) -> Response:
    """The list, newest first, with what to do first beside it."""
    glance, w, desk = asked.glance, asked.words, asked.desk
    sight = asked.query("see", tuple(SIGHTS)) or "all"
    speakers = desk.notices.speakers()
    speaker = asked.query("from", tuple(speakers))
    before = asked.number("before")
    lines = desk.notices.listed(sight, speaker=speaker, before=before, limit=_ON_A_PAGE + 1)
    more, lines = len(lines) > _ON_A_PAGE, lines[:_ON_A_PAGE]
    bodies = desk.notices.bodies([line.seq for line in lines])
    rows = [row_of(line, bodies.get(line.seq, {}), glance, desk.agency, w) for line in lines]
    figures = figures_of(glance, desk.agency)
    return asked.page(
        "inbox.html",
        sight=sight,
        sights=[name for name in SIGHTS if name in ("all", "unread", "sign") or glance.unread[name]],
        speaker=speaker,
        speakers=speakers,
        days=list(days(rows)),
        older=lines[-1].seq if more and lines else None,
        before=before,
        figures=figures,
        first=first_things(glance, desk.agency, w),
        answers=to_answer(glance, desk.agency, w),
        nothing=_nothing(asked, sight, figures),
    )


def _nothing(asked: Asked, sight: str, figures: Figures) -> str:
    w = asked.words
    if asked.glance.unread["all"] == 0:
        return w("inbox.empty")
    if sight != "unread":
        return w("inbox.empty_sight")
    if figures.next_end is None:
        return w("inbox.empty_unread_none")
    return w("inbox.empty_unread", next=last_day(figures.next_end, w))


def act(asked: Asked) -> Response:
    """Marks as read what was shown, or signs for one."""
    asked.desk.notices.take()
    if (signed := asked.field("sign")).isdigit():
        return _sign(asked, _line(asked, signed))
    if asked.field("read") == "all":
        unread = asked.desk.notices.listed("unread", limit=_AT_ONCE)
        _read(asked, [line for line in unread if line.kind == "notice"])
    elif (one := asked.field("read")).isdigit():
        _read(asked, [_line(asked, one)])
    return asked.to("/inbox", done="read")


def _line(asked: Asked, number: str) -> Line:
    line = asked.desk.notices.one(int(number[:15]))
    if line is None or line.kind not in ("notice", "receipt"):
        raise Gone
    return line


def _read(asked: Asked, lines: Sequence[Line]) -> None:
    """Read by a person is fetched by the agency: the senders are told so (receipt D), once for each."""
    seqs = [line.seq for line in lines]
    asked.desk.door.acknowledge(seqs)
    asked.desk.notices.mark_read(seqs, asked.officer)
    asked.desk.accesses.note(asked.officer, "read", ", ".join(map(str, seqs))[:400])


def _sign(asked: Asked, line: Line) -> Response:
    """Says that a named officer has received it (receipt B)."""
    body = asked.desk.notices.bodies([line.seq])[line.seq]
    asked.desk.say(
        signature(body, asked.desk.agency, asked.officer.shown, asked.desk.now(), line.digest or "")
    )
    _read(asked, [line])
    asked.desk.accesses.note(asked.officer, "signed", str(line.seq))
    return asked.to("/inbox", done="signed")


def signature(
    notice: dict[str, Any], agency: str, officer: str, now: datetime, digest: str
) -> dict[str, Any]:
    """The event by which an officer signs for a notice."""
    event = notice["event"]
    moment = utc_text(to_moment(now) // 1000 * 1000)
    sender = event["source"].strip("/").partition("/")[0]
    return cloud_event(
        SIGNED,
        source=f"/{agency}",
        id=uuid4(),
        time=moment,
        subject=event["subject"],
        message_class="receipt",
        to=[sender],
        in_reply_to=event["id"],
        in_reply_to_hash=digest,
        handling=event["data"]["envelope"]["handling"],
        facts={"event": digest, "received_at": moment, "officer": officer},
    )


PAGES = (Page("/inbox", "read", show, act, "act"),)
