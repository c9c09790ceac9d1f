"""R61: a published count is not what the events give, or parts do not add up."""

from casebus_schemas.law import Sentence
from casebus_schemas.small_types import RuleId

from ..rule import Rule

RULE = Rule(
    RuleId("R61"),
    title=Sentence("数字与事件不符或不可加", "a count that the events do not give"),
    scopes=("statistics",),
    cls="state",
    severity="high",
    looks_at=("publications",),
    acts=Sentence("公布机关", "the agency that published the figure"),
    mends=Sentence("更正公布", "a restatement"),
    closes=Sentence("公布被更正或撤回时", "when the publication is corrected or withdrawn"),
)

NOT_TOLD = Sentence(
    "所公布的数字与总线上的事件不符,其中有未告知贵机关的事件",
    "a published figure is not what the events give, among them events that you were not told of",
)
"""What the publisher hears who was not told of every event: neither the figure nor whose events they are."""


def not_counted(stated: str, then: str, now: str) -> Sentence:
    """Of a figure that is neither what the events known at its time give nor what all give."""
    return Sentence(
        f"公布为{stated},按当时已知事件重算为{then},按现有事件为{now}",
        f"stated as {stated}, but the events known then give {then}, those known now {now}",
    )


def not_added(first: str, second: str, added: str, both: str, stated: str) -> Sentence:
    """Of two periods whose figures do not add up to that of both together."""
    return Sentence(
        f"{first}与{second}合计{added},而{both}公布为{stated}",
        f"{first} and {second} add up to {added}, but {both} is stated as {stated}",
    )
