"""R39: a charge of the indictments has no counterpart in the judgments, or the reverse."""

from collections.abc import Iterator

from casebus_schemas.case.accounts import charges_of
from casebus_schemas.case.basis import Basis
from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.case.fold import Folded
from casebus_schemas.case.kept import Kept
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.law import Sentence
from casebus_schemas.small_types import RuleId

from ..finding import account
from ..folded_case import Case
from ..rule import Found, Rule
from ..wording import few, named, short

_CHARGED, _DECIDED = "outcome.prosecuted", "outcome.judgment"
_Pair = tuple[int, str]
"""A suspect's number and an article."""

RULE = Rule(
    RuleId("R39"),
    title=Sentence("指控与判决不对应", "charges and judgments do not match"),
    scopes=("chain",),
    cls="state",
    severity="medium",
    looks_at=(_CHARGED, _DECIDED, "persons"),
    acts=Sentence("检察机关和法院", "the procuratorate and the court"),
    mends=Sentence(
        "补报判决或变更起诉,或说明原因", "the missing judgment or a changed indictment, or an explanation"
    ),
    closes=Sentence(
        "每项指控均有结果且每项结果均有指控时", "when every charge is decided and every decision was charged"
    ),
)


class Charges(Kept):
    """Who is charged and decided on, and of whom only one of both is said."""

    types = frozenset((_CHARGED, _DECIDED))

    def __init__(self, folded: Folded, catalog: Catalog) -> None:
        super().__init__(folded, catalog)
        self._suspects = folded.suspects
        self._pairs: dict[str, set[_Pair]] = {type: set() for type in self.types}
        self.alone: dict[str, dict[str, dict[int, str]]] = {type: {} for type in self.types}
        self.uses = {type: Basis() for type in self.types}

    def add(self, event: ChainEvent) -> None:
        """Takes an indictment or a judgment."""
        of = event.type
        other = _DECIDED if of == _CHARGED else _CHARGED
        self.uses[of].add(event)
        names = self._suspects.names_in(event)
        for person, article in charges_of(event, self._suspects):
            pair = (person.number, article)
            if pair in self._pairs[of]:
                continue
            self._pairs[of].add(pair)
            if pair not in self._pairs[other]:
                # As the paper calls him: no other one may give his name away.
                self.alone[of].setdefault(article, {})[person.number] = names[person.number]
                continue
            there = self.alone[other][article]
            del there[person.number]
            if not there:
                del self.alone[other][article]

    @property
    def comparable(self) -> bool:
        """Whether there are charges on both sides."""
        return all(self._pairs.values())


@RULE.over_case
def charges_without_outcome(case: Case) -> Iterator[Found]:
    """Each article under which somebody is charged and not decided on, or decided on and not charged."""
    standing = case.folded.standing_of
    if _CHARGED not in standing or _DECIDED not in standing:
        return
    kept = case.kept(Charges)
    if not kept.comparable:
        return
    uses = (kept.uses[_CHARGED], kept.uses[_DECIDED])
    for type in (_CHARGED, _DECIDED):
        for article, names in kept.alone[type].items():
            yield _charge(article, list(names.values()), charged_only=type == _CHARGED, uses=uses)


def _charge(
    article: str,
    names: list[str],
    *,
    charged_only: bool,
    uses: tuple[Basis, Basis],
) -> Found:
    (indictments, indictment), (judgments, judgment) = (events.ends for events in uses)
    who, shown = named(names), short(article)
    because = (
        Sentence(
            f"起诉书指控{who.zh}第{shown}条,判决中没有对应的结果",
            f"the indictment charges {who.en} under article {shown}, but no judgment decides it",
        )
        if charged_only
        else Sentence(
            f"判决就第{shown}条对{who.zh}作出认定,起诉书中没有对应的指控",
            f"a judgment decides article {shown} for {who.en}, but no indictment charges it",
        )
    )
    return Found(
        subject=f"{article}\n{'charged' if charged_only else 'decided'}",
        causes=(indictment, judgment),
        # The article alone could be guessed from the id by those who are told of one paper only.
        named_by=[indictments, judgments],
        accounts=[
            account(
                indictment,
                {"article": shown, **few("charged", names if charged_only else [])},
                compared=("article", "charged", "charged_in_all"),
            ),
            account(
                judgment,
                {"article": shown, **few("decided", [] if charged_only else names)},
                compared=("article", "decided", "decided_in_all"),
            ),
        ],
        because=because,
        uses=(*uses[0], *uses[1]),
    )
