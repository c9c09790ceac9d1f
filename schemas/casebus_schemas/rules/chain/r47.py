"""R47: a commitment is accepted or goes on though the matter was referred to the police, or filed by them."""

from collections.abc import Iterator

from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.law import Sentence
from casebus_schemas.law.clocks import Article
from casebus_schemas.small_types import RuleId
from casebus_schemas.texts.symbols import agency

from ..finding import Suggestion, said
from ..folded_case import Case
from ..rule import Found, Rule
from ..wording import correction_by

ACCEPTED, ENDED = "administrative.commitment_accepted", "administrative.commitment_ended"
REFERRED, FILED = "referral.submitted", "referral.filed"
OVER = ("referral.not_filed", "referral.returned_not_competent", "progress.cancelled")

RULE = Rule(
    RuleId("R47"),
    title=Sentence("当事人承诺与刑事程序冲突", "a commitment beside a criminal case"),
    scopes=("chain",),
    cls="state",
    severity="high",
    looks_at=(ACCEPTED, ENDED, REFERRED, FILED, *OVER),
    acts=Sentence("受理承诺的行政监管机关", "the regulator that accepted the commitment"),
    mends=Sentence("终止承诺,或不予受理", "to end the commitment, or not to accept it"),
    closes=Sentence(
        "承诺终结、移送撤回或刑事程序终结时", "when the commitment or the criminal case has ended"
    ),
)


@RULE.over_case
def beside_a_crime(case: Case) -> Iterator[Found]:
    """The last commitment, if it goes on: while the matter is filed, or accepted after it was referred."""
    standing, place = case.folded.standing_of, case.folded.place

    def last(*types: str) -> ChainEvent | None:
        rows = (standing.get(type) for type in types)  # each in the chain's order
        events = [row[-1] for row in rows if row]
        return max(events, key=lambda event: place[event.digest], default=None)

    def behind(event: ChainEvent | None, other: ChainEvent) -> bool:
        return event is not None and place[event.digest] > place[other.digest]

    accepted, filed, referred = last(ACCEPTED), last(FILED), last(REFERRED)
    if accepted is None or behind(last(ENDED), accepted):
        return
    if filed is not None and not behind(last(*OVER), filed):
        yield _conflict(accepted, filed, case)
    elif referred is not None and behind(accepted, referred) and not behind(last(*OVER), referred):
        yield _conflict(accepted, referred, case)


def _conflict(accepted: ChainEvent, criminal: ChainEvent, case: Case) -> Found:
    who, by = agency(accepted.agency), agency(criminal.agency)
    filed = criminal.type == FILED
    because = (
        Sentence(
            f"{by.zh}已刑事立案,{who.zh}的当事人承诺程序仍未终止",
            f"{by.en} filed a criminal case, and the commitment that {who.en} accepted has not ended",
        )
        if filed
        else Sentence(
            f"案件已移送公安机关,{who.zh}仍受理当事人承诺",
            f"the matter was referred to the police before {who.en} accepted a commitment in it",
        )
    )
    ends = case.catalog.types.get(ENDED)
    ending = ends is not None and accepted.agency in ends.speakers
    return Found(
        subject="filed" if filed else "referred",
        causes=[accepted, criminal],
        accounts=[said(accepted), said(criminal)],
        because=because,
        suggestion=Suggestion(ENDED, said(accepted).agency)
        if ending
        else correction_by(accepted, case.catalog),
        law=[Article("commitment-2021", "16" if filed else "7")],
    )
