"""R62: a published change is not what its two figures give."""

from casebus_schemas.law import Sentence
from casebus_schemas.small_types import RuleId

from ..rule import Rule

RULE = Rule(
    RuleId("R62"),
    title=Sentence("增幅有误", "a change that its base does not give"),
    scopes=("statistics",),
    cls="state",
    severity="high",
    looks_at=("publications",),
    acts=Sentence("公布机关", "the agency that published the change"),
    mends=Sentence("更正公布", "a restatement"),
    closes=Sentence("公布被更正或撤回时", "when the publication is corrected or withdrawn"),
)


BASE_IS_ZERO = Sentence("基数为零", "the base is 0")
