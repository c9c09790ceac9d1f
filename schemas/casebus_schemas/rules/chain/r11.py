"""R11: a rung's time ran out without a decision, and the next rung's approval was not given within it."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from casebus_schemas.agencies import agencies_with
from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.case.obligations import Obligation, Step
from casebus_schemas.case.proof import claimed_time, proven_time
from casebus_schemas.law import Sentence
from casebus_schemas.law.calendar import beijing_day
from casebus_schemas.law.duty_state import last_day_of
from casebus_schemas.small_types import Agency, RuleId
from casebus_schemas.texts.symbols import STEPS, agency, word
from casebus_schemas.times import beijing_text
from casebus_schemas.wire.uuids import uuid_text

from ..finding import Account, Suggestion
from ..folded_case import Case
from ..rule import Found, Rule
from ..sight import told_of_all
from ..wording import MOST_NAMED, claimed_and_admitted, creditors_of, limit_in_words, until_published

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
        "期限内作出的延长批准;其后报来的只记为有争议",
        "the approval given within the limit; one that is reported later only makes it contested",
    ),
    closes=Sentence("义务在期内终止时", "when the duty itself ended in time"),
)

_At = Callable[[ChainEvent], datetime]


@RULE.over_time
def missing_approvals(case: Case, now: datetime) -> Iterator[Found]:
    """Each duty used beyond a rung of its ladder without the approval that the next one needs.

    By the times that agencies claim and by those that the bus can prove; by one only, it is contested.
    """
    for duty in case.duties:
        if len(duty.steps) == 1:
            continue
        claimed = _first_missing(duty, duty.steps, now, claimed_time)
        proven = _first_missing(duty, duty.proven_steps, now, lambda event: event.admitted_at)
        for step in dict.fromkeys(step for step in (claimed, proven) if step is not None):
            alone = claimed is None or proven is None or step != claimed
            yield _missing(duty, duty.steps[step], duty.steps[step + 1], contested=alone)


def _first_missing(duty: Obligation, steps: Sequence[Step], now: datetime, at: _At) -> int | None:
    """The first rung that is used beyond its end without the approval of the next.

    A higher rung can only be missing its approval once the lower one was reached with its own.
    """
    for step in range(duty.version.base_rung(), len(steps) - 1):
        rung, higher = steps[step], steps[step + 1]
        if higher.needs is None or not _used_beyond(duty, rung, now, at):
            continue
        if not any(_lifts(e, duty, higher) and _within(at(e), rung) for e in duty.approvals):
            return step
    return None


def _used_beyond(duty: Obligation, rung: Step, now: datetime, at: _At) -> bool:
    if duty.met_by is not None:
        return not _within(at(duty.met_by), rung)
    if duty.moot_by is not None and _within(at(duty.moot_by), rung):
        return False
    return not _within(now, rung)


def _within(at: datetime, rung: Step) -> bool:
    return any(reading.may_hold(at) for reading in rung.readings)


def _lifts(approval: ChainEvent, duty: Obligation, higher: Step) -> bool:
    level = duty.level_of(approval)
    levels = [step.needs for step in duty.steps]
    return level in levels and levels.index(level) >= levels.index(higher.needs)


def _missing(duty: Obligation, rung: Step, higher: Step, *, contested: bool) -> Found:
    who, needed = agency(duty.owed_by), word(STEPS, higher.step)
    limit = limit_in_words(next(r.limit for r in duty.version.rungs if r.step == rung.step))
    last = last_day_of(rung.due_latest)
    waits = until_published(duty, rung)
    approvals = [_approval(duty, event) for event in duty.approvals[:MOST_NAMED]]
    answered = [duty.met_by] if duty.met_by else []
    return Found(
        subject=f"{uuid_text(duty.id)}\n{higher.step}",
        causes=[duty.cause],
        accounts=[
            Account(
                Agency(duty.owed_by),
                {"needs": higher.needs, "approvals": approvals},
                duty.cause.digest,
                told_of_all((duty.cause, *duty.approvals)),
            )
        ],
        law=duty.version.source,
        because=_contested(duty, higher)
        if contested
        else Sentence(
            f"{who.zh}用时已超过{limit.zh}(最迟至{last}),而延长所需的{needed.zh}未在期内作出{waits.zh}",
            f"{who.en} used more than {limit.en} (to {last} at the latest) without the "
            f"{needed.en} that an extension needs{waits.en}",
        ),
        suggestion=_approval_wanted(duty),
        opened_at=rung.over_at,
        uses=[*answered, *duty.approvals],
        beside=creditors_of(duty),
        contested=contested,
    )


def _approval(duty: Obligation, event: ChainEvent) -> dict[str, object]:
    value = {"level": duty.level_of(event), "at": beijing_text(event.occurred_at)}
    if beijing_day(event.occurred_at) != beijing_day(event.admitted_at):
        value["admitted_at"] = beijing_text(event.admitted_at)
    return value


def _contested(duty: Obligation, higher: Step) -> Sentence:
    """What is claimed to have been approved in time, or else answered or started."""
    who, needed = agency(duty.owed_by), word(STEPS, higher.step)
    late = [e for e in duty.approvals if _lifts(e, duty, higher) and proven_time(e) != e.occurred_at]
    times = claimed_and_admitted(duty)
    if late:
        claimed, admitted = beijing_day(late[0].occurred_at), beijing_day(late[0].admitted_at)
        times = Sentence(
            f"延长批准所称{claimed},总线收到{admitted},期内是否批准无法证实",
            f"the approval is claimed for {claimed} and was admitted {admitted}: not proven in time",
        )
    return Sentence(
        f"{who.zh}的期限延长({needed.zh})有争议:{times.zh}",
        f"the longer time of {who.en} ({needed.en}) is contested: {times.en}",
    )


def _approval_wanted(duty: Obligation) -> Suggestion | None:
    """Who should say which approval: the debtor, or the one agency whose role it is."""
    approval = duty.clock.approval
    if approval is None:
        return None
    by = (duty.owed_by,) if approval.by is None else agencies_with(approval.by)
    return Suggestion(approval.type, Agency(by[0])) if len(by) == 1 else None
