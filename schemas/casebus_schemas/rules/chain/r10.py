"""R10: a duty is late on every admissible reading, answered since or not."""

from collections.abc import Iterator
from datetime import datetime

from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.case.obligations import Obligation
from casebus_schemas.law import Sentence
from casebus_schemas.law.duty_state import last_day_of
from casebus_schemas.small_types import Agency, RuleId
from casebus_schemas.texts.symbols import agency
from casebus_schemas.times import beijing_text, in_beijing

from ..finding import Account, Suggestion, account
from ..folded_case import Case
from ..rule import Found, Rule
from ..wording import until_published

RULE = Rule(
    RuleId("R10"),
    title=Sentence("期限已逾", "a term has passed"),
    scopes=("chain",),
    cls="state",
    severity="high",
    looks_at=("duties", "time"),
    each="duty",
    acts=Sentence("负有义务的机关", "the agency that owes the duty"),
    mends=Sentence("作出所欠的决定或答复", "the decision or answer that is owed"),
    closes=Sentence(
        "义务终止或延长时;逾期作出的仍予显示", "when the duty ends or is extended; late answers stay shown"
    ),
)


@RULE.over_time
def overdue(case: Case, now: datetime) -> Iterator[Found]:
    """Each duty that is overdue at `now`. The law is that of its clock."""
    for duty in case.duties:
        if duty.state(now) == "overdue":
            yield _overdue(duty)


def _overdue(duty: Obligation) -> Found:
    rung = duty.steps[duty.rung]
    last = last_day_of(rung.due_latest)
    waits = until_published(duty, rung)
    who = agency(duty.owed_by)
    answered = duty.met_by
    late = (
        Sentence(f",至{_day(answered)}方作出", f"; it was given on {_day(answered)}")
        if answered
        else Sentence(",至今未作出", "; it has not been given")
    )
    owed_by = Agency(duty.owed_by)
    return Found(
        subject=str(duty.id),
        causes=[duty.cause],
        accounts=[
            account(duty.cause, {"started_at": beijing_text(duty.started_at)}),
            Account(
                owed_by,
                {"answered_at": beijing_text(answered.occurred_at) if answered else None},
                answered.digest if answered else None,
            ),
        ],
        law=duty.version.source,
        because=Sentence(
            f"{who.zh}应于{last}前{duty.clock.title.zh}({duty.clock.id}),按任何一种计算方法均已逾期"
            f"{late.zh}{waits.zh}",
            f"{who.en} had to {duty.clock.title.en} ({duty.clock.id}) by {last} however one counts"
            f"{late.en}{waits.en}",
        ),
        suggestion=None if answered else Suggestion(duty.clock.duty[0], owed_by),
        opened_at=rung.over_at,
    )


def _day(event: ChainEvent) -> str:
    return in_beijing(event.occurred_at).date().isoformat()
