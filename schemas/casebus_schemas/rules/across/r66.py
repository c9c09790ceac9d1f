"""R66: an agency's statement of account and the bus differ: a case that one of them never saw."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from casebus_schemas.agencies import BUS, Members
from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.case.statements import (
    NOTHING,
    STATEMENT,
    Comparison,
    Difference,
    Heard,
    Held,
    last_statements,
)
from casebus_schemas.law import Sentence
from casebus_schemas.law.clocks import Article
from casebus_schemas.small_types import Agency, RuleId
from casebus_schemas.texts.symbols import agency
from casebus_schemas.times import beijing_text

from ..finding import Account, Finding, account
from ..rule import Found, Rule, across_id

MOST_SHOWN = 200
"""How many differences of one agency's statement are shown, the first ones by chain."""

RULE = Rule(
    RuleId("R66"),
    title=Sentence("对账不符", "a statement of account that the bus does not give"),
    scopes=("across",),
    cls="state",
    severity="high",
    looks_at=(STATEMENT, "arrivals"),
    acts=Sentence("作出对账单的机关", "the agency that made the statement"),
    mends=Sentence(
        "补发总线未收到的事件,或读取收件箱后重新对账",
        "what the bus never had said anew, or the inbox read, and then a new statement",
    ),
    closes=Sentence("新的对账单相符时", "with a statement that agrees"),
    law=(Article("house-rule", "-"),),
)
"""The bus compares all statements with what it admitted and delivered, and so each with every other: no
agency sees a line of another's statement, nor a chain that it was not told of."""


def compared(differences: Iterable[Difference]) -> list[Finding]:
    """A finding for each difference, of each agency the first `MOST_SHOWN`."""
    shown: dict[str, int] = {}
    found = []
    for one in differences:
        whose = one.statement.agency
        shown[whose] = shown.get(whose, 0) + 1
        if shown[whose] <= MOST_SHOWN:
            found.append(RULE.finding(_found(one)))
    return found


def compare_all(events: Iterable[ChainEvent]) -> list[Finding]:
    """What the last statements among these events show, of all events that there are."""
    known = sorted({event.digest: event for event in events}.values(), key=lambda event: event.chain)
    comparison = Comparison(last_statements(known))
    for event in known:
        if event.agency != BUS:
            comparison.take(event.chain, Heard(event.digest, event.agency, event.told, event.admitted_at))
    return compared(comparison.finish())


def subject(whose: str, chain: str) -> str:
    """The subject of what is found of one agency's line on a chain."""
    return f"{whose}\n{chain}"


def findings_of(chain: str) -> frozenset[UUID]:
    """The ids of what could be found of any agency's line on a chain."""
    return frozenset(across_id(RULE.id, subject(whose, chain)) for whose in Members.load().all)


def _found(one: Difference) -> Found:
    statement, whose = one.statement, Agency(one.statement.agency)
    event, who = statement.events[-1], agency(one.statement.agency)
    day = beijing_text(statement.as_of)
    unseen = one.known == NOTHING
    return Found(
        subject=subject(whose, one.chain),
        causes=[event],
        # A chain that the bus never saw has no page of its own: it is shown with the statement.
        chain=event.chain if unseen else one.chain,
        across=True,
        accounts=[
            account(event, {"chain": one.chain, **_value(one.stated)}),
            Account(Agency(BUS), {"chain": one.chain, **_value(one.known)}, None, event.audience),
        ],
        because=_why(one, who, day),
        beside=() if unseen else one.others,
        apart=Sentence(
            f"{who.zh}{day}的对账单所列与贵机关在本案链向其发送的事件不符",
            f"what {who.en} states for {day} is not what you sent it in this chain",
        ),
    )


def _why(one: Difference, who: Sentence, day: str) -> Sentence:
    stated, known = one.stated, one.known
    if known == NOTHING:
        return Sentence(
            f"{who.zh}{day}的对账单列有案链{one.chain}(发出{stated.sent}、收到{stated.received}),总线从未收到其在该案链的任何事件",
            f"{who.en} states for {day} that it sent {stated.sent} and received {stated.received} events in "
            f"chain {one.chain}: the bus never saw any of them",
        )
    if stated == NOTHING:
        return Sentence(
            f"{who.zh}{day}的对账单未列本案链,总线已有其发出的{known.sent}个、送达的{known.received}个事件",
            f"the statement of {who.en} for {day} does not hold this chain, of which the bus has "
            f"{known.sent} events that it sent and {known.received} that were delivered to it",
        )
    same = (stated.sent, stated.received) == (known.sent, known.received)
    others = Sentence(",但并非同样的事件", ", and they are not the same events") if same else Sentence("", "")
    return Sentence(
        f"{who.zh}{day}的对账单列发出{stated.sent}、收到{stated.received},总线为发出{known.sent}、送达{known.received}{others.zh}",
        f"{who.en} states for {day} {stated.sent} events sent and {stated.received} received, the bus knows "
        f"of {known.sent} and {known.received}{others.en}",
    )


def _value(held: Held) -> Mapping[str, object]:
    return {"sent": held.sent, "received": held.received}
