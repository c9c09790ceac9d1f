"""R23: an answer by somebody who was not asked, or one that was given before its question."""

from collections.abc import Iterator

from casebus_schemas.case.accounts import ABOUT_THE_BUS
from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.law import Sentence
from casebus_schemas.law.calendar import beijing_day
from casebus_schemas.small_types import RuleId
from casebus_schemas.texts.symbols import agency, quoted

from ..finding import said
from ..folded_case import Case
from ..rule import Found, Rule

RULE = Rule(
    RuleId("R23"),
    title=Sentence(
        "非被询问机关答复,或答复早于提问", "an answer by somebody not asked, or before its question"
    ),
    scopes=("chain",),
    cls="state",
    severity="medium",
    looks_at=("answers", "corrections"),
    each="answer",
    acts=Sentence("作出答复的机关", "the agency that answered"),
    mends=Sentence(
        "由被询问机关答复,或以正确的时间重发", "an answer by who was asked, or with the right time"
    ),
    closes=Sentence("该答复被撤回时", "when the answer is withdrawn"),
)


@RULE.over_case
def answers_out_of_place(case: Case) -> Iterator[Found]:
    """Each answer whose time lies before that of its question, or whose speaker the question did not address.

    Of days nothing is known within the day. A question addresses somebody where its type has to, and whoever
    asked may go on with his own question.
    """
    for event in case.standing:
        if event.family in ABOUT_THE_BUS:
            continue
        question = case.folded.request_of(event)
        if question is None or question.family in ABOUT_THE_BUS:
            continue
        if _is_before(event, question):
            yield _found("early", question, event, _too_early(question, event))
        elif _was_not_asked(event, question, case):
            yield _found("not asked", question, event, _not_asked(question, event))


def _is_before(event: ChainEvent, question: ChainEvent) -> bool:
    if event.day_only or question.day_only:
        return beijing_day(event.occurred_at) < beijing_day(question.occurred_at)
    return event.occurred_at < question.occurred_at


def _was_not_asked(event: ChainEvent, question: ChainEvent, case: Case) -> bool:
    type = case.catalog.types.get(question.type)
    if type is None or "to" not in type.names:
        return False
    asked = {address.partition("/")[0] for address in question.envelope.get("to") or ()}
    return bool(asked) and event.agency not in asked | {question.agency}


def _too_early(question: ChainEvent, event: ChainEvent) -> Sentence:
    who, what, asked = agency(event.agency), quoted(event.type), quoted(question.type)
    return Sentence(
        f"{who.zh}的{what.zh}所称时间早于其答复的{asked.zh}",
        f"{what.en} of {who.en} is older than {asked.en}, which it answers",
    )


def _not_asked(question: ChainEvent, event: ChainEvent) -> Sentence:
    who, what, asked = agency(event.agency), quoted(event.type), quoted(question.type)
    return Sentence(
        f"{who.zh}以{what.zh}答复并非向其提出的{asked.zh}",
        f"{who.en} answers with {what.en}, though {asked.en} was not addressed to it",
    )


def _found(kind: str, question: ChainEvent, event: ChainEvent, because: Sentence) -> Found:
    return Found(
        subject=f"{event.id}\n{kind}",
        causes=[question, event],
        accounts=[said(question), said(event)],
        because=because,
    )
