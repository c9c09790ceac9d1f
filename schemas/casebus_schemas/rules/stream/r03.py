"""R03: the very same event was published again; it had no second effect."""

from collections.abc import Iterator

from casebus_schemas.law import Sentence
from casebus_schemas.small_types import RuleId

from ..finding import account
from ..rule import NEVER_CLOSES, Arrived, Found, Rule

RULE = Rule(
    RuleId("R03"),
    title=Sentence("事件重复发布", "an event published again"),
    scopes=("stream",),
    cls="arrival",
    severity="info",
    looks_at=("arrivals",),
    acts=Sentence("无须处理", "nobody need act"),
    mends=Sentence("无须更正", "nothing is to be mended"),
    closes=NEVER_CLOSES,
)


@RULE.over_arrival
def repeat(arrived: Arrived) -> Iterator[Found]:
    """The event, if the bus had it before."""
    event = arrived.event
    if arrived.again:
        yield Found(
            subject=str(event.id),
            causes=[event],
            accounts=[account(event, {"type": event.type})],
            because=Sentence(
                "同一事件(标识与摘要均相同)重复发布,不产生第二次效果",
                "the same event, id and digest, was published again: it has no second effect",
            ),
        )
