"""R02: nobody has signed for what the bus delivered: silence that is a matter of practice, not of law."""

from collections.abc import Iterator
from datetime import datetime

from casebus_schemas.case.obligations import Obligation
from casebus_schemas.law import Sentence
from casebus_schemas.law.calendar import beijing_day
from casebus_schemas.law.clocks import SILENCE
from casebus_schemas.small_types import Agency, RuleId
from casebus_schemas.texts.symbols import agency, quoted
from casebus_schemas.times import beijing_text

from ..finding import Account, Suggestion, account
from ..folded_case import Case
from ..rule import Found, Rule
from ..wording import creditors_of

RULE = Rule(
    RuleId("R02"),
    title=Sentence("送达后未签收", "delivered, and not signed for"),
    scopes=("chain",),
    cls="state",
    severity="medium",
    looks_at=("duties", "time"),
    each="duty",
    acts=Sentence("收到案件的机关", "the agency to which it was delivered"),
    mends=Sentence("回执或其他答复", "the receipt, or any answer"),
    closes=Sentence(
        "签收或答复时;案件撤回时", "when it is signed for or answered; when the matter is withdrawn"
    ),
)


@RULE.over_time
def unsigned(case: Case, now: datetime) -> Iterator[Found]:
    """Each delivery that was met with silence for longer than practice allows."""
    for duty in case.duties:
        if duty.clock.found_by == SILENCE and duty.met_by is None and duty.moot_by is None:
            since = duty.waits_until or duty.started_at
            if now >= since:
                yield _silent(duty, since)


def _silent(duty: Obligation, since: datetime) -> Found:
    who, what, day = agency(duty.owed_by), quoted(duty.cause.type), beijing_day(duty.cause.admitted_at)
    owed_by = Agency(duty.owed_by)
    return Found(
        subject=str(duty.id),
        causes=[duty.cause],
        accounts=[
            account(duty.cause, {"started_at": beijing_text(duty.cause.admitted_at)}),
            Account(owed_by, {"answered_at": None}, None),
        ],
        law=duty.version.source,
        because=Sentence(
            f"{what.zh}于{day}送达{who.zh},至今无回执或任何答复(期限为惯例,非法定)",
            f"{what.en} was delivered to {who.en} on {day}; there is no receipt nor any answer "
            "(the time is one of practice, not of law)",
        ),
        suggestion=Suggestion(duty.clock.duty[0], owed_by),
        opened_at=since,
        beside=creditors_of(duty),
    )
