"""R15: the regulator is silent on an opinion of the procuratorate that somebody should be penalised."""

from collections.abc import Iterator
from datetime import datetime

from casebus_schemas.law import Sentence
from casebus_schemas.law.clocks import UNANSWERED
from casebus_schemas.small_types import Agency, RuleId
from casebus_schemas.texts.symbols import agency

from ..finding import Suggestion
from ..folded_case import Case
from ..late_duty import last_day, late, late_duties, so_far
from ..rule import Found, Rule

RULE = Rule(
    RuleId("R15"),
    title=Sentence("检察意见未获回复", "an opinion of the procuratorate that nobody answers"),
    scopes=("chain",),
    cls="state",
    severity="high",
    looks_at=("duties", "time"),
    each="duty",
    acts=Sentence(
        "被要求处理的行政机关;检察机关可催办并抄送其上级", "the regulator; the procuratorate may urge it"
    ),
    mends=Sentence("回复处理结果或办理情况", "a reply: the result, or how far it has come"),
    closes=Sentence(
        "期内已回复或检察意见被撤回时;逾期回复的仍予显示",
        "when it was answered in time or the opinion is withdrawn; late answers stay shown",
    ),
)


@RULE.over_time
def unanswered(case: Case, now: datetime) -> Iterator[Found]:
    """Each opinion without a reply after two months; whoever issued it may urge one."""
    for duty, contested in late_duties(case.duties, UNANSWERED, now):
        who, last, since = agency(duty.owed_by), last_day(duty), so_far(duty)
        yield late(
            duty,
            Sentence(
                f"{who.zh}应于{last}前回复检察意见{since.zh},可催办并抄送其上级机关",
                f"{who.en} had to answer the opinion by {last}{since.en}; the procuratorate may urge it, "
                "with a copy to its superior",
            ),
            Suggestion("reverse.urged", Agency(duty.cause.agency)),
            contested=contested,
        )
