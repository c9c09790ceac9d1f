"""What becomes of a draft: said by its writer, handed in, approved or returned by another officer."""

import hmac
import json
from datetime import datetime
from typing import Any

from casebus_consumers.desk.desk import Desk
from casebus_consumers.desk.officers import Officer
from casebus_consumers.desk.rights import may
from casebus_producers.own_events import own_events
from casebus_schemas.errors import UsageError

from .approving import sealed_text
from .content import Content
from .drafts import Draft
from .judging import Judgement, judged

_SHORTEST_WORDS = 2


def settled(desk: Desk, draft: Draft) -> Draft:
    """The draft; where its event is in the outbox already (the desk ended between the two), it is sent."""
    if draft.state == "sent":
        return draft
    said = [
        one for one in own_events(desk.door.outbox, draft.event_id) if str(one.headers.id) == draft.event_id
    ]
    if said:
        desk.drafts.sent(draft, None, said[0].headers.subject, said[0].digest.hex())
        return desk.drafts.find(draft.id) or draft
    return draft


def event_of(desk: Desk, content: Content, now: datetime) -> dict[str, Any]:
    """The event that a draft means now."""
    return content.event(desk.agency, now)


def publish(desk: Desk, officer: Officer, draft: Draft, content: Content) -> Judgement:
    """Says what a draft means, with one officer's word; says nothing where the judgement refuses it.

    Raises UsageError where a second officer must approve it, DoorProblem where the door refuses it.
    """
    now = desk.now()
    _own(draft, officer)
    if desk.approvals.of(draft.type, now) is not None:
        raise UsageError(
            "an event that a second officer must approve",
            found=draft.type,
            expected="handed in, and approved by a head who did not write it",
        )
    event = event_of(desk, content, now)
    judgement = judged(desk, event, now)
    if judgement.may_be_said:
        _say(desk, officer, draft, event, "sent")
    return judgement


def hand_in(desk: Desk, officer: Officer, draft: Draft, content: Content) -> Judgement:
    """Freezes the event that a draft means, for another officer; nothing changes where it is refused."""
    now = desk.now()
    _own(draft, officer)
    event = event_of(desk, content, now)
    judgement = judged(desk, event, now)
    if judgement.may_be_said:
        text, digest = sealed_text(event)
        desk.drafts.hand_in(draft, officer, text, digest)
        desk.accesses.note(officer, "handed-in", draft.id, draft.type)
    return judgement


def approve(desk: Desk, officer: Officer, draft: Draft, digest: str) -> Judgement:
    """Says exactly the bytes that were handed in; `digest` is their SHA-256 as the approver's page showed it.

    Raises UsageError where the officer may not approve it, or other bytes stand there than were shown.
    """
    _second(desk, officer, draft)
    text = desk.drafts.event(draft)
    event = json.loads(text)
    if not hmac.compare_digest(sealed_text(event)[1], digest) or draft.digest != digest:
        raise UsageError(
            "not what the page showed when it was approved",
            expected="the event that was handed in",
            remedy="open the draft again and look at it",
        )
    judgement = judged(desk, event, desk.now())
    if judgement.may_be_said:
        _say(desk, officer, draft, event, "approved")
    return judgement


def give_back(desk: Desk, officer: Officer, draft: Draft, words: str) -> None:
    """Returns what was handed in to its writer with words. Raises UsageError without words or the right."""
    _second(desk, officer, draft)
    if len(words) < _SHORTEST_WORDS:
        raise UsageError("nothing is said", expected="what its writer should change")
    desk.drafts.open_again(draft, officer, words)
    desk.accesses.note(officer, "returned", draft.id, draft.type)


def may_approve(desk: Desk, officer: Officer, draft: Draft) -> bool:
    """Whether an officer may approve a draft: a head who has typed nothing in it."""
    return may(officer.role, "approve") and officer.name not in desk.drafts.writers(draft.id)


def _second(desk: Desk, officer: Officer, draft: Draft) -> None:
    if draft.state != "handed_in":
        raise UsageError(
            "a draft that nobody has handed in", found=draft.state, expected="one that was handed in"
        )
    if not may(officer.role, "approve"):
        raise UsageError("an officer who may not approve", found=officer.role, expected="a head")
    if officer.name in desk.drafts.writers(draft.id):
        raise UsageError(
            "nobody approves what he has written himself", found=officer.name, expected="another head"
        )


def _own(draft: Draft, officer: Officer) -> None:
    if draft.state != "draft" or draft.owner != officer.name:
        raise UsageError(
            "not an open draft of one's own", found=draft.state, expected="one that is still open"
        )


def _say(desk: Desk, officer: Officer, draft: Draft, event: dict[str, Any], act: Any) -> None:
    desk.accesses.note(officer, act, draft.id, draft.type)
    queued = desk.say(event, approved=act == "approved")
    desk.drafts.sent(draft, (officer, act), queued.chain, queued.digest.hex())
