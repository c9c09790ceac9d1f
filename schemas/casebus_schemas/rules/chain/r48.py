"""R48: the way to a penalty is closed, and nobody says which penalty there was or why there was none."""

from collections.abc import Collection, Iterable

from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.case.fold import Folded
from casebus_schemas.case.kept import Kept
from casebus_schemas.case.persons import Suspects
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.law import Sentence
from casebus_schemas.law.clocks import Article
from casebus_schemas.small_types import Agency, RuleId
from casebus_schemas.texts.symbols import agency

from ..finding import Suggestion, account
from ..folded_case import Case
from ..rule import Found, Rule
from ..wording import few, named

_CLOSED, _REPLIED = "reverse.closed", "reverse.replied"
_DECISIONS = ("reverse.penalty_decided", "reverse.no_penalty")
_EVERYBODY = -1
"""Stands in the place of a person's number for all, where an event names nobody."""

RULE = Rule(
    RuleId("R48"),
    title=Sentence("反向衔接办结而无处罚也无理由", "closed with neither a penalty nor a reason"),
    scopes=("chain",),
    cls="state",
    severity="medium",
    looks_at=(_CLOSED, *_DECISIONS, _REPLIED, "persons"),
    acts=Sentence("检察机关", "the procuratorate"),
    mends=Sentence(
        "补报处罚或不予处罚决定,或说明理由,或继续督促", "the decision, or the reason, or to urge it further"
    ),
    closes=Sentence(
        "补报决定、理由或办结被撤回时", "when a decision or reason is said or the closing is withdrawn"
    ),
    law=(Article("spp-rules-2019", "373"),),
)


class Closings(Kept):
    """Who has a decision or a reason, and the closings without a reason for somebody who has none."""

    types = frozenset((_CLOSED, *_DECISIONS, _REPLIED))

    def __init__(self, folded: Folded, catalog: Catalog) -> None:
        super().__init__(folded, catalog)
        self._suspects = folded.suspects
        self._settled: set[int] = set()
        self._left: dict[ChainEvent, dict[int, str]] = {}
        self._closings_of: dict[int, list[ChainEvent]] = {}
        self._found: dict[ChainEvent, Found] = {}

    def add(self, event: ChainEvent) -> None:
        """Takes a closing, decision or reply."""
        whom = _whom(event, self._suspects)
        reasons = event.data.get("reasons")
        if event.type == _CLOSED:
            left = {number: name for number, name in whom.items() if number not in self._settled}
            if not reasons and left and _EVERYBODY not in self._settled:
                self._left[event] = left
                for number in left:
                    self._closings_of.setdefault(number, []).append(event)
                self._say(event)
        elif event.type in _DECISIONS or reasons:
            self._settle(whom)

    def found(self) -> Collection[Found]:
        """One for each closing, in the chain's order."""
        return self._found.values()

    def _settle(self, numbers: Iterable[int]) -> None:
        for number in numbers:
            self._settled.add(number)
            if number == _EVERYBODY:
                self._left.clear()
                self._closings_of.clear()
                self._found.clear()
            for event in self._closings_of.pop(number, ()):
                self._left[event].pop(number)
                self._say(event)

    def _say(self, event: ChainEvent) -> None:
        left = self._left[event]
        if left:
            self._found[event] = _closed(event, [name for name in left.values() if name])
        else:
            del self._left[event], self._found[event]


@RULE.over_case
def closed_for_nothing(case: Case) -> Collection[Found]:
    """Each closing without a reason for somebody about whom no decision and no reason is there."""
    return case.kept(Closings).found() if _CLOSED in case.folded.standing_of else ()


def _whom(event: ChainEvent, suspects: Suspects) -> dict[int, str]:
    """Whom an event lists, by number; all if it lists nobody."""
    return suspects.names_in(event) or {_EVERYBODY: ""}


def _closed(event: ChainEvent, names: list[str]) -> Found:
    who, whom = agency(event.agency), named(names)
    about = Sentence(f"(涉及{whom.zh})", f" (about {whom.en})") if names else Sentence("", "")
    return Found(
        subject=str(event.id),
        causes=[event],
        accounts=[account(event, few("suspects", names))],
        because=Sentence(
            f"{who.zh}已办结反向衔接{about.zh},但既无处罚或不予处罚决定,也未说明理由",
            f"{who.en} closed the way to a penalty{about.en}, "
            "but there is no decision on a penalty and no reason",
        ),
        suggestion=Suggestion("reverse.urged", Agency(event.agency)),
    )
