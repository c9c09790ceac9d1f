"""R12: a case is returned for supplementary investigation more often than twice, counted across offices."""

from collections import Counter
from collections.abc import Iterable

from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.case.fold import Folded
from casebus_schemas.case.kept import Kept
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.law import Sentence
from casebus_schemas.law.clocks import Article
from casebus_schemas.small_types import RuleId
from casebus_schemas.texts.symbols import agency

from ..finding import account, said
from ..folded_case import Case
from ..rule import Found, Rule

AT_MOST = 2
_RETURNED = "progress.returned_for_supplement"

RULE = Rule(
    RuleId("R12"),
    title=Sentence("退回补充侦查超过二次", "returned for supplementary investigation more than twice"),
    scopes=("chain",),
    cls="state",
    severity="high",
    forbids=True,
    looks_at=(_RETURNED, "persons"),
    acts=Sentence("检察机关", "the procuratorate"),
    mends=Sentence(
        "撤回该次退回,依法作出起诉或者不起诉决定", "to take the return back and to decide on prosecution"
    ),
    closes=Sentence("该次或此前的退回被撤回时", "when this return or an earlier one is withdrawn"),
    law=(Article("cpl-2018", "175"), Article("spp-rules-2019", "346, 350")),
)


class Returns(Kept):
    """How often the case of each was returned, and each return that is one too many.

    Who is listed is counted by himself, a return that lists nobody counts for all; which office returns does
    not matter.
    """

    types = frozenset((_RETURNED,))

    def __init__(self, folded: Folded, catalog: Catalog) -> None:
        super().__init__(folded, catalog)
        self._suspects = folded.suspects
        self._for_all, self._most = 0, 0
        self._each = Counter[int]()
        self._earlier: list[ChainEvent] = []
        self.found: list[Found] = []

    def add(self, event: ChainEvent) -> None:
        """Takes one more return."""
        listed = {person.number for person in self._suspects.listed(event)}
        if listed:
            self._each.update(listed)
            most = max(self._each[number] for number in listed)
            self._most = max(self._most, most)
        else:
            self._for_all += 1
            most = self._most
        times = self._for_all + most
        if max(times, event.data.get("times") or 0) > AT_MOST:
            self.found.append(_returned(event, times, list(self._earlier)))
        if len(self._earlier) < AT_MOST:
            self._earlier.append(event)


@RULE.over_case
def returned_too_often(case: Case) -> Iterable[Found]:
    """Each return that is a third one for somebody, by the count of the bus or as its speaker numbers it."""
    return case.kept(Returns).found


def _returned(event: ChainEvent, times: int, earlier: list[ChainEvent]) -> Found:
    who, stated = agency(event.agency), event.data.get("times")
    value = {"times": times, "stated": stated}
    return Found(
        subject=str(event.id),
        causes=[event],
        accounts=[*(said(one) for one in earlier), account(event, value)],
        because=Sentence(
            f"{who.zh}第{max(times, stated or 0)}次退回补充侦查,补充侦查以二次为限,改变管辖前后合并计算",
            f"{who.en} returns the case for supplementary investigation for time {max(times, stated or 0)}: "
            "the law allows two, counted across offices",
        ),
        uses=earlier,
    )
