"""R39: a charge of the indictments has no counterpart in the judgments, or the reverse."""

from collections.abc import Iterator, Mapping

from casebus_schemas.case.accounts import charges_of
from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.case.persons import Suspects
from casebus_schemas.law import Sentence
from casebus_schemas.small_types import RuleId

from ..finding import account
from ..folded_case import Case
from ..rule import Found, Rule
from ..wording import few, named, short

_Pair = tuple[int, str]
"""A suspect's number and an article."""

RULE = Rule(
    RuleId("R39"),
    title=Sentence("指控与判决不对应", "charges and judgments do not match"),
    scopes=("chain",),
    cls="state",
    severity="medium",
    looks_at=("outcome.prosecuted", "outcome.judgment", "*.suspects"),
    acts=Sentence("检察机关和法院", "the procuratorate and the court"),
    mends=Sentence(
        "补报判决或变更起诉,或说明原因", "the missing judgment or a changed indictment, or an explanation"
    ),
    closes=Sentence(
        "每项指控均有结果且每项结果均有指控时", "when every charge is decided and every decision was charged"
    ),
)


@RULE.over_case
def charges_without_outcome(case: Case) -> Iterator[Found]:
    """Each article under which somebody is charged and not decided on, or decided on and not charged."""
    indictments = case.folded.standing_of.get("outcome.prosecuted", [])
    judgments = case.folded.standing_of.get("outcome.judgment", [])
    if not indictments or not judgments:
        return
    charged = _pairs(indictments, case.folded.suspects)
    decided = _pairs(judgments, case.folded.suspects)
    if not charged or not decided:
        return
    uses = (indictments, judgments)
    for article, names in _only_in(charged, decided).items():
        yield _charge(article, names, charged_only=True, uses=uses)
    for article, names in _only_in(decided, charged).items():
        yield _charge(article, names, charged_only=False, uses=uses)


def _only_in(here: Mapping[_Pair, str], there: Mapping[_Pair, str]) -> dict[str, list[str]]:
    """By article whom these name under it and those do not."""
    found: dict[str, list[str]] = {}
    for pair, name in here.items():
        if pair not in there:
            found.setdefault(pair[1], []).append(name)
    return found


def _pairs(events: list[ChainEvent], suspects: Suspects) -> dict[_Pair, str]:
    """Who is meant, by number and article, as the paper calls him."""
    found: dict[_Pair, str] = {}
    for event in events:
        names = suspects.names_in(event)
        for person, article in charges_of(event, suspects):
            found.setdefault((person.number, article), names[person.number])
    return found


def _charge(
    article: str,
    names: list[str],
    *,
    charged_only: bool,
    uses: tuple[list[ChainEvent], list[ChainEvent]],
) -> Found:
    indictment, judgment = (events[-1] for events in uses)
    who, shown = named(names), short(article)
    because = (
        Sentence(
            f"起诉书指控{who.zh}第{shown}条,判决中没有对应的结果",
            f"the indictment charges {who.en} under article {shown}, but no judgment decides it",
        )
        if charged_only
        else Sentence(
            f"判决就第{shown}条对{who.zh}作出认定,起诉书中没有对应的指控",
            f"a judgment decides article {shown} for {who.en}, but no indictment charges it",
        )
    )
    return Found(
        subject=f"{article}\n{'charged' if charged_only else 'decided'}",
        causes=(indictment, judgment),
        # The article alone could be guessed from the id by those who are told of one paper only.
        named_by=[events[0] for events in uses],
        accounts=[
            account(
                indictment,
                {"article": shown, **few("charged", names if charged_only else [])},
                compared=("article", "charged", "charged_in_all"),
            ),
            account(
                judgment,
                {"article": shown, **few("decided", [] if charged_only else names)},
                compared=("article", "decided", "decided_in_all"),
            ),
        ],
        because=because,
        uses=(*uses[0], *uses[1]),
    )
