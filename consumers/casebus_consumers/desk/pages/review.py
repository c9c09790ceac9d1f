"""A draft before it is said: what it says, who is told, what it brings about, and who sends it."""

import json
from typing import Any

from starlette.responses import Response

from casebus_consumers.desk.asked import Asked, Gone, Page
from casebus_consumers.desk.compose import sending
from casebus_consumers.desk.compose.approving import sealed_text
from casebus_consumers.desk.compose.drafts import Draft
from casebus_consumers.desk.compose.judging import Judgement, judged
from casebus_consumers.desk.shown.event_facts import Fact, facts_of
from casebus_consumers.desk.shown.findings_list import finding_title, severity_of
from casebus_consumers.desk.shown.form_rows import envelope_facts, personal_facts, place_of
from casebus_consumers.desk.shown.names import case_facts, case_name
from casebus_consumers.desk.shown.terms import duty_title, parties_of, span_of
from casebus_schemas.errors import BusError, UsageError
from casebus_schemas.texts.errors import detail_in_chinese
from casebus_schemas.wire.door import DoorProblem, event_json, parse_event

from .draft import draft_asked

_SHORTEST_REASON = 4


def show(asked: Asked) -> Response:
    """The page."""
    return _page(asked, draft_asked(asked))


def act(asked: Asked) -> Response:
    """Sends, hands in, takes back, takes over, approves, returns; or opens the personal data for a while."""
    draft, do = draft_asked(asked), asked.field("do")
    handler = _ACTS.get(do)
    if handler is None:
        raise Gone
    try:
        done = handler(asked, draft)
    except BusError as error:
        said = detail_in_chinese(error) if asked.words.language == "zh" else error.detail
        fresh = asked.desk.drafts.find(draft.id)
        if fresh is None:
            raise
        return _page(asked, fresh, problem=said or error.detail)
    if isinstance(done, Judgement):
        return _page(asked, draft, judgement=done)
    return asked.to(f"/compose/{draft.id}" + ("" if done == "taken" else "/review"), done=done)


def _publish(asked: Asked, draft: Draft) -> str | Judgement:
    _as_shown(asked, draft)
    content = asked.desk.drafts.content(draft)
    judgement = sending.publish(asked.desk, asked.officer, draft, content)
    return "said" if judgement.may_be_said else judgement


def _hand_in(asked: Asked, draft: Draft) -> str | Judgement:
    _as_shown(asked, draft)
    content = asked.desk.drafts.content(draft)
    judgement = sending.hand_in(asked.desk, asked.officer, draft, content)
    return "handed_in" if judgement.may_be_said else judgement


def _as_shown(asked: Asked, draft: Draft) -> None:
    """Raises UsageError unless the draft is the version that the page showed."""
    if asked.field("version") != str(draft.version):
        raise UsageError(
            "the draft was changed meanwhile",
            expected="the draft as this page shows it",
            remedy="open it again, and look at what stands there now",
        )


def _take_back(asked: Asked, draft: Draft) -> str:
    asked.desk.drafts.open_again(draft, asked.officer)
    return "taken"


def _take_over(asked: Asked, draft: Draft) -> str:
    asked.desk.drafts.take_over(draft, asked.officer)
    asked.desk.accesses.note(asked.officer, "took-over", draft.id, draft.type)
    return "taken"


def _approve(asked: Asked, draft: Draft) -> str | Judgement:
    judgement = sending.approve(asked.desk, asked.officer, draft, asked.field("digest"))
    return "approved" if judgement.may_be_said else judgement


def _return(asked: Asked, draft: Draft) -> str:
    sending.give_back(asked.desk, asked.officer, draft, asked.field("words"))
    return "returned"


def _unmask(asked: Asked, draft: Draft) -> str:
    reason = asked.needed("reason")
    if len(reason) < _SHORTEST_REASON:
        raise UsageError(
            "a reason of so few characters", found=repr(reason), expected="what the data are needed for"
        )
    assert asked.session is not None
    asked.desk.accesses.note(asked.officer, "unmasked", draft.id, reason[:1_000])
    asked.desk.unmasking.open(asked.session, draft.id)
    return "unmasked"


