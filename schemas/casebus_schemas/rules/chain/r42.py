"""R42: referrals that are mixed up: one agency refers two matters under one number of its own."""

from collections.abc import Iterator
from dataclasses import dataclass

from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.case.fold import Folded
from casebus_schemas.case.kept import Kept
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.law import Sentence
from casebus_schemas.small_types import Agency, RuleId
from casebus_schemas.texts.symbols import agency

from ..finding import Suggestion, account
from ..folded_case import Case
from ..rule import Found, Rule
from ..wording import few, named

_TYPE, _TAKES_BACK = "referral.submitted", "referral.withdrawn"
_MOST_COMPARED = 20
"""How many later referrals are held against the first: enough to notice it, and no work that grows."""

_Listed = tuple[ChainEvent, dict[int, str]]
"""A referral and whom it lists, by number."""

RULE = Rule(
    RuleId("R42"),
    title=Sentence("移送混同", "referrals mixed up"),
    scopes=("chain",),
    cls="state",
    severity="medium",
    looks_at=(_TYPE, "*.suspects", "corrections"),
    acts=Sentence("移送的机关", "the agency that refers"),
    mends=Sentence(
        "撤回其中一件,以新的案件编号另行移送;确为一案的,以更正补列嫌疑主体",
        "one of them withdrawn and referred anew under a number of its own; if it is one case, a correction "
        "that lists the suspects",
    ),
    closes=Sentence(
        "撤回其中一件或名单有共同嫌疑主体时", "when one is withdrawn or the lists share a suspect"
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
