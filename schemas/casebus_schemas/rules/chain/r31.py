"""R31: the suspect lists of two agencies that follow each other in the case do not match."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from casebus_schemas.case.chain import ChainEvent
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


@dataclass(frozen=True, slots=True)
class _Listed:
    """Whom an agency lists, by number and as it calls them, and in which events."""

    by: Agency
    names: dict[int, str]
    events: Sequence[ChainEvent]

    def missing(self, other: "_Listed") -> list[str]:
        """Names of those whom the other agency lists and this one does not."""
        return sorted(name for number, name in other.names.items() if number not in self.names)


@RULE.over_case
def differing_suspects(case: Case) -> Iterator[Found]:
    """Each agency that lists suspects is held against the next that does: no two differ unseen."""
    for (left, here), (right, there) in pairwise(_numbers(case)):
        if here != there:
            yield _differing(_listed(case, left), _listed(case, right), case.catalog)


def _numbers(case: Case) -> list[tuple[str, set[int]]]:
    """Whom each agency lists, whoever it is, in the order in which the catalogue leads a case.

    Measures and detentions name whom they touch, not everybody: the catalogue does not count them as lists.
    Indictment and judgment are compared by charge (R39).
    """
    found: dict[str, set[int]] = {}
    # The catalogue's order is that of a case: an agency stands where its first list does.
    for type, known in case.catalog.types.items():
        if known.lists_suspects:
            for by, numbers in sorted(case.folded.suspects.numbers_in(type).items()):
                found.setdefault(by, set()).update(numbers)
    return list(found.items())


def _listed(case: Case, by: str) -> _Listed:
    types = (type for type, known in case.catalog.types.items() if known.lists_suspects)
    rows = (case.folded.standing_of.get(type, ()) for type in types)
    events = [event for row in rows for event in row if event.agency == by and event.data.get("suspects")]
    events.sort(key=lambda event: case.folded.place[event.digest])
    names: dict[int, str] = {}
    for event in events:
        for number, name in case.folded.suspects.names_in(event).items():
            names.setdefault(number, name)
    return _Listed(Agency(by), names, events)


def _differing(left: _Listed, right: _Listed, catalog: Catalog) -> Found:
    here, there = right.missing(left), left.missing(right)
    wrong = right if here else left
    parts = [_lacks(right.by, here), _lacks(left.by, there)]
    said = [part for part in parts if part is not NOTHING]
    return Found(
        subject=f"{left.by}\n{right.by}",
        causes=[left.events[-1], right.events[-1]],
        named_by=(),
        accounts=[_account(left, there), _account(right, here)],
        because=Sentence(
            f"嫌疑主体不一致:{';'.join(part.zh for part in said)}",
            f"the suspects differ: {'; '.join(part.en for part in said)}",
        ),
        suggestion=correction_by(wrong.events[-1], catalog),
        uses=[*left.events, *right.events],
    )


def _account(listed: _Listed, missing: list[str]) -> Account:
    value = {**few("suspects", list(listed.names.values())), **few("missing", missing)}
    return account(listed.events[-1], value, *listed.events, compared=("missing", "missing_in_all"))


def _lacks(who: Agency, names: list[str]) -> Sentence:
    if not names:
        return NOTHING
    whom = named(names)
    return Sentence(f"{agency(who).zh}未列{whom.zh}", f"{agency(who).en} does not list {whom.en}")
