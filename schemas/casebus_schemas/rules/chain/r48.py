"""R48: the way to a penalty is closed, and nobody says which penalty there was or why there was none."""

from collections.abc import Iterator

from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.case.persons import Suspects
from casebus_schemas.law import Sentence
from casebus_schemas.law.clocks import Article
from casebus_schemas.small_types import Agency, RuleId
from casebus_schemas.texts.symbols import agency

from ..finding import Suggestion, account
from ..folded_case import Case
from ..rule import Found, Rule
from ..wording import few, named

_DECISIONS = ("reverse.penalty_decided", "reverse.no_penalty")
_EVERYBODY = -1
"""Stands in the place of a person's number for all, where an event names nobody."""

RULE = Rule(
    RuleId("R48"),
    title=Sentence("反向衔接办结而无处罚也无理由", "closed with neither a penalty nor a reason"),
    scopes=("chain",),
    cls="state",
    severity="medium",
    looks_at=("reverse.closed", *_DECISIONS, "reverse.replied", "*.suspects"),
    acts=Sentence("检察机关", "the procuratorate"),
    mends=Sentence(
        "补报处罚或不予处罚决定,或说明理由,或继续督促", "the decision, or the reason, or to urge it further"
    ),
    closes=Sentence(
        "补报决定、理由或办结被撤回时", "when a decision or reason is said or the closing is withdrawn"
    ),
    law=(Article("spp-rules-2019", "373"),),
)


@RULE.over_case
def closed_for_nothing(case: Case) -> Iterator[Found]:
    """Each closing without a reason for somebody about whom no decision and no reason is there."""
    folded = case.folded
    closings = [
        event for event in folded.standing_of.get("reverse.closed", ()) if not event.data.get("reasons")
    ]
    if not closings:
        return
    decided = [event for type in _DECISIONS for event in folded.standing_of.get(type, ())]
    decided += [e for e in folded.standing_of.get("reverse.replied", ()) if e.data.get("reasons")]
    settled = {number for event in decided for number in _whom(event, folded.suspects)}
    for event in closings:
        left = [
            name
            for number, name in _whom(event, folded.suspects).items()
            if number not in settled and _EVERYBODY not in settled
        ]
        if left:
            yield _closed(event, [name for name in left if name])


def _whom(event: ChainEvent, suspects: Suspects) -> dict[int, str]:
    """Whom an event lists, by number; all if it lists nobody."""
    return suspects.names_in(event) or {_EVERYBODY: ""}


def _closed(event: ChainEvent, names: list[str]) -> Found:
    who, whom = agency(event.agency), named(names)
    about = Sentence(f"(涉及{whom.zh})", f" (about {whom.en})") if names else Sentence("", "")
    return Found(
        subject=str(event.id),
        causes=[event],
        accounts=[account(event, few("suspects", names))],
        because=Sentence(
            f"{who.zh}已办结反向衔接{about.zh},但既无处罚或不予处罚决定,也未说明理由",
            f"{who.en} closed the way to a penalty{about.en}, "
            "but there is no decision on a penalty and no reason",
        ),
        suggestion=Suggestion("reverse.urged", Agency(event.agency)),
    )
