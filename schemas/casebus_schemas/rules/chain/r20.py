"""R20: an answer whose request had not been admitted a day after it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from casebus_schemas.case.accounts import ABOUT_THE_BUS
from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.case.fold import Folded
from casebus_schemas.law import Sentence
from casebus_schemas.small_types import RuleId
from casebus_schemas.texts.symbols import agency, quoted

from ..finding import account
from ..folded_case import Case
from ..rule import Found, Rule

ORPHAN_AFTER = timedelta(hours=24)
"""How long an answer may wait for what it answers: agencies' streams are not ordered against each other."""

_LAST_DAY = datetime(9999, 12, 31, tzinfo=UTC)
"""No day comes after it: what claims to be of that day never waits for one."""
_ANSWERS = frozenset({"response", "receipt", "error"})

RULE = Rule(
    RuleId("R20"),
    title=Sentence("有答复而无所答复的事件", "an answer without what it answers"),
    scopes=("chain",),
    cls="arrival",
    severity="medium",
    looks_at=("answers", "time"),
    each="answer",
    acts=Sentence(
        "被答复的机关;未指明的,由答复机关",
        "the agency that is answered; if none is named, the one that answers",
    ),
    mends=Sentence("发布所答复的事件", "the event that is answered"),
    closes=Sentence("所答复的事件到达时", "when what it answers arrives"),
)


@RULE.over_time
def orphans(case: Case, now: datetime) -> Iterator[Found]:
    """Each answer that waited a day in vain; closed once its request came."""
    for event in case.said:
        if not _answers(event):
            continue
        opened_at = event.admitted_at + ORPHAN_AFTER
        request = case.folded.request_of(event)
        if now < opened_at or (request is not None and request.admitted_at <= opened_at):
            continue
        yield _orphan(event, opened_at, closed=request is not None)


def may_wait(event: ChainEvent, folded: Folded) -> bool:
    """Whether the event is an answer that waits for its request, or had to wait too long."""
    if not _answers(event):
        return False
    request = folded.request_of(event)
    return request is None or request.admitted_at > event.admitted_at + ORPHAN_AFTER


def turns(event: ChainEvent, folded: Folded) -> list[datetime]:
    """When an answer that still waits for its request becomes an orphan."""
    return [event.admitted_at + ORPHAN_AFTER] if folded.request_of(event) is None else []


def _answers(event: ChainEvent) -> bool:
    if event.admitted_at >= _LAST_DAY:
        return False
    return event.message_class in _ANSWERS and event.family not in ABOUT_THE_BUS


def _orphan(event: ChainEvent, opened_at: datetime, *, closed: bool) -> Found:
    named = event.in_reply_to
    what = (
        Sentence("未指明所答复的事件", "names nothing that it answers")
        if named is None
        else Sentence(f"所答复的事件{named}未见于案链", f"answers {named}, which the chain does not hold")
    )
    return Found(
        subject=str(event.id),
        causes=[event],
        accounts=[account(event, {"type": event.type, "in_reply_to": str(named) if named else None})],
        because=Sentence(
            f"{agency(event.agency).zh}的{quoted(event.type).zh}{what.zh}(已逾24小时)",
            f"{quoted(event.type).en} of {agency(event.agency).en} {what.en}, for more than 24 hours",
        ),
        opened_at=opened_at,
        state="closed" if closed else "open",
    )
