"""R42: referrals that are mixed up: one agency refers two matters under one number of its own."""

from collections.abc import Iterator

from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.law import Sentence
from casebus_schemas.small_types import Agency, RuleId
from casebus_schemas.texts.symbols import agency

from ..finding import Suggestion, account
from ..folded_case import Case
from ..rule import Found, Rule
from ..wording import few, named

_TYPE, _TAKES_BACK = "referral.submitted", "referral.withdrawn"
_MOST_COMPARED = 20
"""How many later referrals are held against the first: enough to notice it, and no work that grows."""

_Listed = tuple[ChainEvent, dict[int, str]]
"""A referral and whom it lists, by number."""

RULE = Rule(
    RuleId("R42"),
    title=Sentence("移送混同", "referrals mixed up"),
    scopes=("chain",),
    cls="state",
    severity="medium",
    looks_at=(_TYPE, "*.suspects", "corrections"),
    acts=Sentence("移送的机关", "the agency that refers"),
    mends=Sentence(
        "撤回其中一件,以新的案件编号另行移送;确为一案的,以更正补列嫌疑主体",
        "one of them withdrawn and referred anew under a number of its own; if it is one case, a correction "
        "that lists the suspects",
    ),
    closes=Sentence(
        "撤回其中一件或名单有共同嫌疑主体时", "when one is withdrawn or the lists share a suspect"
    ),
)


@RULE.over_case
def two_matters(case: Case) -> Iterator[Found]:
    """Each agency with a standing referral whose suspects its first one does not know; one finding each."""
    by_agency: dict[str, list[ChainEvent]] = {}
    for event in case.folded.standing_of.get(_TYPE, ()):
        if event.data.get("suspects"):
            by_agency.setdefault(event.agency, []).append(event)
    for who, (first, *others) in by_agency.items():
        here = case.folded.suspects.names_in(first)
        for other in others[:_MOST_COMPARED]:
            there = case.folded.suspects.names_in(other)
            if here.keys().isdisjoint(there):
                yield _mixed(Agency(who), (first, here), (other, there))
                break


def _mixed(who: Agency, one: _Listed, other: _Listed) -> Found:
    here, there = (named(list(names.values())) for _, names in (one, other))
    return Found(
        subject=who,
        causes=[one[0], other[0]],
        named_by=(),
        accounts=[account(event, few("suspects", list(names.values()))) for event, names in (one, other)],
        because=Sentence(
            f"{agency(who).zh}以同一案件编号两次移送,嫌疑主体无一相同({here.zh};{there.zh}),疑为两案",
            f"{agency(who).en} refers twice under one number with no suspect in common "
            f"({here.en}; {there.en}): probably two matters",
        ),
        suggestion=Suggestion(_TAKES_BACK, who),
    )
