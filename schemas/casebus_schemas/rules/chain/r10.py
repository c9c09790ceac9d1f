"""R10: a duty is late on every admissible reading, by what agencies claim or by what the bus can prove."""

from collections.abc import Iterator
from datetime import datetime

from casebus_schemas.law import Sentence
from casebus_schemas.law.clocks import OVERDUE
from casebus_schemas.small_types import RuleId
from casebus_schemas.texts.symbols import agency

from ..folded_case import Case
from ..late_duty import last_day, late, late_duties, so_far
from ..rule import Found, Rule

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
    for duty, contested in late_duties(case.duties, OVERDUE, now):
        who, last, since = agency(duty.owed_by), last_day(duty), so_far(duty)
        yield late(
            duty,
            Sentence(
                f"{who.zh}应于{last}前{duty.clock.title.zh}({duty.clock.id}),按任何一种计算方法均已逾期{since.zh}",
                f"{who.en} had to {duty.clock.title.en} ({duty.clock.id}) by {last} however one counts"
                f"{since.en}",
            ),
            contested=contested,
        )
