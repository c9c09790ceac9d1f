"""R22: answers or corrections of one matter that exclude each other; nothing wins by itself."""

from collections.abc import Iterator
from itertools import product

from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.case.fold import Folded
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.law import Sentence
from casebus_schemas.small_types import Agency, RuleId
from casebus_schemas.texts.symbols import quoted

from ..finding import Suggestion
from ..folded_case import Case
from ..rule import Found, Rule
from ..wording import accounts_of, correction_by

RULE = Rule(
    RuleId("R22"),
    title=Sentence("相互矛盾的答复或更正", "answers or corrections that contradict each other"),
    scopes=("chain",),
    cls="state",
    severity="high",
    looks_at=(
        "referral.filed",
        "referral.not_filed",
        "outcome.prosecuted",
        "outcome.not_prosecuted",
        "*.suspects",
        "corrections",
    ),
    acts=Sentence("作出二者的机关", "the agency that said both"),
    mends=Sentence("更正或撤回其中之一", "a correction or withdrawal of one of them"),
    closes=Sentence("只剩其一有效时", "when only one of them still stands"),
)


@RULE.over_case
def contradictions(case: Case) -> Iterator[Found]:
    """Filed and not filed; prosecuted and not prosecuted for one suspect; rival corrections of one event."""
    folded = case.folded
    filed, refused = _said(folded, "referral.filed"), _said(folded, "referral.not_filed")
    for yes, no in product(filed, refused):
        if _same_request(yes, no, folded):
            yield _conflict(yes, no, "referral", case.catalog)
    prosecuted, dropped = _said(folded, "outcome.prosecuted"), _said(folded, "outcome.not_prosecuted")
    for yes, no in product(prosecuted, dropped):
        charged = {person.number for person in folded.suspects.listed(yes)}
        for person in folded.suspects.listed(no):
            if person.number in charged:
                yield _conflict(yes, no, person.name, case.catalog)
    for rivals in folded.rivals:
        yield _rivals(rivals)


def _said(folded: Folded, type: str) -> list[ChainEvent]:
    return folded.standing_of.get(type, [])


def _same_request(left: ChainEvent, right: ChainEvent, folded: Folded) -> bool:
    one, other = folded.request_of(left), folded.request_of(right)
    if one is None or other is None:
        return True
    return folded.origin_of(one.digest) == folded.origin_of(other.digest)


def _conflict(yes: ChainEvent, no: ChainEvent, subject: str, catalog: Catalog) -> Found:
    return Found(
        subject=subject,
        causes=[yes, no],
        accounts=accounts_of((yes, no)),
        because=Sentence(
            f"对同一事项既有{quoted(yes.type).zh}又有{quoted(no.type).zh},二者均有效,须由作出机关更正",
            f"one matter is answered with both {quoted(yes.type).en} and {quoted(no.type).en}; "
            "both stand until one is corrected",
        ),
        suggestion=correction_by(no, catalog),
    )


def _rivals(rivals: tuple[ChainEvent, ...]) -> Found:
    return Found(
        subject="corrections",
        causes=rivals,
        accounts=accounts_of(rivals),
        because=Sentence(
            f"对同一事件有{len(rivals)}个并列的更正或撤回,均不生效,原文不变",
            f"{len(rivals)} rival corrections or withdrawals of one event: none takes effect, it stands",
        ),
        suggestion=Suggestion(rivals[-1].type, Agency(rivals[-1].agency)),
    )
