"""R64: later events changed a published figure, or a restatement does not name them."""

from collections.abc import Sequence

from casebus_schemas.case.chain import Digest
from casebus_schemas.law import Sentence
from casebus_schemas.small_types import RuleId

from ..rule import Rule
from ..wording import named

RULE = Rule(
    RuleId("R64"),
    title=Sentence("公布后数字已变", "a figure that later events changed"),
    scopes=("statistics",),
    cls="state",
    severity="high",
    looks_at=("publications",),
    acts=Sentence("公布机关", "the agency that published the figure"),
    mends=Sentence("列明原因事件的更正公布", "a restatement that names the events behind it"),
    closes=Sentence("更正公布后", "with the restatement"),
)


def changed(events: Sequence[Digest], before: str, after: str) -> Sentence:
    """Of a figure that was right when it was published."""
    listed = _names(events)
    return Sentence(
        f"公布后有{len(events)}个事件改变了该数字,由{before}变为{after}:{listed.zh}",
        f"{len(events)} events since it was computed change it from {before} to {after}: {listed.en}",
    )


def causes_unnamed(events: Sequence[Digest]) -> Sentence:
    """Of a restatement that is silent on why."""
    listed = _names(events)
    return Sentence(
        f"更正未列明原因事件:{listed.zh}", f"the restatement does not name the events behind it: {listed.en}"
    )


def _names(events: Sequence[Digest]) -> Sentence:
    return named(sorted(digest.hex()[:12] for digest in events))
