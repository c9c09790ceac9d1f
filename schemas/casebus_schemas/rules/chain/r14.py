"""R14: somebody is not prosecuted and nobody has passed his case on to see whether a penalty is due."""

from collections.abc import Iterator
from datetime import datetime

from casebus_schemas.law import Sentence
from casebus_schemas.law.clocks import UNSTARTED
from casebus_schemas.small_types import RuleId
from casebus_schemas.texts.symbols import agency

from ..folded_case import Case
from ..late_duty import last_day, late, late_duties, so_far
from ..rule import Found, Rule
from ..wording import short

RULE = Rule(
    RuleId("R14"),
    title=Sentence("不起诉后未启动反向衔接", "no way to a penalty after a non-prosecution"),
    scopes=("chain",),
    cls="state",
    severity="high",
    looks_at=("duties", "time"),
    each="duty",
    acts=Sentence("作出不起诉决定的检察部门", "the desk that decided not to prosecute"),
    mends=Sentence("将案件移送行政检察部门", "to pass the case to the desk for administrative matters"),
    closes=Sentence(
        "期内已移送、提起公诉或不起诉决定被撤回时",
        "when it was passed on in time, when charges are brought or the decision is withdrawn",
    ),
)


@RULE.over_time
def not_passed_on(case: Case, now: datetime) -> Iterator[Found]:
    """Each person not prosecuted whose case has not reached the administrative desk in three working days."""
    for duty, contested in late_duties(case.duties, UNSTARTED, now):
        who, whom, last, since = agency(duty.owed_by), short(duty.suspect or ""), last_day(duty), so_far(duty)
        yield late(
            duty,
            Sentence(
                f"{who.zh}对{whom}决定不起诉,应于{last}前移送行政检察部门审查是否需要行政处罚{since.zh}",
                f"{who.en} decided not to prosecute {whom} and had to pass the case on by {last}, so that it "
                f"is seen whether a penalty is due{since.en}",
            ),
            contested=contested,
        )
