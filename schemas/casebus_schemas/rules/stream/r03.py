"""R03: the same was said again, whatever producer, number or id says it; it had no second effect."""

from collections.abc import Iterator
from dataclasses import replace

from casebus_schemas.case.chain import UNREAD, ChainEvent
from casebus_schemas.law import Sentence
from casebus_schemas.small_types import RuleId

from ..finding import account
from ..folded_case import Case
from ..rule import NEVER_CLOSES, Arrived, Found, Rule

RULE = Rule(
    RuleId("R03"),
    title=Sentence("事件重复发布", "an event published again"),
    scopes=("stream", "chain"),
    cls="arrival",
    severity="info",
    looks_at=("arrivals",),
    each="repeat",
    acts=Sentence("无须处理", "nobody need act"),
    mends=Sentence("无须更正", "nothing is to be mended"),
    closes=NEVER_CLOSES,
)


@RULE.over_arrival
def repeat(arrived: Arrived) -> Iterator[Found]:
    """The event, if the bus had it before, byte for byte."""
    if arrived.again:
        yield _again(arrived.event)


@RULE.over_case
def said_again(case: Case) -> Iterator[Found]:
    """Each event whose content was said again under another number or id: the first repeat shows it."""
    repeats = case.folded.repeats
    for digest in repeats.said if case.only is None else (case.only.digest,):
        if repeats.is_first(digest):
            yield _again(case.folded.by_digest[repeats.of[digest]])


def _again(event: ChainEvent) -> Found:
    # As the bus meets a repeat, of which only the headers need be read: one finding, however it came again.
    shown = replace(event, envelope={}, data={}, told=frozenset(), settled_at=None, handled=UNREAD)
    return Found(
        subject=str(event.id),
        causes=[shown],
        accounts=[account(shown, {"type": event.type})],
        because=Sentence(
            "同一事件(同一机关在同一案链中内容相同)重复发布,不产生第二次效果",
            "the same event (one agency, one chain, the same content) was published again: "
            "it has no second effect",
        ),
    )