_ACTS = {
    "publish": _publish,
    "hand_in": _hand_in,
    "take_back": _take_back,
    "take_over": _take_over,
    "approve": _approve,
    "return": _return,
    "unmask": _unmask,
}


def _page(
    asked: Asked, draft: Draft, *, judgement: Judgement | None = None, problem: str | None = None
) -> Response:
    desk, w = asked.desk, asked.words
    own = draft.owner == asked.officer.name
    event = _event(asked, draft) if draft.state == "handed_in" or (draft.state == "draft" and own) else None
    opened = own or asked.open(draft.id) or asked.open(draft.chain)
    if event is not None and judgement is None:
        judgement = judged(desk, event, desk.now())
    line = asked.glance.cases.get((judgement.chain if judgement else None) or draft.chain or "")
    owner = desk.officers.named(draft.owner)
    personal = [] if event is None else personal_facts(event, w)
    facts = _facts(asked, event, opened)
    return asked.page(
        "review.html",
        200 if problem is None and (judgement is None or judgement.may_be_said) else 422,
        draft=draft,
        own=own,
        owner=draft.owner if owner is None else owner.shown,
        opened=opened,
        event=event,
        digest=None if event is None else sealed_text(event)[1],
        facts=facts,
        envelope=envelope_facts(asked, event) if event is not None and facts else [],
        masked=not opened and (bool(personal) or facts != _facts(asked, event, True)),
        personal=personal,
        judgement=judgement,
        place=lambda remark: place_of(remark.pointer, draft.type, w),
        laws=lambda remark: [w.law(one.instrument, one.article) for one in remark.law],
        basis=_basis(asked, draft),
        line=line,
        case=None if line is None else case_name(line, w, open=opened),
        case_facts=None if line is None else case_facts(line, w),
        starts=_duties(asked, judgement, "starts"),
        meets=_duties(asked, judgement, "meets"),
        finds=[]
        if judgement is None
        else [(one, finding_title(one, w), severity_of(one, w)) for one in judgement.finds],
        needed=desk.approvals.of(draft.type, desk.now()),
        may_approve=draft.state == "handed_in" and sending.may_approve(desk, asked.officer, draft),
        problem=problem,
        steps=desk.drafts.steps(draft.id),
    )


def _facts(asked: Asked, event: dict[str, Any] | None, opened: bool) -> list[Fact]:
    """What the event says, as those who are told will read it; nothing where it cannot be read yet."""
    catalog = asked.desk.catalog
    try:
        parsed = None if event is None else parse_event(event, catalog)
    except DoorProblem:
        return []
    if event is None or parsed is None:
        return []
    time, data = event["time"], parsed.data
    written = event_json(
        catalog.latest(parsed.type), data, id=None, source=parsed.source, time=time, subject=parsed.subject
    )
    return facts_of(written, asked.words, open=opened)


def _basis(asked: Asked, draft: Draft) -> str:
    """Where it stands that the law has others hear of it."""
    w = asked.words
    cited = [one.partition(" ") for one in asked.desk.catalog.event(draft.type).basis]
    return w.listed([w.law(instrument, article or None) for instrument, _, article in cited])


def _duties(asked: Asked, judgement: Judgement | None, which: str) -> list[tuple[str, str, str]]:
    w = asked.words
    duties = [] if judgement is None else getattr(judgement, which)
    return [
        (
            duty_title(one, w),
            parties_of(one, asked.desk.agency, w),
            span_of({"latest_possible": one["due_latest"], **one}, w),
        )
        for one in duties
    ]


def _event(asked: Asked, draft: Draft) -> dict[str, Any]:
    if draft.state == "handed_in":
        event: dict[str, Any] = json.loads(asked.desk.drafts.event(draft))
        return event
    content = asked.desk.drafts.content(draft)
    return sending.event_of(asked.desk, content, asked.desk.now())


PAGES = (Page("/compose/{id}/review", "act", show, act),)
