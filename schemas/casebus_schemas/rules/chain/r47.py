"""R47: a commitment is accepted or goes on though the matter was referred to the police, or filed by them."""

from collections.abc import Iterator

from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.case.fold import Folded
from casebus_schemas.case.kin import Kin, tokens_of
from casebus_schemas.catalogue.catalog import Catalog
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
    scopes=("chain", "across"),
    cls="state",
    severity="high",
    forbids=True,
    looks_at=(ACCEPTED, ENDED, REFERRED, FILED, *OVER),
    kin=("party",),
    matters=("filed", "referred"),
    acts=Sentence("受理承诺的行政监管机关", "the regulator that accepted the commitment"),
    mends=Sentence("终止承诺,或不予受理", "to end the commitment, or not to accept it"),
    closes=Sentence(
        "承诺终结、移送撤回或刑事程序终结时", "when the commitment or the criminal case has ended"
    ),
)


@RULE.over_case
def beside_a_crime(case: Case) -> Iterator[Found]:
    """The last commitment, if it goes on: while the matter is filed, or accepted after it was referred."""
    accepted, criminal, place = _running(case.folded), _criminal(case.folded), case.folded.place
    if accepted is None or criminal is None:
        return
    if criminal.type == FILED or place[accepted.digest] > place[criminal.digest]:
        yield _conflict(accepted, criminal, case.catalog)


@RULE.over_kin
def beside_a_crime_elsewhere(kin: Kin) -> Iterator[Found]:
    """A commitment of a party whose matter is referred or filed in another chain: the first one found.

    Two persons are one party if they share the match token that is the key, the smallest of those they share.
    """
    token = bytes.fromhex(kin.key.text)
    criminals = {chain: _criminal(folded, token) for chain, folded in kin.chains.items()}
    for chain, folded in kin.chains.items():
        accepted = _running(folded, token)
        if accepted is None:
            continue
        for other, criminal in criminals.items():
            if criminal is None or other == chain or min(tokens_of(accepted) & tokens_of(criminal)) != token:
                continue
            if criminal.type == FILED or accepted.sort_key > criminal.sort_key:
                yield _conflict(accepted, criminal, Catalog.load())
                break


def _last(folded: Folded, types: tuple[str, ...], token: bytes | None = None) -> ChainEvent | None:
    """The last event of these types that stands; with a token the last that lists who bears it."""
    rows = [row for type in types if (row := folded.standing_of.get(type))]
    if token is None:  # each row stands in the chain's order
        events = [row[-1] for row in rows]
    else:
        events = [event for row in rows for event in row if token in tokens_of(event)]
    return max(events, key=lambda event: folded.place[event.digest], default=None)


def _behind(folded: Folded, event: ChainEvent | None, other: ChainEvent) -> bool:
    return event is not None and folded.place[event.digest] > folded.place[other.digest]


def _running(folded: Folded, token: bytes | None = None) -> ChainEvent | None:
    """The last commitment, if it goes on."""
    accepted = _last(folded, (ACCEPTED,), token)
    if accepted is None or _behind(folded, _last(folded, (ENDED,)), accepted):
        return None
    return accepted


def _criminal(folded: Folded, token: bytes | None = None) -> ChainEvent | None:
    """The filing of a criminal case that goes on, or else its referral."""
    over = _last(folded, OVER)
    for type in (FILED, REFERRED):
        event = _last(folded, (type,), token)
        if event is not None and not _behind(folded, over, event):
            return event
    return None


def _conflict(accepted: ChainEvent, criminal: ChainEvent, catalog: Catalog) -> Found:
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
    ends = catalog.types.get(ENDED)
    ending = ends is not None and accepted.agency in ends.speakers
    return Found(
        subject="filed" if filed else "referred",
        causes=[accepted, criminal],
        accounts=[said(accepted), said(criminal)],
        because=because,
        suggestion=Suggestion(ENDED, said(accepted).agency) if ending else correction_by(accepted, catalog),
        law=[Article("commitment-2021", "16" if filed else "7")],
    )
