"""R21: an answer bound to a version that was corrected before it was given, or to no version at all."""

from collections.abc import Iterator

from casebus_schemas.case.accounts import ABOUT_THE_BUS
from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.law import Sentence
from casebus_schemas.small_types import Agency, RuleId
from casebus_schemas.texts.symbols import agency, quoted

from ..finding import Suggestion, account
from ..folded_case import Case
from ..rule import Found, Rule

RULE = Rule(
    RuleId("R21"),
    title=Sentence("答复的不是现行版本", "an answer to another version"),
    scopes=("chain",),
    cls="state",
    severity="medium",
    looks_at=("answers", "corrections"),
    each="answer",
    acts=Sentence("答复机关", "the agency that answered"),
    mends=Sentence("对现行版本重新答复", "an answer to the current version"),
    closes=Sentence("该答复被更正或撤回时", "when that answer is corrected or withdrawn"),
)


@RULE.over_case
def superseded_answers(case: Case) -> Iterator[Found]:
    """Each answer whose hash is not that of the version in force when it was given."""
    folded = case.folded
    for event in case.standing:
        answered = event.in_reply_to_hash
        if answered is None or event.family in ABOUT_THE_BUS:
            continue
        request = folded.request_of(event)
        if request is None:
            continue
        origin = folded.by_digest[folded.origin_of(request.digest)]
        versions = [origin.digest, *folded.superseded.get(origin.digest, ())]
        if answered not in versions:
            yield _bound_to_nothing(event, request)
            continue
        later = [folded.by_digest[d] for d in versions[versions.index(answered) + 1 :]]
        known = [version for version in later if version.occurred_at <= event.occurred_at]
        if known:
            yield _superseded(event, origin, answered, versions, known[-1])


def _superseded(
    event: ChainEvent, origin: ChainEvent, answered: bytes, versions: list[bytes], current: ChainEvent
) -> Found:
    number = versions.index(answered) + 1
    newest = versions.index(current.digest) + 1
    return Found(
        subject=str(event.id),
        causes=[event, origin, current],
        accounts=[
            account(current, {"version": newest, "type": current.type}),
            account(event, {"answers_version": number, "type": event.type}),
        ],
        because=Sentence(
            f"{agency(event.agency).zh}的{quoted(event.type).zh}答复第{number}版,"
            f"{agency(origin.agency).zh}此前已发第{newest}版,第{newest}版尚待答复",
            f"{quoted(event.type).en} of {agency(event.agency).en} answers version {number}, but "
            f"{agency(origin.agency).en} had already sent "
            f"version {newest}, which is still open",
        ),
        suggestion=Suggestion(event.type, Agency(event.agency)),
    )


def _bound_to_nothing(event: ChainEvent, request: ChainEvent) -> Found:
    return Found(
        subject=str(event.id),
        causes=[event, request],
        accounts=[
            account(request, {"digest": request.digest.hex()}),
            account(event, {"answers": event.in_reply_to_hash.hex() if event.in_reply_to_hash else None}),
        ],
        because=Sentence(
            f"{agency(event.agency).zh}的{quoted(event.type).zh}所附摘要与{quoted(request.type).zh}的任何版本均不相符",
            f"{quoted(event.type).en} of {agency(event.agency).en} is bound to a digest that no version of "
            f"{quoted(request.type).en} has",
        ),
        suggestion=Suggestion(event.type, Agency(event.agency)),
    )
