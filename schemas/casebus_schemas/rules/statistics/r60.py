"""R60: figures of different units are compared or stated."""

from casebus_schemas.law import Sentence
from casebus_schemas.small_types import RuleId

from ..rule import Rule

RULE = Rule(
    RuleId("R60"),
    title=Sentence("单位不同", "units differ"),
    scopes=("statistics",),
    cls="state",
    severity="medium",
    looks_at=("publications",),
    acts=Sentence("公布机关", "the agency that published the figure"),
    mends=Sentence("以正确的单位更正公布", "a restatement in the right unit"),
    closes=Sentence("公布被更正或撤回时", "when the publication is corrected or withdrawn"),
)


def not_comparable(left: Sentence, right: Sentence) -> Sentence:
    """Of two units that are to be divided."""
    return Sentence(
        f"单位不同:{left.zh}与{right.zh}不可相比",
        f"different units: {left.en} and {right.en} are never compared",
    )


def other_unit(measure: Sentence, unit: Sentence, unit_id: str, stated: str) -> Sentence:
    """Of a figure that is stated in another unit than its measure is counted in."""
    return Sentence(
        f"{measure.zh}的单位是{unit.zh},所公布的是{stated}",
        f"{measure.en} are counted in {unit_id}, the publication says {stated}",
    )
