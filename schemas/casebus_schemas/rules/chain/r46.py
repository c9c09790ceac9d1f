"""R46: a penalty above every filing standard, and no referral: a fine must not stand for a criminal case."""

from collections.abc import Iterator

from casebus_schemas.case.accounts import plain
from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.case.fold import Folded
from casebus_schemas.case.kept import Kept
from casebus_schemas.case.kin import APPROVED, PENALISED, REFERRED, Kin, mark_of, tokens_of
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.law import Sentence
from casebus_schemas.law.calendar import beijing_day
from casebus_schemas.law.clocks import Article
from casebus_schemas.law.thresholds import Reached, reached_by
from casebus_schemas.small_types import Agency, RuleId
from casebus_schemas.texts.symbols import BASES, agency, money, word

from ..finding import Suggestion, account
from ..folded_case import Case
from ..rule import Found, Rule

PENALTY, REFERRALS = PENALISED, (REFERRED, APPROVED)

RULE = Rule(
    RuleId("R46"),
    title=Sentence("疑似以罚代刑", "a penalty in place of a referral"),
    scopes=("chain", "across"),
    cls="state",
    severity="medium",
    looks_at=(PENALTY, *REFERRALS),
    kin=("party",),
    matters=("no referral",),
    acts=Sentence("作出处罚的行政监管机关", "the regulator that penalised"),
    mends=Sentence(
        "移送公安机关,或说明不构成犯罪的理由", "to refer the matter, or to explain why it is no crime"
    ),
    closes=Sentence("案件移送或金额更正时", "when the matter is referred, or the figure corrected"),
    law=(Article("decree-310", "11"), Article("penalty-law-2021", "82")),
)
"""It advises: whether it is a crime follows from more than a figure. It looks only at acts of days on which
the standards of every article that measures the amount are known. A penalty whose first known party bears a
match token is held against the referrals of that party in all chains, any other one against its own chain."""


class Penalties(Kept):
    """The first penalty with an amount that reaches the highest standard."""

    types = frozenset((PENALTY,))

    def __init__(self, folded: Folded, catalog: Catalog) -> None:
        super().__init__(folded, catalog)
        self.found: Found | None = None

    def add(self, event: ChainEvent) -> None:
        """Takes one more penalty."""
        if self.found is None and mark_of(event) is None:
            self.found = _reaching(event, self.catalog)


@RULE.over_case
def in_place_of_a_referral(case: Case) -> Iterator[Found]:
    """The first penalty with an amount that reaches the highest standard, while nothing is referred."""
    standing = case.folded.standing_of
    if PENALTY not in standing or any(standing.get(type) for type in REFERRALS):
        return
    if (found := case.kept(Penalties).found) is not None:
        yield found


@RULE.over_kin
def in_place_of_a_referral_anywhere(kin: Kin) -> Iterator[Found]:
    """Of each chain the first such penalty of a party that is referred in none of them."""
    token = bytes.fromhex(kin.key.text)
    if any(token in tokens_of(event) for folded in kin.chains.values() for event in _referrals(folded)):
        return
    for folded in kin.chains.values():
        penalties = [event for event in folded.standing_of.get(PENALTY, ()) if mark_of(event) == token]
        found = (one for event in penalties if (one := _reaching(event, Catalog.load())) is not None)
        if not any(_referrals(folded)) and (first := next(found, None)) is not None:
            yield first


def _referrals(folded: Folded) -> Iterator[ChainEvent]:
    for type in REFERRALS:
        yield from folded.standing_of.get(type, ())


def _reaching(event: ChainEvent, catalog: Catalog) -> Found | None:
    """A penalty with an amount that reaches the highest standard of its day."""
    reached = reached_by(event.data, beijing_day(event.occurred_at))
    return None if reached is None else _found(event, reached, catalog)


def _found(event: ChainEvent, reached: Reached, catalog: Catalog) -> Found:
    who, what = agency(event.agency), word(BASES, reached.basis)
    said, least = money(reached.value, "CNY"), money(reached.highest, "CNY")
    return Found(
        subject="no referral",
        causes=[event],
        accounts=[account(event, {"basis": reached.basis, "value": plain(reached.value)})],
        because=Sentence(
            f"{who.zh}处罚认定{what.zh}{said.zh},达到各罪名立案追诉标准的最高数额{least.zh},未见移送",
            f"{who.en} penalises {what.en} of {said.en}, which reaches the highest filing standard of "
            f"{least.en}; no referral is there",
        ),
        suggestion=Suggestion("referral.submitted", Agency(event.agency)),
        beside=catalog.members.agencies_with("procuratorate"),
    )
