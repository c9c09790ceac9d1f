"""R31: the suspect lists of two agencies that follow each other in the case do not match."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise

from casebus_schemas.case.basis import Basis
from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.case.fold import Folded
from casebus_schemas.case.kept import ALL_TYPES, Kept
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.law import Sentence
from casebus_schemas.small_types import Agency, RuleId
from casebus_schemas.texts.symbols import agency

from ..finding import Account, account
from ..folded_case import Case
from ..rule import Found, Rule
from ..wording import NOTHING, correction_by, few, named

RULE = Rule(
    RuleId("R31"),
    title=Sentence("嫌疑主体不一致", "suspects differ"),
    scopes=("chain",),
    cls="state",
    severity="medium",
    looks_at=("*.suspects",),
    acts=Sentence("缺列嫌疑主体的机关", "the agency whose list lacks somebody"),
    mends=Sentence("更正名单,或说明差异", "a correction of the list, or an explanation of the difference"),
    closes=Sentence("名单一致时", "when the lists are equal"),
)


@dataclass(slots=True)
class _Listed:
    """Whom an agency lists, by number and as it first calls them; what its lists are based on."""

    by: Agency
    types: set[str] = field(default_factory=set)
    names: dict[int, str] = field(default_factory=dict)
    events: Basis = field(default_factory=Basis)

    @property
    def last(self) -> ChainEvent:
        """Its last list."""
        return self.events.ends[1]

    def missing(self, other: "_Listed") -> list[str]:
        """Names of those whom the other agency lists and this one does not."""
        return sorted(other.names[number] for number in other.names.keys() - self.names.keys())


class Lists(Kept):
    """Whom each agency lists, whoever it is, in the order in which the catalogue leads a case.

    Measures and detentions name whom they touch, not everybody: the catalogue does not count them as lists.
    Indictment and judgment are compared by charge (R39).
    """

    types = ALL_TYPES

    def __init__(self, folded: Folded, catalog: Catalog) -> None:
        super().__init__(folded, catalog)
        self._suspects = folded.suspects
        self._order = _order(catalog)
        self._of: dict[str, _Listed] = {}

    def add(self, event: ChainEvent) -> None:
        """Takes one more list."""
        if event.type not in self._order or not event.data.get("suspects"):
            return
        listed = self._of.setdefault(event.agency, _Listed(Agency(event.agency)))
        listed.types.add(event.type)
        listed.events.add(event)
        for number, name in self._suspects.names_in(event).items():
            listed.names.setdefault(number, name)

    def in_order(self) -> list[_Listed]:
        """An agency stands where its first list does; of several with that type by name."""

        def place(listed: _Listed) -> tuple[int, str]:
            return min(self._order[type] for type in listed.types), listed.by

        return sorted(self._of.values(), key=place)


@lru_cache(maxsize=4)
def _order(catalog: Catalog) -> Mapping[str, int]:
    """The types that list suspects, in the order in which a case is led."""
    known = (type for type, event in catalog.types.items() if event.lists_suspects)
    return {type: place for place, type in enumerate(known)}


@RULE.over_case
def differing_suspects(case: Case) -> Iterator[Found]:
    """Each agency that lists suspects is held against the next that does: no two differ unseen."""
    for left, right in pairwise(case.kept(Lists).in_order()):
        if left.names.keys() != right.names.keys():
            yield _differing(left, right, case.catalog)


def _differing(left: _Listed, right: _Listed, catalog: Catalog) -> Found:
    here, there = right.missing(left), left.missing(right)
    wrong = right if here else left
    parts = [_lacks(right.by, here), _lacks(left.by, there)]
    said = [part for part in parts if part is not NOTHING]
    return Found(
        subject=f"{left.by}\n{right.by}",
        causes=[left.last, right.last],
        named_by=(),
        accounts=[_account(left, there), _account(right, here)],
        because=Sentence(
            f"嫌疑主体不一致:{';'.join(part.zh for part in said)}",
            f"the suspects differ: {'; '.join(part.en for part in said)}",
        ),
        suggestion=correction_by(wrong.last, catalog),
        uses=[*left.events, *right.events],
    )


def _account(listed: _Listed, missing: list[str]) -> Account:
    value = {**few("suspects", list(listed.names.values())), **few("missing", missing)}
    return account(listed.last, value, *listed.events, compared=("missing", "missing_in_all"))


def _lacks(who: Agency, names: list[str]) -> Sentence:
    if not names:
        return NOTHING
    whom = named(names)
    return Sentence(f"{agency(who).zh}未列{whom.zh}", f"{agency(who).en} does not list {whom.en}")
