"""R09: a rule could not be applied to a chain; all other rules were."""

from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.law import Sentence
from casebus_schemas.small_types import RuleId

from ..rule import Found, Rule

RULE = Rule(
    RuleId("R09"),
    title=Sentence("规则运行出错", "a rule could not be applied"),
    scopes=("chain",),
    cls="state",
    severity="high",
    looks_at=("failures",),
    acts=Sentence("总线运营方", "the operator of the bus"),
    mends=Sentence("更正规则程序的新版本", "a version of casebus in which the rule is mended"),
    closes=Sentence("该规则能够运行时", "once the rule can be applied"),
)


def failed(rule: Rule, first: ChainEvent, error: Exception) -> Found:
    """That a rule raised, by the first event of what it was given, and the kind of error.

    What the error says is left out: it may quote the events.
    """
    kind = type(error).__name__
    return Found(
        subject=f"{rule.id}\n{kind}",
        causes=[first],
        accounts=(),
        because=Sentence(
            f"规则{rule.id}({rule.title.zh})未能适用于本案链({kind}),其他规则不受影响",
            f"rule {rule.id} ({rule.title.en}) could not be applied to this chain ({kind}); the others were",
        ),
    )
