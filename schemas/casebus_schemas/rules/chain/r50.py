"""R50: a recommendation was answered, or a programme planned, and nobody has looked whether it was done."""

from collections.abc import Iterator
from datetime import datetime

from casebus_schemas.case.obligations import Obligation
from casebus_schemas.law import Sentence
from casebus_schemas.law.calendar import beijing_day
from casebus_schemas.law.clocks import UNVERIFIED
from casebus_schemas.law.duty_state import last_day_of
from casebus_schemas.small_types import Agency, RuleId
from casebus_schemas.texts.symbols import agency, quoted
from casebus_schemas.times import beijing_text

from ..finding import Account, Suggestion, account
from ..folded_case import Case
from ..rule import Found, Rule
from ..wording import creditors_of

RULE = Rule(
    RuleId("R50"),
    title=Sentence("有回复而未核实", "answered, and never verified"),
    scopes=("chain",),
    cls="state",
    severity="medium",
    looks_at=("duties", "time"),
    each="duty",
    acts=Sentence(
        "提出建议或开展考察的检察机关", "the procuratorate that recommended or leads the programme"
    ),
    mends=Sentence("核实落实情况,或作出评估", "to look whether it was done, or to evaluate it"),
    closes=Sentence("核实、评估或提请上级时", "when it is verified, evaluated or taken to a superior"),
)
"""A reply is not yet a remedy: somebody must look at it. The time for it is practice, not law."""


@RULE.over_time
def unverified(case: Case, now: datetime) -> Iterator[Found]:
    """Each reply or plan that has waited longer than practice allows."""
    for duty in case.duties:
        if duty.clock.found_by == UNVERIFIED and duty.state(now) == "overdue":
            yield _stuck(duty)


def _stuck(duty: Obligation) -> Found:
    who, what, since = agency(duty.owed_by), quoted(duty.cause.type), beijing_day(duty.started_at)
    last = last_day_of(duty.steps[duty.rung].due_latest)
    answered = duty.met_by
    owed_by = Agency(duty.owed_by)
    late = (
        Sentence("至今未见", "it has not come") if answered is None else Sentence("逾期方见", "it came late")
    )
    given = {"answered_at": None if answered is None else beijing_text(answered.occurred_at)}
    return Found(
        subject=str(duty.id),
        causes=[duty.cause],
        accounts=[
            account(duty.cause, {"started_at": beijing_text(duty.started_at)}),
            Account(owed_by, given, None) if answered is None else account(answered, given),
        ],
        law=duty.version.source,
        because=Sentence(
            f"{since}有{what.zh},{who.zh}应于{last}前{duty.clock.title.zh},{late.zh}(期限为惯例,非法定)",
            f"after {what.en} of {since} {who.en} had to {duty.clock.title.en} by {last}; {late.en} "
            "(the time is one of practice, not of law)",
        ),
        suggestion=None if answered else Suggestion(duty.clock.duty[0], owed_by),
        opened_at=duty.steps[duty.rung].over_at,
        uses=[answered] if answered else (),
        beside=creditors_of(duty),
    )
