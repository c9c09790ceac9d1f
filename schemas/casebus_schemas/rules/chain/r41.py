"""R41: the procuratorate still acts against a refusal to file when the police have filed already."""

from collections.abc import Iterable

from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.case.fold import Folded
from casebus_schemas.case.kept import Kept
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.law import Sentence
from casebus_schemas.law.calendar import beijing_day
from casebus_schemas.law.clocks import Article
from casebus_schemas.small_types import RuleId
from casebus_schemas.texts.symbols import agency, quoted

from ..finding import said
from ..folded_case import Case
from ..rule import Found, Rule

_FILED = "referral.filed"
_STEPS = ("supervision.reasons_requested", "supervision.notice_to_file", "supervision.overdue_decision")

RULE = Rule(
    RuleId("R41"),
    title=Sentence("已立案仍在监督不立案", "filing supervised though the case was filed"),
    scopes=("chain",),
    cls="state",
    severity="medium",
    looks_at=(_FILED, *_STEPS),
    acts=Sentence("公安机关和检察机关", "the police and the procuratorate"),
    mends=Sentence(
        "核对立案情况,撤回多余的监督文书", "to compare what was filed and to take back what is void"
    ),
    closes=Sentence("立案或监督文书被撤回时", "when the filing or the step of supervision is withdrawn"),
    law=(Article("spp-rules-2019", "559-563"),),
)


class Supervised(Kept):
    """The first filing, and the steps against a refusal that came on a later day."""

    types = frozenset((_FILED, *_STEPS))

    def __init__(self, folded: Folded, catalog: Catalog) -> None:
        super().__init__(folded, catalog)
        self._first: ChainEvent | None = None
        self._steps: list[ChainEvent] = []
        self.found: list[Found] = []

    def add(self, event: ChainEvent) -> None:
        """Takes a filing or a step."""
        if event.type != _FILED:
            if not event.data.get("about_filing"):
                self._steps.append(event)
                self._hold(event)
        elif self._first is None or event.sort_key < self._first.sort_key:
            self._first, self.found = event, []
            for step in self._steps:
                self._hold(step)

    def _hold(self, step: ChainEvent) -> None:
        first = self._first
        if first is not None and beijing_day(step.occurred_at) > beijing_day(first.occurred_at):
            self.found.append(_conflict(first, step))


@RULE.over_case
def supervised_though_filed(case: Case) -> Iterable[Found]:
    """Each step against a refusal to file that was taken on a later day than the filing."""
    return case.kept(Supervised).found


def _conflict(filed: ChainEvent, step: ChainEvent) -> Found:
    police, other, what = agency(filed.agency), agency(step.agency), quoted(step.type)
    return Found(
        subject=str(step.id),
        causes=[filed, step],
        named_by=[step],
        accounts=[said(filed), said(step)],
        because=Sentence(
            f"{police.zh}已于{beijing_day(filed.occurred_at)}立案,{other.zh}其后仍作出{what.zh}",
            f"{police.en} filed on {beijing_day(filed.occurred_at)}, and {other.en} has said {what.en} since",
        ),
    )
