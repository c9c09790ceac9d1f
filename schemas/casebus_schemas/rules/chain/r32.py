"""R32: a suspect is charged under another article than in the stage before: lawful, with a reason."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from casebus_schemas.case.accounts import charges_of
from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.case.persons import Person
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

RULE = Rule(
    RuleId("R32"),
    title=Sentence("罪名变更", "another charge than before"),
    scopes=("chain",),
    cls="state",
    severity="info",
    looks_at=(*(type for stage in _STAGES for type in stage), "*.suspects"),
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


@RULE.over_case
def drifted(case: Case) -> Iterator[Found]:
    """Each suspect of whom a stage drops an article of the stage before and brings another one."""
    stages = [_charged(case, types) for types in _STAGES]
    known = [stage for stage in stages if stage]
    for before, after in pairwise(known):
        for number in sorted(before.keys() & after.keys()):
            earlier, later = before[number], after[number]
            if earlier.articles.keys() - later.articles.keys() and (
                later.articles.keys() - earlier.articles.keys()
            ):
                yield _changed(earlier, later)


def _charged(case: Case, types: tuple[str, ...]) -> Mapping[int, _Charged]:
    found: dict[int, _Charged] = {}
    for type in types:
        for event in case.folded.standing_of.get(type, ()):
            for person, article in charges_of(event, case.folded.suspects):
                one = found.setdefault(person.number, _Charged(event, person))
                one.last = event
                one.articles[article] = None
    return found


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
