"""R39: a charge of the indictments has no counterpart in the judgments, or the reverse."""

from collections.abc import Iterator

from casebus_schemas.case.accounts import charges_of
from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.case.persons import Suspects
from casebus_schemas.law import Sentence
from casebus_schemas.small_types import RuleId

from ..finding import account
from ..folded_case import Case
from ..rule import Found, Rule
from ..wording import few, named

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
    for article in dict.fromkeys(article for _, article in charged):
        names = [name for (name, of), _ in charged.items() if of == article and (name, of) not in decided]
        if names:
            causes = [charged[name, article] for name in names] + judgments
            yield _charge(article, names, causes, charged_only=True, last=(indictments[-1], judgments[-1]))
    for article in dict.fromkeys(article for _, article in decided):
        names = [name for (name, of), _ in decided.items() if of == article and (name, of) not in charged]
        if names:
            causes = [decided[name, article] for name in names] + indictments
            yield _charge(article, names, causes, charged_only=False, last=(indictments[-1], judgments[-1]))


def _pairs(events: list[ChainEvent], suspects: Suspects) -> dict[tuple[str, str], ChainEvent]:
    found: dict[tuple[str, str], ChainEvent] = {}
    for event in events:
        for person, article in charges_of(event, suspects):
            found.setdefault((person.name, article), event)
    return found


def _charge(
    article: str,
    names: list[str],
    causes: list[ChainEvent],
    *,
    charged_only: bool,
    last: tuple[ChainEvent, ChainEvent],
) -> Found:
    indictment, judgment = last
    who = named(names)
    because = (
        Sentence(
            f"起诉书指控{who.zh}第{article}条,判决中没有对应的结果",
            f"the indictment charges {who.en} under article {article}, but no judgment decides it",
        )
        if charged_only
        else Sentence(
            f"判决就第{article}条对{who.zh}作出认定,起诉书中没有对应的指控",
            f"a judgment decides article {article} for {who.en}, but no indictment charges it",
        )
    )
    return Found(
        subject=f"{article}\n{'charged' if charged_only else 'decided'}\n" + "\n".join(names),
        causes=causes,
        accounts=[
            account(indictment, {"article": article, **few("charged", names if charged_only else [])}),
            account(judgment, {"article": article, **few("decided", [] if charged_only else names)}),
        ],
        because=because,
    )
