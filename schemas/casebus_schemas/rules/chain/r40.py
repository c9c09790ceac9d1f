"""R40: somebody corrects or withdraws what another agency said; it has no effect."""

from collections.abc import Iterator

from casebus_schemas.law import Sentence
from casebus_schemas.small_types import RuleId
from casebus_schemas.texts.symbols import agency

from ..finding import said
from ..folded_case import Case
from ..rule import NEVER_CLOSES, Found, Rule

RULE = Rule(
    RuleId("R40"),
    title=Sentence("更正或撤回他人的事件", "a correction of what another agency said"),
    scopes=("chain",),
    cls="state",
    severity="medium",
    looks_at=("corrections",),
    acts=Sentence("无权更正的机关", "the agency that had no right to correct it"),
    mends=Sentence("请原机关自行更正", "to ask the agency that said it to correct it"),
    closes=NEVER_CLOSES,
)


@RULE.over_case
def strangers(case: Case) -> Iterator[Found]:
    """Each correction or withdrawal by an agency that did not say what it touches."""
    for event in case.folded.strangers:
        yield Found(
            subject=str(event.id),
            causes=[event],
            accounts=[said(event)],
            because=Sentence(
                f"{agency(event.agency).zh}更正或撤回了其他机关的事件,不生效",
                f"{agency(event.agency).en} corrects or withdraws what another agency said: it has no effect",
            ),
        )
