"""R20: an answer, correction or withdrawal of what had not been admitted a day after it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from casebus_schemas.case.accounts import ABOUT_THE_BUS
from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.case.effects import mends
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
    title=Sentence("有答复、更正或撤回而无其所指的事件", "an answer or correction without what it names"),
    scopes=("chain",),
    cls="arrival",
    severity="medium",
    looks_at=("answers", "corrections", "time"),
    each="answer",
    acts=Sentence(
        "被答复的机关;未指明的,由答复机关;更正或撤回的,由其作出机关",
        "the agency that is answered; if none is named, the one that answers; of a correction or withdrawal "
        "who said it",
    ),
    mends=Sentence(
        "发布所答复的事件;以正确的摘要重新更正或撤回",
        "the event that is answered; the correction or withdrawal said anew, with the right digest",
    ),
    closes=Sentence("所指的事件到达时", "when what it names arrives"),
)


@RULE.over_time
def orphans(case: Case, now: datetime) -> Iterator[Found]:
    """Each answer, correction or withdrawal that waited a day in vain; closed once what it names came."""
    for event in case.said:
        opened_at = _opens_at(event)
        if opened_at is None:
            continue
        named = _named_by(event, case.folded)
        if now < opened_at or (named is not None and named.admitted_at <= opened_at):
            continue
        yield _orphan(event, opened_at, closed=named is not None)


def may_wait(event: ChainEvent, folded: Folded) -> bool:
    """Whether the event waits for what it names, or had to wait too long."""
    opened_at = _opens_at(event)
    if opened_at is None:
        return False
    named = _named_by(event, folded)
    return named is None or named.admitted_at > opened_at


def turns(event: ChainEvent, folded: Folded) -> list[datetime]:
    """When an event that still waits for what it names becomes an orphan."""
    opened_at = _opens_at(event)
    return [opened_at] if opened_at is not None and _named_by(event, folded) is None else []


def _opens_at(event: ChainEvent) -> datetime | None:
    """When the event has waited for too long; None if it is none that waits."""
    answers = event.message_class in _ANSWERS and event.family not in ABOUT_THE_BUS
    if event.admitted_at >= _LAST_DAY or not (answers or mends(event)):
        return None
    return event.admitted_at + ORPHAN_AFTER


def _named_by(event: ChainEvent, folded: Folded) -> ChainEvent | None:
    """What it answers, corrects or takes back; the last of them to come where it names several."""
    if not mends(event):
        return folded.request_of(event)
    named = [folded.by_digest.get(digest) for digest in _mended(event)]
    there = [one for one in named if one is not None]
    return max(there, key=lambda one: one.admitted_at) if there and len(there) == len(named) else None


def _mended(event: ChainEvent) -> list[bytes]:
    return [digest for digest in (event.corrects, event.withdraws) if digest is not None]


def _orphan(event: ChainEvent, opened_at: datetime, *, closed: bool) -> Found:
    value: dict[str, object] = {"type": event.type}
    if mends(event):
        what, value["digests"] = _mends_nothing(event), [digest.hex() for digest in _mended(event)]
    else:
        what, value["in_reply_to"] = _answers_nothing(event), _text(event.in_reply_to)
    return Found(
        subject=str(event.id),
        causes=[event],
        accounts=[account(event, value)],
        because=Sentence(
            f"{agency(event.agency).zh}的{quoted(event.type).zh}{what.zh}(已逾24小时)",
            f"{quoted(event.type).en} of {agency(event.agency).en} {what.en}, for more than 24 hours",
        ),
        opened_at=opened_at,
        state="closed" if closed else "open",
        beside=sorted(event.told) if mends(event) else (),
    )


def _mends_nothing(event: ChainEvent) -> Sentence:
    named = _mended(event)
    if not named:
        return Sentence(
            "未指明所更正或撤回的事件,不生效", "names nothing that it corrects or withdraws: no effect"
        )
    digests = ", ".join(digest.hex() for digest in named)
    return Sentence(
        f"所更正或撤回的事件{digests}未见于案链,不生效",
        f"corrects or withdraws {digests}, which the chain does not hold: it has no effect",
    )


def _answers_nothing(event: ChainEvent) -> Sentence:
    named = event.in_reply_to
    if named is None:
        return Sentence("未指明所答复的事件", "names nothing that it answers")
    return Sentence(f"所答复的事件{named}未见于案链", f"answers {named}, which the chain does not hold")


def _text(value: object) -> str | None:
    return None if value is None else str(value)
