"""R46: a penalty above every filing standard, and no referral: a fine must not stand for a criminal case."""

from collections.abc import Iterator
from decimal import Decimal

from casebus_schemas.case.accounts import plain
from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.case.fold import Folded
from casebus_schemas.case.kept import Kept
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.law import Sentence
from casebus_schemas.law.clocks import Article
from casebus_schemas.law.thresholds import highest_on
from casebus_schemas.small_types import Agency, RuleId
from casebus_schemas.texts.symbols import BASES, agency, money, word

from ..finding import Suggestion, account
from ..folded_case import Case
from ..rule import Found, Rule
from .r34 import amounts_of

PENALTY = "administrative.penalty_decided"
REFERRALS = ("referral.submitted", "referral.approved")
_MEASURED = ("illegal_gain", "avoided_loss", "loss", "funds_raised")
"""What is large enough for a crime whatever the conduct was; turnover and margin depend on it."""

RULE = Rule(
    RuleId("R46"),
    title=Sentence("疑似以罚代刑", "a penalty in place of a referral"),
    scopes=("chain",),
    cls="state",
    severity="medium",
    looks_at=(PENALTY, *REFERRALS),
    acts=Sentence("作出处罚的行政监管机关", "the regulator that penalised"),
    mends=Sentence(
        "移送公安机关,或说明不构成犯罪的理由", "to refer the matter, or to explain why it is no crime"
    ),
    closes=Sentence("案件移送或金额更正时", "when the matter is referred, or the figure corrected"),
    law=(Article("decree-310", "11"), Article("penalty-law-2021", "82")),
)
"""It advises: whether it is a crime follows from more than a figure. It looks only at acts of days on which
the standards of every article that measures the amount are known."""


class Penalties(Kept):
    """The first penalty with an amount that reaches the highest standard."""

    types = frozenset((PENALTY,))

    def __init__(self, folded: Folded, catalog: Catalog) -> None:
        super().__init__(folded, catalog)
        self.found: Found | None = None

    def add(self, event: ChainEvent) -> None:
        """Takes one more penalty."""
        if self.found is not None:
            return
        stated, day = amounts_of(event)
        for basis in _MEASURED:
            highest = highest_on(basis, day)
            if highest is not None and stated.get(basis, Decimal(0)) >= highest:
                self.found = _found(event, basis, stated[basis], highest, self.catalog)
                return


@RULE.over_case
def in_place_of_a_referral(case: Case) -> Iterator[Found]:
    """The first penalty with an amount that reaches the highest standard, while nothing is referred."""
    standing = case.folded.standing_of
    if PENALTY not in standing or any(standing.get(type) for type in REFERRALS):
        return
    if (found := case.kept(Penalties).found) is not None:
        yield found


def _found(event: ChainEvent, basis: str, value: Decimal, highest: Decimal, catalog: Catalog) -> Found:
    who, what = agency(event.agency), word(BASES, basis)
    said, least = money(value, "CNY"), money(highest, "CNY")
    return Found(
        subject="no referral",
        causes=[event],
        accounts=[account(event, {"basis": basis, "value": plain(value)})],
        because=Sentence(
            f"{who.zh}处罚认定{what.zh}{said.zh},达到各罪名立案追诉标准的最高数额{least.zh},未见移送",
            f"{who.en} penalises {what.en} of {said.en}, which reaches the highest filing standard of "
            f"{least.en}; no referral is there",
        ),
        suggestion=Suggestion("referral.submitted", Agency(event.agency)),
        beside=catalog.members.agencies_with("procuratorate"),
    )
