"""Findings about duties: R07 no countable start, R10 overdue, R11 used beyond a rung without its approval."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from casebus_schemas.agencies import agencies_with
from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.case.obligations import Obligation, Start, Step
from casebus_schemas.law import Sentence
from casebus_schemas.law.calendar import NOTICE_MARGIN, beijing_text, in_beijing
from casebus_schemas.law.duty_state import last_day_of
from casebus_schemas.law.terms import Term
from casebus_schemas.texts.symbols import STEPS, agency, word

from .finding import Account, Finding, Suggestion, account, finding


def uncountable(started: Iterable[Start]) -> Iterator[Finding]:
    """R07: a clock started from a time that cannot be true, so that no term can be counted from it."""
    for start in started:
        if start.countable:
            continue
        who = agency(start.cause.agency)
        yield finding(
            "R07",
            chain=start.cause.chain,
            subject=f"{start.clock.id}\n{start.cause.id}",
            causes=[start.cause],
            severity="medium",
            accounts=[account(start.cause, {"started_at": beijing_text(start.at)})],
            law=start.version.source,
            because=Sentence(
                f"{who.zh}所述的起算时间{start.at:%Y-%m-%d}不合情理,无法计算期限{start.clock.title.zh}({start.clock.id})",
                f"{who.en} states {start.at:%Y-%m-%d}, from which the term to {start.clock.title.en} "
                f"({start.clock.id}) cannot be counted",
            ),
        )


def overdue(duties: Iterable[Obligation], now: datetime) -> Iterator[Finding]:
    """R10: a duty that is late on every admissible reading, answered since or not."""
    for duty in duties:
        if duty.state(now) != "overdue":
            continue
        rung = duty.steps[duty.rung]
        last = last_day_of(rung.due_latest)
        waits = _until_published(rung)
        who = agency(duty.owed_by)
        answered = duty.met_by
        late = (
            Sentence(f",至{_day(answered)}方作出", f"; it was given on {_day(answered)}")
            if answered
            else Sentence(",至今未作出", "; it has not been given")
        )
        yield finding(
            "R10",
            chain=duty.cause.chain,
            subject=str(duty.id),
            causes=[duty.cause],
            severity="high",
            accounts=[
                account(duty.cause, {"started_at": beijing_text(duty.started_at)}),
                Account(
                    duty.owed_by,
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
            suggestion=None if answered else Suggestion(duty.clock.duty[0], duty.owed_by),
            opened_at=rung.over_at,
            by_time=True,
        )


def missing_approvals(duties: Iterable[Obligation], now: datetime) -> Iterator[Finding]:
    """R11: a rung's time ran out without a decision, and the next rung's approval was not given within it."""
    for duty in duties:
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


def _until_published(rung: Step) -> Sentence:
    """What to add where a reading is provisional: how long the bus waited before it said so."""
    if not any(reading.provisional for reading in rung.readings):
        return Sentence("", "")
    days = NOTICE_MARGIN.days
    return Sentence(
        f"(暂定:部分年份的节假日安排尚未收录,已另留{days}日余地)",
        f" (provisional: holidays of a year are not published here yet, {days} days of margin have passed)",
    )


def _lifts(approval: ChainEvent, duty: Obligation, higher: Step) -> bool:
    level = approval.data.get("level")
    levels = [step.needs for step in duty.steps]
    return level in levels and levels.index(level) >= levels.index(higher.needs)


def _missing(duty: Obligation, rung: Step, higher: Step) -> Finding:
    who, needed = agency(duty.owed_by), word(STEPS, higher.step)
    limit = next(r.limit for r in duty.version.rungs if r.step == rung.step)
    used = Term.parse(limit).words
    last = last_day_of(rung.due_latest)
    waits = _until_published(rung)
    approvals = [{"level": e.data.get("level"), "at": beijing_text(e.occurred_at)} for e in duty.approvals]
    return finding(
        "R11",
        chain=duty.cause.chain,
        subject=f"{duty.id}\n{higher.step}",
        causes=[duty.cause],
        severity="high",
        accounts=[Account(duty.owed_by, {"needs": higher.needs, "approvals": approvals}, duty.cause.digest)],
        law=duty.version.source,
        because=Sentence(
            f"{who.zh}用时已超过{used.zh}(最迟至{last}),而延长所需的{needed.zh}未在期内作出{waits.zh}",
            f"{who.en} used more than {used.en} (to {last} at the latest) without the "
            f"{needed.en} that an extension needs{waits.en}",
        ),
        suggestion=_approval_wanted(duty),
        opened_at=rung.over_at,
        by_time=True,
    )


def _approval_wanted(duty: Obligation) -> Suggestion | None:
    """Who should say which approval: the debtor himself, or the one agency whose role it is."""
    approval = duty.clock.approval
    if approval is None:
        return None
    by = (duty.owed_by,) if approval.by is None else agencies_with(approval.by)
    return Suggestion(approval.type, by[0]) if len(by) == 1 else None


def _day(event: ChainEvent) -> str:
    return in_beijing(event.occurred_at).date().isoformat()
