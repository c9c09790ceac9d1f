"""R07: times that cannot be true, rights used by an early date only, and causes that form a circle."""

from collections.abc import Iterator
from datetime import datetime

from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.case.obligations import Obligation, Start
from casebus_schemas.case.proof import RECEIVED, before_it_was_sent, late_claims
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.law import Sentence
from casebus_schemas.law.calendar import beijing_day
from casebus_schemas.law.terms import countable
from casebus_schemas.small_types import RuleId
from casebus_schemas.texts.symbols import ACCOUNT_FIELDS, agency, quoted, word
from casebus_schemas.times import beijing_text

from ..finding import account
from ..folded_case import Case
from ..rule import Found, Rule
from ..wording import accounts_of, claimed_and_admitted, correction_by, creditors_of

RULE = Rule(
    RuleId("R07"),
    title=Sentence("时间或因果不合情理", "times or causes that cannot be true"),
    scopes=("chain",),
    cls="state",
    severity="medium",
    looks_at=("causes", "claims", "duties", "time"),
    each="duty",
    acts=Sentence("所述时间或因果有误的机关", "the agency that stated the time or the causes"),
    mends=Sentence("更正所述的时间", "a correction of the stated time"),
    closes=Sentence(
        "时间更正后;因果循环不自行关闭", "with the corrected time; a circle of causes never closes"
    ),
)


@RULE.over_case
def nonsense(case: Case) -> Iterator[Found]:
    """Circles of causes, and clocks that started outside the years in which a term can start."""
    # No event that only adds to a chain makes a circle.
    for cycle in case.folded.cycles if case.only is None else ():
        yield Found(
            subject="cycle",
            causes=(cycle[0], cycle[-1]),
            named_by=cycle[:1],
            accounts=accounts_of(cycle),
            because=Sentence(
                f"{len(cycle)}个事件互为因果,只能按时间排序",
                f"{len(cycle)} events claim to be each other's cause; they are ordered by their times only",
            ),
        )
    for start in case.started:
        if not start.countable:
            yield _uncountable(start)
    receipts = {start.cause.digest: start.cause for start in case.started if start.begin.field == RECEIVED}
    for receipt in receipts.values():
        sent = case.folded.request_of(receipt)
        early = before_it_was_sent(receipt, sent)
        if sent is not None and early is not None and countable(early):
            yield _early(receipt, sent, early, case.catalog)
    said = {(start.cause.digest, start.at) for start in case.started if not start.countable}
    for event in case.standing:
        late = [(name, at) for name, at in late_claims(event) if (event.digest, at) not in said]
        if late:
            yield _late(event, late, case.catalog)


@RULE.over_time
def dated_back(case: Case, now: datetime) -> Iterator[Found]:
    """Each right that was used in time by claim only, or only by proof. Of duties speaks R10."""
    for duty in case.duties:
        if duty.is_right and duty.met_by is not None:
            states = (duty.claimed_state(now), duty.proven_state(now))
            if (states[0] == "lapsed") != (states[1] == "lapsed"):
                yield _by_claim(duty, duty.met_by)


def _by_claim(duty: Obligation, used: ChainEvent) -> Found:
    who, times_of = agency(duty.owed_by), claimed_and_admitted(duty)
    return Found(
        subject=str(duty.id),
        causes=[duty.cause],
        accounts=[
            account(
                used,
                {
                    "answered_at": beijing_text(used.occurred_at),
                    "admitted_at": beijing_text(used.admitted_at),
                },
            )
        ],
        law=duty.version.source,
        because=Sentence(
            f"{who.zh}的{duty.clock.title.zh}({duty.clock.id})是否在期内有争议:{times_of.zh}",
            f"whether {who.en} was in time to {duty.clock.title.en} ({duty.clock.id}) is contested: "
            f"{times_of.en}",
        ),
        opened_at=used.admitted_at,
        uses=[used],
        beside=creditors_of(duty),
        contested=True,
    )


def _late(event: ChainEvent, late: list[tuple[str, datetime]], catalog: Catalog) -> Found:
    who, what = agency(event.agency), quoted(event.type)
    (name, at), admitted = late[0], event.last_said_at
    called, day = word(ACCOUNT_FIELDS, name), beijing_day(at)
    own, had = beijing_day(event.occurred_at), beijing_day(admitted)
    value = {name: beijing_text(at) for name, at in late}
    return Found(
        subject=f"claims\n{event.id}",
        causes=[event],
        accounts=[account(event, {**value, "admitted_at": beijing_text(admitted)})],
        because=Sentence(
            f"{who.zh}的{what.zh}所称{called.zh}{day}晚于该事件之日({own})或总线收到之日({had}),不可能为真",
            f"{what.en} of {who.en} claims {day} ({called.en}), a later day than its own ({own}) or that on "
            f"which the bus had it ({had}): that cannot be true",
        ),
        suggestion=correction_by(event, catalog),
        kind="arrival",  # the day on which the bus had it decides, too
    )


def _early(receipt: ChainEvent, sent: ChainEvent, early: datetime, catalog: Catalog) -> Found:
    who, what, other = agency(receipt.agency), quoted(sent.type), agency(sent.agency)
    had, day = beijing_day(early), beijing_day(sent.occurred_at)
    return Found(
        subject=f"early\n{receipt.id}",
        causes=[sent, receipt],
        named_by=[receipt],
        accounts=[
            account(sent, {"time": beijing_text(sent.occurred_at)}),
            account(receipt, {RECEIVED: beijing_text(early)}),
        ],
        because=Sentence(
            f"{who.zh}称{had}已收到{what.zh},而{other.zh}于{day}才发出,不可能为真,期限自发出之日起算",
            f"{who.en} claims to have had {what.en} on {had}, but {other.en} sent it on {day}: that cannot "
            "be true, and the term counts from the sending",
        ),
        suggestion=correction_by(receipt, catalog),
    )


def _uncountable(start: Start) -> Found:
    who = agency(start.cause.agency)
    return Found(
        subject=f"{start.clock.id}\n{start.cause.id}",
        causes=[start.cause],
        accounts=[account(start.cause, {"started_at": beijing_text(start.at)})],
        law=start.version.source,
        because=Sentence(
            f"{who.zh}所述的起算时间{start.at:%Y-%m-%d}不合情理,无法计算期限{start.clock.title.zh}({start.clock.id})",
            f"{who.en} states {start.at:%Y-%m-%d}, from which the term to {start.clock.title.en} "
            f"({start.clock.id}) cannot be counted",
        ),
    )
