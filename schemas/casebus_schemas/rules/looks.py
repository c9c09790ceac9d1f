"""What rules look at, and which rules an event touches: only these need to be run again."""

from collections.abc import Iterable, Mapping
from functools import cache, lru_cache

from casebus_schemas.case.accounts import ABOUT_THE_BUS
from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.case.fold import Folded
from casebus_schemas.case.proof import late_claims
from casebus_schemas.law import Sentence, touched_by
from casebus_schemas.small_types import RuleId

from .register import CHAIN_RULES

WORDS: Mapping[str, Sentence] = {
    "time": Sentence("时间经过", "the passing of time"),
    "duties": Sentence("启动、履行、终止或延长期限的事件", "events that start, meet, end or extend a clock"),
    "persons": Sentence("嫌疑主体的同一性", "who turns out to be the same suspect"),
    "answers": Sentence("答复", "answers"),
    "corrections": Sentence("更正与撤回", "corrections and withdrawals"),
    "ids": Sentence("重复使用的事件标识", "ids of events used again"),
    "strangers": Sentence("非本案链参与方的陈述", "what is said by who does not belong to the chain"),
    "causes": Sentence("事件之间的因果指向", "what events name as their causes"),
    "claims": Sentence("晚于事件或其送达之日的所称时间", "claims of days after the event or its admission"),
    "arrivals": Sentence("事件的到达", "the arrival of an event"),
    "failures": Sentence("规则运行出错", "rules that fail"),
    "publications": Sentence("公布的统计数字及全部事件", "published figures and all events"),
}
"""What a rule can look at beside types of events and fields of their data."""


def rules_touched_by(type: str, fields: Iterable[str] = (), words: Iterable[str] = ()) -> frozenset[RuleId]:
    """The chain rules that look at a type of event, at fields of its data (`amounts`) or at words."""
    looks = {type, *(f"*.{field}" for field in fields), *words}
    if touched_by(type):
        looks.add("duties")
    return frozenset().union(*(_looking_at().get(look, frozenset()) for look in looks))


def rules_touched(event: ChainEvent, folded: Folded) -> frozenset[RuleId]:
    """The chain rules whose verdict an event may have changed by which the fold has just grown.

    Nothing waited for such an event and it corrects nothing: the verdict of every other rule on the chain is
    what it was before. Time is not looked at.
    """
    return _touched_by(event.type, tuple(_stated(event)), tuple(_words(event, folded)))


def outside_touches(event: ChainEvent, folded: Folded) -> frozenset[RuleId]:
    """The chain rules whose verdict a stranger's event may have changed: what it says has no effect."""
    return _touched_by("", (), tuple(_words(event, folded) - {"answers", "claims"}))


@lru_cache(maxsize=4096)
def _touched_by(type: str, fields: tuple[str, ...], words: tuple[str, ...]) -> frozenset[RuleId]:
    return rules_touched_by(type, fields, words)


def _stated(event: ChainEvent) -> list[str]:
    return [name for name, value in event.data.items() if value]


def _words(event: ChainEvent, folded: Folded) -> set[str]:
    words = set()
    if event.family not in ABOUT_THE_BUS and (
        event.message_class != "initial" or event.in_reply_to or event.in_reply_to_hash
    ):
        words.add("answers")
    if event.corrects is not None or event.withdraws is not None:
        words.add("corrections")
    if next(late_claims(event), None) is not None:
        words.add("claims")
    if len(folded.said_as[event.agency, event.id]) > 1:
        words.add("ids")
    if folded.belonging.is_outside(event):
        words.add("strangers")
    return words


@cache
def _looking_at() -> Mapping[str, frozenset[RuleId]]:
    found: dict[str, set[RuleId]] = {}
    for rule in CHAIN_RULES.values():
        for look in rule.looks_at:
            found.setdefault(look, set()).add(rule.id)
    return {look: frozenset(rules) for look, rules in found.items()}
