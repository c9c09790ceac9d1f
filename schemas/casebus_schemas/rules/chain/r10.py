"""R10: a duty is late on every admissible reading, by what agencies claim or by what the bus can prove."""

from collections.abc import Iterator
from datetime import datetime

from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.case.obligations import Obligation
from casebus_schemas.law import Sentence
from casebus_schemas.law.clocks import OVERDUE
from casebus_schemas.law.duty_state import last_day_of
from casebus_schemas.small_types import Agency, RuleId
from casebus_schemas.texts.symbols import agency
from casebus_schemas.times import beijing_text, in_beijing

from ..finding import Account, Suggestion, account
from ..folded_case import Case
from ..rule import Found, Rule
from ..wording import claimed_and_admitted, creditors_of, until_published

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
        "义务在期内终止或延长时;逾期作出的、期内日期无法证实的,仍予显示",
        "when the duty ends in time or is extended; late answers stay shown, and those dated back",
    ),
)


@RULE.over_time
def overdue(case: Case, now: datetime) -> Iterator[Found]:
    """Each duty that is overdue at `now`, by claim or by proof; by one of them only, it is contested.

    The law is that of its clock.
    """
    for duty in case.duties:
        if duty.clock.found_by != OVERDUE:
            continue
        late = {state(now) == "overdue" for state in (duty.claimed_state, duty.proven_state)}
        if True in late:
            yield _overdue(duty, contested=len(late) > 1)


def _overdue(duty: Obligation, *, contested: bool) -> Found:
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
            _answer(owed_by, answered, contested=contested),
        ],
        law=duty.version.source,
        because=_contested(duty)
        if contested
        else Sentence(
            f"{who.zh}应于{last}前{duty.clock.title.zh}({duty.clock.id}),按任何一种计算方法均已逾期"
            f"{late.zh}{waits.zh}",
            f"{who.en} had to {duty.clock.title.en} ({duty.clock.id}) by {last} however one counts"
            f"{late.en}{waits.en}",
        ),
        suggestion=None if answered else Suggestion(duty.clock.duty[0], owed_by),
        opened_at=_opened_at(duty, contested=contested),
        uses=[answered] if answered else (),
        beside=creditors_of(duty),
        contested=contested,
    )


def _opened_at(duty: Obligation, *, contested: bool) -> datetime:
    over_at = min(steps[duty.rung].over_at for steps in (duty.steps, duty.proven_steps))
    end = duty.met_by or duty.moot_by
    return max(over_at, end.admitted_at) if contested and end else over_at


def _answer(owed_by: Agency, answered: ChainEvent | None, *, contested: bool) -> Account:
    if answered is None:
        return Account(owed_by, {"answered_at": None}, None)
    value = {"answered_at": beijing_text(answered.occurred_at)}
    if contested:
        value["admitted_at"] = beijing_text(answered.admitted_at)
    return account(answered, value)


def _contested(duty: Obligation) -> Sentence:
    who, times = agency(duty.owed_by), claimed_and_admitted(duty)
    last = last_day_of(duty.steps[duty.rung].due_latest)
    return Sentence(
        f"{who.zh}应于{last}前{duty.clock.title.zh}({duty.clock.id}),有争议:{times.zh}",
        f"{who.en} had to {duty.clock.title.en} ({duty.clock.id}) by {last}; contested: {times.en}",
    )


def _day(event: ChainEvent) -> str:
    return in_beijing(event.occurred_at).date().isoformat()
