"""R34: what a referral states is below the filing standard of the day of the act: advice, never a refusal."""

from collections.abc import Iterator
from decimal import Decimal

from casebus_schemas.case.accounts import plain
from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.law import Sentence
from casebus_schemas.law.calendar import beijing_day
from casebus_schemas.law.thresholds import Threshold, amounts_stated, threshold_on
from casebus_schemas.small_types import RuleId
from casebus_schemas.texts.symbols import BASES, agency, money, word

from ..finding import account
from ..folded_case import Case
from ..rule import Found, Rule
from ..wording import NOTHING, correction_by, short

RULE = Rule(
    RuleId("R34"),
    title=Sentence("低于立案追诉标准", "below the filing standard"),
    scopes=("chain",),
    cls="state",
    severity="info",
    looks_at=("referral.submitted",),
    each="answer",
    acts=Sentence("移送的行政机关", "the regulator that refers"),
    mends=Sentence(
        "补充其他情节或更正金额", "to state what else makes it serious, or a correction of the figure"
    ),
    closes=Sentence("任一金额达到标准或罪名变更时", "when a figure reaches it, or another article is named"),
)
"""The standard is that of the last day of the act, else of the day of the referral. Each has circumstances
that no figure shows; so only what lies below its lowest figures is found, aggravated cases included."""


@RULE.over_case
def below(case: Case) -> Iterator[Found]:
    """Each article of a referral of which no stated amount reaches the standard."""
    for event in case.standing:
        if event.type != "referral.submitted":
            continue
        stated, day = amounts_stated(event.data, beijing_day(event.occurred_at))
        for article in dict.fromkeys(charge["article"] for charge in event.data.get("charges") or ()):
            threshold = threshold_on(article, day)
            if threshold is None:
                continue
            measured = {basis: stated[basis] for basis in threshold.lowest if basis in stated}
            if measured and all(value < threshold.lowest[basis] for basis, value in measured.items()):
                yield _below(event, threshold, measured, case)


def _below(event: ChainEvent, threshold: Threshold, measured: dict[str, Decimal], case: Case) -> Found:
    basis, value = next(iter(measured.items()))
    who, what = agency(event.agency), word(BASES, basis)
    low, said = money(threshold.lowest[basis], "CNY"), money(value, "CNY")
    doubt = NOTHING if threshold.verified else Sentence("(未核实)", " (unverified)")
    article = short(threshold.article)
    return Found(
        subject=threshold.article,
        causes=[event],
        accounts=[account(event, {"article": article, "basis": basis, "value": plain(value)})],
        because=Sentence(
            f"{who.zh}以第{article}条移送,{what.zh}{said.zh},低于行为时标准{low.zh}{doubt.zh};如有其他情节请说明",
            f"{who.en} refers under article {article} with {what.en} of {said.en}, below the {low.en} of the "
            f"standard of then{doubt.en}; other circumstances may make it serious",
        ),
        suggestion=correction_by(event, case.catalog),
        law=[threshold.source],
    )
