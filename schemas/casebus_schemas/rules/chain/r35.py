"""R35: agencies speak of different securities in one matter, or of a code that its market cannot have."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.law import Sentence
from casebus_schemas.small_types import RuleId
from casebus_schemas.texts.symbols import MARKETS, agency, word

from ..finding import account
from ..folded_case import Case
from ..rule import Found, Rule
from ..wording import correction_by, short

RULE = Rule(
    RuleId("R35"),
    title=Sentence("涉案证券不一致", "not the same security"),
    scopes=("chain",),
    cls="state",
    severity="medium",
    looks_at=("*.security",),
    acts=Sentence("疑似错填的机关;看不出的,由最后陈述的机关", "who seems to err; else who spoke last"),
    mends=Sentence("更正证券代码、市场或简称", "a correction of market, code or short name"),
    closes=Sentence(
        "各方所称证券一致且代码合规时", "when all name the same security, and its code can be one"
    ),
)

_CODES = {
    "SSE": re.compile(r"[0-9]{6}\Z"),
    "SZSE": re.compile(r"[0-9]{6}\Z"),
    "BSE": re.compile(r"[489][0-9]{5}\Z"),
    "NEEQ": re.compile(r"[0-9]{6}\Z"),
}
"""What codes of a market look like; of the others nothing is known here. The Beijing exchange has codes that
begin with 4 and 8, and with 92 since it gave new ones."""


@RULE.over_case
def another_security(case: Case) -> Iterator[Found]:
    """Each agency whose last word names another security than the first one, and each impossible code."""
    last = case.folded.last_security.values()
    by_place = sorted(last, key=lambda event: case.folded.place[event.digest])
    for event in by_place:
        security = event.data["security"]
        pattern = _CODES.get(security["market"])
        if security["code"] is not None and pattern is not None and not pattern.match(security["code"]):
            yield _impossible(event, security, case)
    for event in by_place[1:]:
        if _differ(by_place[0].data["security"], event.data["security"]):
            yield _other(by_place[0], event, case)


def _differ(left: Mapping[str, Any], right: Mapping[str, Any]) -> bool:
    """Whether both say something of one kind, and not the same. A market that is `other` says nothing."""
    if left["code"] is not None and right["code"] is not None:
        markets = {left["market"], right["market"]} - {"other"}
        return left["code"] != right["code"] or len(markets) > 1
    names = {left["name"], right["name"]} - {None}
    return len(names) > 1


def _impossible(event: ChainEvent, security: Mapping[str, Any], case: Case) -> Found:
    who, market, code = agency(event.agency), word(MARKETS, security["market"]), short(security["code"])
    return Found(
        subject=f"code\n{event.agency}",
        causes=[event],
        accounts=[account(event, {"security": _called(security)})],
        because=Sentence(
            f"{who.zh}所称{market.zh}证券代码{code}不符合该市场的编码规则",
            f"{who.en} names the code {code}, which no security on the {market.en} has",
        ),
        suggestion=correction_by(event, case.catalog),
    )


def _other(first: ChainEvent, event: ChainEvent, case: Case) -> Found:
    ours, theirs = (_called(one.data["security"]) for one in (first, event))
    here, there = agency(first.agency), agency(event.agency)
    return Found(
        subject=f"other\n{first.agency}\n{event.agency}",
        causes=[first, event],
        accounts=[account(one, {"security": _called(one.data["security"])}) for one in (first, event)],
        because=Sentence(
            f"{here.zh}所称证券为{ours},{there.zh}为{theirs}",
            f"{here.en} names the security {ours}, {there.en} {theirs}",
        ),
        suggestion=correction_by(event, case.catalog),
    )


def _called(security: Mapping[str, Any]) -> str:
    return short(" ".join(str(part) for part in security.values() if part))
