"""Composing: the drafts of this desk, and what to begin, from a case, a duty, a finding or by type."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from casebus_consumers.desk.asked import Asked, Gone, Page
from casebus_consumers.desk.compose.drafts import Draft, State
from casebus_consumers.desk.compose.kinds import (
    Suggested,
    answering,
    common,
    composable,
    corrections,
    families,
    suggested,
)
from casebus_consumers.desk.compose.prefilling import begun
from casebus_consumers.desk.compose.sending import settled
from casebus_consumers.desk.shown.names import case_facts, case_name
from casebus_consumers.desk.shown.terms import duty_title
from casebus_schemas.case.chain import ChainEvent

_SENT_SHOWN = 20
_QUIET_DAYS = 30


@dataclass(frozen=True, slots=True)
class Row:
    """A draft in a list; nothing of what is typed in it."""

    draft: Draft
    title: str
    case: str
    owner: str
    changed: str
    quiet_days: int


def show(asked: Asked) -> Response:
    """The lists and the ways to begin; with `?chain=` what fits that case."""
    desk, w = asked.desk, asked.words
    chain = asked.query("chain")
    line = None if chain is None else asked.glance.cases.get(chain)
    if chain is not None and line is None:
        raise Gone
    events = [] if chain is None else desk.view.events(chain)
    lists: dict[State, list[Row]] = {
        "draft": _rows(asked, "draft"),
        "handed_in": _rows(asked, "handed_in"),
        "sent": _rows(asked, "sent")[:_SENT_SHOWN],
    }
    now = desk.now()
    return asked.page(
        "compose.html",
        line=line,
        case=None if line is None else case_name(line, w),
        facts=None if line is None else case_facts(line, w),
        suggestions=[] if line is None else [_named(asked, one, events) for one in _fitting(asked, events)],
        mendable=[(one, _event_name(asked, one)) for one in corrections(desk.catalog, desk.agency, events)],
        correction_of=lambda type: desk.catalog.correction_of(type, desk.agency),
        common=common(desk.catalog, desk.agency),
        families=families(desk.catalog, desk.agency),
        needs=lambda type: desk.approvals.of(type, now),
        lists=lists,
    )


def begin(asked: Asked) -> Response:
    """Makes a draft, prefilled from what the form names, and opens it."""
    desk = asked.desk
    chain = asked.field("chain") or None
    if chain is not None and chain not in asked.glance.cases:
        raise Gone
    duty = next((one for one in asked.glance.duties if one["id"] == asked.field("duty")), None)
    content = begun(
        desk,
        asked.officer,
        asked.needed("type"),
        chain,
        answers=asked.field("answers") or None,
        duty=duty,
        corrects=asked.field("corrects") or None,
    )
    id = desk.drafts.make(asked.officer, content)
    desk.accesses.note(asked.officer, "drafted", id, content.type)
    return asked.to(f"/compose/{id}")


def _fitting(asked: Asked, events: list[ChainEvent]) -> list[Suggested]:
    """What fits the case, or of it the event, duty or finding that the address names."""
    desk = asked.desk
    duties = [one for one in asked.glance.duties if one["chain"] == asked.query("chain") and not one["met"]]
    duties = [one for one in duties if one["state"] not in ("met", "moot", "lapsed")]
    if digest := asked.query("answers"):
        named = [one for one in events if one.digest.hex() == digest]
        return [Suggested(type, one) for one in named for type in answering(desk.catalog, desk.agency, one)]
    if duty := asked.query("duty"):
        duties = [one for one in duties if one["id"] == duty]
        return suggested(desk.catalog, desk.agency, events, duties)[: sum(len(events) for _ in duties) and 4]
    if type := asked.query("type", tuple(composable(desk.catalog, desk.agency))):
        return [Suggested(type)]
    return suggested(desk.catalog, desk.agency, events, duties)


def _named(asked: Asked, one: Suggested, events: list[ChainEvent]) -> tuple[Suggested, str, str]:
    """A suggestion with its title and why it is one."""
    w = asked.words
    why = []
    if one.duty is not None:
        duty: Mapping[str, Any] = next(duty for duty in asked.glance.duties if duty["id"] == one.duty)
        why.append(w("compose.for_duty", duty=duty_title(dict(duty), w)))
    if one.answers is not None:
        why.append(w("compose.answers", event=_event_name(asked, one.answers)))
    return one, w.title(one.type), w.gap.join(why)


def _event_name(asked: Asked, event: ChainEvent) -> str:
    w = asked.words
    return w.gap.join((w.day(event.occurred_at), w.short(event.source), w.title(event.type)))


def _rows(asked: Asked, state: State) -> list[Row]:
    found = []
    for one in asked.desk.drafts.listed(state):
        draft = settled(asked.desk, one)
        if draft.state == state:
            found.append(_row(asked, draft))
    return found


def _row(asked: Asked, draft: Draft) -> Row:
    w, line = asked.words, asked.glance.cases.get(draft.chain or "")
    owner = asked.desk.officers.named(draft.owner)
    days = (asked.desk.door.now() - draft.changed).days
    return Row(
        draft,
        w.title(draft.type),
        w("compose.new_case") if line is None else case_name(line, w),
        draft.owner if owner is None else owner.shown,
        w.time(draft.changed),
        days if days >= _QUIET_DAYS else 0,
    )


PAGES = (Page("/compose", "act", show, begin),)
