"""R42: referrals that are mixed up: two matters under one number, or one matter under two."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import islice

from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.case.fold import Folded
from casebus_schemas.case.kept import Kept
from casebus_schemas.case.kin import MERGED, Kin, facts, tokens_of
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.law import Sentence
from casebus_schemas.law.clocks import Article
from casebus_schemas.small_types import Agency, RuleId
from casebus_schemas.texts.symbols import agency
from casebus_schemas.times import beijing_text

from ..finding import Account, Suggestion, account
from ..folded_case import Case
from ..rule import Found, Rule
from ..wording import few, named

_TYPE, _TAKES_BACK = "referral.submitted", "referral.withdrawn"
_MOST_COMPARED = 20
"""How many later referrals are held against the first: enough to notice it, and no work that grows."""

_SAME_SECURITY, _SAME_CONDUCT, _SAME_SUSPECT = 3, 2, 3
_OVERLAP, _APART = 2, -3
"""Points for the periods of the figures: both referrals state some and they overlap, or none of them does."""
_NEAR, _NEAR_DAYS = 1, timedelta(days=90)
"""A point for referrals that follow each other soon."""
_ENOUGH = 6
"""From so many points on they are proposed as one matter: the security and two things more."""

_Listed = tuple[ChainEvent, dict[int, str]]
"""A referral and whom it lists, by number."""

RULE = Rule(
    RuleId("R42"),
    title=Sentence("移送混同", "referrals mixed up"),
    scopes=("chain", "across"),
    cls="state",
    severity="medium",
    looks_at=(_TYPE, "persons", "corrections"),
    kin=("security",),
    matters=("same matter",),
    acts=Sentence("移送的机关", "the agency that refers"),
    mends=Sentence(
        "一案号两案的,撤回其中一件,以新的案件编号另行移送;确为一案的,以更正补列嫌疑主体。两案链一案的,并案或撤回其中一件",
        "of two matters under one number one withdrawn and referred anew under its own; if it is one case, a "
        "correction that lists the suspects. Of one matter in two chains a merger, or one withdrawn",
    ),
    closes=Sentence(
        "撤回其中一件、名单有共同嫌疑主体或两案并案时",
        "when one is withdrawn, when the lists share a suspect, or with the merger",
    ),
)


@dataclass(slots=True)
class _Referring:
    """An agency's first referral, and what came of holding later ones against it."""

    first: _Listed
    compared: int = 0
    found: Found | None = None


class Referrals(Kept):
    """Whom each agency's first referral lists, and the first later one that lists others only."""

    types = frozenset((_TYPE,))

    def __init__(self, folded: Folded, catalog: Catalog) -> None:
        super().__init__(folded, catalog)
        self._suspects = folded.suspects
        self._of: dict[str, _Referring] = {}

    def add(self, event: ChainEvent) -> None:
        """Takes one more referral."""
        if not event.data.get("suspects"):
            return
        of = self._of.get(event.agency)
        if of is None:
            self._of[event.agency] = _Referring((event, self._suspects.names_in(event)))
        elif of.found is None and of.compared < _MOST_COMPARED:
            of.compared += 1
            there = self._suspects.names_in(event)
            if of.first[1].keys().isdisjoint(there):
                of.found = _mixed(Agency(event.agency), of.first, (event, there))

    def mixed(self) -> Iterator[Found]:
        """One for each agency at most."""
        return (of.found for of in self._of.values() if of.found is not None)


@RULE.over_case
def two_matters(case: Case) -> Iterator[Found]:
    """Each agency with a standing referral whose suspects its first one does not know; one finding each."""
    return case.kept(Referrals).mixed()


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


# --- one matter in two chains -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Referral:
    """A referral as far as it is held against those of other chains."""

    event: ChainEvent
    tokens: set[bytes]
    articles: frozenset[str]
    since: date | None
    until: date | None


@RULE.over_kin
def one_matter(kin: Kin) -> Iterator[Found]:
    """Each referral that seems to be the matter of an earlier one about its security, with the likeliest."""
    referrals = [one for folded in kin.chains.values() if (one := _referral(folded, kin)) is not None]
    referrals.sort(key=lambda one: (one.event.admitted_at, one.event.digest))
    for number, later in enumerate(referrals):
        scored = [(_points(earlier, later), earlier) for earlier in islice(referrals, number)]
        points, earlier = max(scored, key=lambda pair: pair[0], default=(0, later))
        if points >= _ENOUGH:
            yield _same(earlier, later, kin, points)


def _referral(folded: Folded, kin: Kin) -> _Referral | None:
    """The first referral of a chain about the security; none of a chain that goes on in another."""
    if any(folded.standing_of.get(type) for type in MERGED):
        return None
    for event in folded.standing_of.get(_TYPE, ()):
        security = event.data.get("security") or {}
        if kin.key.text != f"{security.get('market')} {security.get('code')}":
            continue
        periods = [one["period"] for one in facts(event, "amounts") if one.get("period")]
        return _Referral(
            event,
            tokens_of(event),
            frozenset(charge["article"].partition("(")[0] for charge in facts(event, "charges")),
            min((period["from"] for period in periods), default=None),
            max((period["to"] for period in periods), default=None),
        )
    return None


def _points(one: _Referral, other: _Referral) -> int:
    points = _SAME_SECURITY
    points += _SAME_CONDUCT * (not one.articles.isdisjoint(other.articles))
    points += _SAME_SUSPECT * (not one.tokens.isdisjoint(other.tokens))
    points += _NEAR * (other.event.admitted_at - one.event.admitted_at <= _NEAR_DAYS)
    if one.since and one.until and other.since and other.until:
        points += _OVERLAP if one.since <= other.until and other.since <= one.until else _APART
    return points


def _same(earlier: _Referral, later: _Referral, kin: Kin, points: int) -> Found:
    market, code = kin.key.text.split(" ", 1)
    shared = len(earlier.tokens & later.tokens)
    first, second = agency(earlier.event.agency), agency(later.event.agency)
    return Found(
        subject="same matter",
        causes=[later.event, earlier.event],
        chain=later.event.chain,
        accounts=[_alike(one.event, shared, points) for one in (earlier, later)],
        because=Sentence(
            f"{first.zh}与{second.zh}在两个案链中先后移送涉及{market} {code}的案件,行为、期间或主体相合"
            f"(比对令牌相同{shared}个),疑为一案:一般由最初受理的公安机关管辖,必要时由主要犯罪地管辖,有争议的报共同上级指定",
            f"{first.en} and {second.en} refer in two chains what concerns {market} {code}, alike in "
            f"conduct, time or suspects ({shared} match tokens in common): probably one matter, for the "
            "organ that accepted it first, or that of the main place; in a dispute for their superior",
        ),
        law=[Article("mps-procedure-2020", "21-22")],
        beside=sorted(earlier.event.audience & later.event.audience),
    )


def _alike(event: ChainEvent, shared: int, points: int) -> Account:
    value = {
        "chain": event.chain,
        "time": beijing_text(event.occurred_at),
        "shared": shared,
        "points": points,
    }
    return account(event, value, compared=("shared", "points"))
