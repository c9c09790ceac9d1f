"""R13: somebody states another last day than the term gives: a restart or an extension was left out."""

from collections.abc import Iterator
from datetime import date, datetime

from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.case.obligations import Obligation, Step
from casebus_schemas.law import Sentence
from casebus_schemas.law.duty_state import last_day_of
from casebus_schemas.small_types import RuleId
from casebus_schemas.texts.symbols import agency
from casebus_schemas.times import beijing_text

from ..finding import account
from ..folded_case import Case
from ..rule import Found, Rule
from ..wording import creditors_of

RULE = Rule(
    RuleId("R13"),
    title=Sentence("所称届满日与计算不符", "a stated last day that the term does not give"),
    scopes=("chain",),
    cls="state",
    severity="medium",
    looks_at=("duties", "time"),
    each="duty",
    acts=Sentence("所述届满日有误的机关", "the agency that stated the day"),
    mends=Sentence(
        "更正届满日,或更正起算日期", "a correction of that day, or of the day from which it counts"
    ),
    closes=Sentence("两个日期一致时", "when both days agree"),
)


@RULE.over_time
def other_last_days(case: Case, now: datetime) -> Iterator[Found]:
    """Each last day, stated by what starts or extends a term, that no way of counting gives.

    Of a term whose end is provisional nothing is said.
    """
    del now  # the days alone decide; duties are looked at by time
    for duty in case.duties:
        for event, step in _stated(duty):
            day = event.data.get("until")
            if not isinstance(day, date) or any(reading.provisional for reading in step.readings):
                continue
            counted = sorted({last_day_of(reading.due) for reading in step.readings})
            if day not in counted:
                yield _differs(duty, event, day, counted)


def _stated(duty: Obligation) -> Iterator[tuple[ChainEvent, Step]]:
    """What starts or extends the duty, each with the rung to whose end it speaks."""
    yield duty.cause, duty.steps[duty.version.base_rung()]
    for approval in duty.approvals:
        level = duty.level_of(approval)
        yield from ((approval, step) for step in duty.steps if step.needs is not None and step.needs == level)


def _differs(duty: Obligation, event: ChainEvent, day: date, counted: list[date]) -> Found:
    who, days = agency(event.agency), ", ".join(map(str, counted))
    starts = account(duty.cause, {"started_at": beijing_text(duty.started_at)})
    states = account(event, {"until": str(day), "ends_on": [str(one) for one in counted]})
    return Found(
        subject=f"{duty.id}\n{event.digest.hex()}",
        causes=[duty.cause, event],
        named_by=[event],
        accounts=[states] if event is duty.cause else [starts, states],
        law=duty.version.source,
        because=Sentence(
            f"{who.zh}称{duty.clock.title.zh}({duty.clock.id})至{day}届满,按起算日期和批准层级计算为{days}",
            f"{who.en} states {day} as the last day to {duty.clock.title.en} ({duty.clock.id}); "
            f"from its start and at this level it is {days}",
        ),
        beside=creditors_of(duty),
    )
