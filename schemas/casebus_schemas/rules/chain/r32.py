"""R32: a suspect is charged under another article than in the stage before: lawful, with a reason."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from casebus_schemas.case.accounts import charges_of
from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.case.fold import Folded
from casebus_schemas.case.kept import Kept
from casebus_schemas.case.persons import Person
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.law import Sentence
from casebus_schemas.small_types import RuleId
from casebus_schemas.texts.symbols import agency

from ..finding import account
from ..folded_case import Case
from ..rule import Found, Rule
from ..wording import few, named, short

_STAGES = (
    ("referral.submitted",),
    ("referral.filed",),
    ("progress.transferred_for_prosecution", "progress.resubmitted"),
    ("outcome.prosecuted",),
)
"""What charges a suspect from stage to stage: all papers of a stage together are compared."""
_STAGE_OF = {type: number for number, types in enumerate(_STAGES) for type in types}

RULE = Rule(
    RuleId("R32"),
    title=Sentence("罪名变更", "another charge than before"),
    scopes=("chain",),
    cls="state",
    severity="info",
    looks_at=(*(type for stage in _STAGES for type in stage), "persons"),
    acts=Sentence("变更罪名的机关", "the agency that changed the charge"),
    mends=Sentence("说明变更理由,或更正罪名", "to say why, or to correct the charge"),
    closes=Sentence("罪名一致时", "when the charges agree"),
)


@dataclass(slots=True)
class _Charged:
    """What the papers of one stage charge one suspect with, and the last of them."""

    last: ChainEvent
    person: Person
    articles: dict[str, None] = field(default_factory=dict)


class Charged(Kept):
    """Whom each stage charges with what, and who is charged otherwise than in the stage before."""

    types = frozenset(_STAGE_OF)

    def __init__(self, folded: Folded, catalog: Catalog) -> None:
        super().__init__(folded, catalog)
        self._suspects = folded.suspects
        self._stages: list[dict[int, _Charged]] = [{} for _ in _STAGES]
        self._drifted: dict[int, dict[int, Found]] = {}

    def add(self, event: ChainEvent) -> None:
        """Takes one more paper: those whom it charges are compared again."""
        number = _STAGE_OF[event.type]
        stage = self._stages[number]
        was_empty = not stage
        moved: dict[int, None] = {}
        for person, article in charges_of(event, self._suspects):
            one = stage.setdefault(person.number, _Charged(event, person))
            one.last = event
            one.articles[article] = None
            moved[person.number] = None
        if not moved:
            return
        known = [place for place, of_stage in enumerate(self._stages) if of_stage]
        if was_empty:  # the stages that follow each other are others now
            self._drifted.clear()
        for before, after in pairwise(known):
            if was_empty:
                self._compare(before, after, self._stages[after])
            elif number in (before, after):
                self._compare(before, after, moved)

    def drifted(self) -> Iterator[Found]:
        """Each suspect whose charge changed, stage by stage."""
        for after in sorted(self._drifted):
            of_stage = self._drifted[after]
            yield from (of_stage[number] for number in sorted(of_stage))

    def _compare(self, before: int, after: int, numbers: Iterable[int]) -> None:
        of_stage = self._drifted.setdefault(after, {})
        for number in numbers:
            earlier, later = self._stages[before].get(number), self._stages[after].get(number)
            if earlier is None or later is None:
                continue
            if earlier.articles.keys() - later.articles.keys() and (
                later.articles.keys() - earlier.articles.keys()
            ):
                of_stage[number] = _changed(earlier, later)
            else:
                of_stage.pop(number, None)


@RULE.over_case
def drifted(case: Case) -> Iterator[Found]:
    """Each suspect of whom a stage drops an article of the stage before and brings another one."""
    return case.kept(Charged).drifted()


def _changed(earlier: _Charged, later: _Charged) -> Found:
    whom = short(later.person.name)
    who, other = agency(later.last.agency), agency(earlier.last.agency)
    old = named([article for article in earlier.articles if article not in later.articles])
    new = named([article for article in later.articles if article not in earlier.articles])
    return Found(
        subject=f"{later.person.key}\n{later.last.type}",
        causes=[earlier.last, later.last],
        named_by=(),
        accounts=[
            account(one.last, few("charged", list(one.articles)), compared=("charged", "charged_in_all"))
            for one in (earlier, later)
        ],
        because=Sentence(
            f"{other.zh}以第{old.zh}条认定{whom},{who.zh}改为第{new.zh}条:法律允许,应说明理由",
            f"{other.en} charged {whom} under article {old.en}, {who.en} under {new.en} instead: "
            "that is lawful and wants a reason",
        ),
    )
