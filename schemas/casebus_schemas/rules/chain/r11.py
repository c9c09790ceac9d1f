"""R11: a rung's time ran out without a decision, and the next rung's approval was not given within it."""

from collections.abc import Iterator
from datetime import datetime

from casebus_schemas.agencies import agencies_with
from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.case.obligations import Obligation, Step
from casebus_schemas.law import Sentence
from casebus_schemas.law.duty_state import last_day_of
from casebus_schemas.small_types import Agency, RuleId
from casebus_schemas.texts.symbols import STEPS, agency, word
from casebus_schemas.times import beijing_text

from ..finding import Account, Suggestion
from ..folded_case import Case
from ..rule import Found, Rule
from ..wording import MOST_NAMED, limit_in_words, until_published

RULE = Rule(
    RuleId("R11"),
    title=Sentence("未经批准延长期限", "a term used beyond its limit without approval"),
    scopes=("chain",),
    cls="state",
    severity="high",
    looks_at=("duties", "time"),
    each="duty",
    acts=Sentence("负有义务的机关", "the agency that owes the duty"),
    mends=Sentence(
        "期限内作出的延长批准(可补报)", "the approval given within the limit, which may be reported later"
    ),
    closes=Sentence("期限内的批准报来时", "when an approval of that time is reported"),
)


@RULE.over_time
def missing_approvals(case: Case, now: datetime) -> Iterator[Found]:
    """Each duty that is used beyond a rung of its ladder without the approval that the next one needs."""
    for duty in case.duties:
        base = duty.version.base_rung()
        for rung, higher in zip(duty.steps[base:], duty.steps[base + 1 :], strict=False):
            if higher.needs is None or not _used_beyond(duty, rung, now):
                continue
            in_time = [e for e in duty.approvals if _lifts(e, duty, higher) and _within(e.occurred_at, rung)]
            if in_time:
                continue
            # A higher rung can only be missing its approval once the lower one was reached with its own.
            yield _missing(duty, rung, higher)
            break


def _used_beyond(duty: Obligation, rung: Step, now: datetime) -> bool:
    if duty.met_by is not None:
        return not _within(duty.met_by.occurred_at, rung)
    if duty.moot_by is not None and _within(duty.moot_by.occurred_at, rung):
        return False
    return not _within(now, rung)


def _within(at: datetime, rung: Step) -> bool:
    return any(reading.may_hold(at) for reading in rung.readings)


def _lifts(approval: ChainEvent, duty: Obligation, higher: Step) -> bool:
    level = duty.level_of(approval)
    levels = [step.needs for step in duty.steps]
    return level in levels and levels.index(level) >= levels.index(higher.needs)


def _missing(duty: Obligation, rung: Step, higher: Step) -> Found:
    who, needed = agency(duty.owed_by), word(STEPS, higher.step)
    limit = limit_in_words(next(r.limit for r in duty.version.rungs if r.step == rung.step))
    last = last_day_of(rung.due_latest)
    waits = until_published(duty, rung)
    approvals = [
        {"level": duty.level_of(e), "at": beijing_text(e.occurred_at)} for e in duty.approvals[:MOST_NAMED]
    ]
    owed_by = Agency(duty.owed_by)
    return Found(
        subject=f"{duty.id}\n{higher.step}",
        causes=[duty.cause],
        accounts=[Account(owed_by, {"needs": higher.needs, "approvals": approvals}, duty.cause.digest)],
        law=duty.version.source,
        because=Sentence(
            f"{who.zh}用时已超过{limit.zh}(最迟至{last}),而延长所需的{needed.zh}未在期内作出{waits.zh}",
            f"{who.en} used more than {limit.en} (to {last} at the latest) without the "
            f"{needed.en} that an extension needs{waits.en}",
        ),
        suggestion=_approval_wanted(duty),
        opened_at=rung.over_at,
    )


def _approval_wanted(duty: Obligation) -> Suggestion | None:
    """Who should say which approval: the debtor, or the one agency whose role it is."""
    approval = duty.clock.approval
    if approval is None:
        return None
    by = (duty.owed_by,) if approval.by is None else agencies_with(approval.by)
    return Suggestion(approval.type, Agency(by[0])) if len(by) == 1 else None
