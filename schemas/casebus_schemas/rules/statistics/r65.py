"""R65: a figure stands under a scope label that is unknown or is not the other's."""

from casebus_schemas.law import Sentence
from casebus_schemas.small_types import RuleId

from ..rule import Rule

RULE = Rule(
    RuleId("R65"),
    title=Sentence("口径标注不同或未登记", "a scope label that is unknown or another"),
    scopes=("statistics",),
    cls="state",
    severity="medium",
    looks_at=("publications",),
    acts=Sentence("公布机关", "the agency that published the figure"),
    mends=Sentence("以登记的口径更正公布", "a restatement under a known label"),
    closes=Sentence("公布被更正或撤回时", "when the publication is corrected or withdrawn"),
)


def unknown_label(label: str) -> Sentence:
    """Of a label that nobody registered."""
    return Sentence(
        f"口径“{label}”未登记,无法比对",
        f"the scope label “{label}” is not a known one: nothing can be compared with it",
    )


def other_scope(one: Sentence, other: Sentence) -> Sentence:
    """Of two figures that are to be divided, the one no part of the other."""
    return Sentence(f"口径不同:{one.zh}与{other.zh}", f"different scopes: {one.en} and {other.en}")
