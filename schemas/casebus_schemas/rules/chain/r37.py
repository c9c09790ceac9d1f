"""R37: the assets of a case do not balance: what was taken is not what is held and what has left."""

from collections.abc import Iterator
from decimal import Decimal

from casebus_schemas.case.assets import Fault, Measure
from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.case.fold import Folded
from casebus_schemas.case.kept import Kept
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.law import Sentence
from casebus_schemas.law.clocks import Article
from casebus_schemas.small_types import RuleId
from casebus_schemas.texts.symbols import ACCOUNT_FIELDS, WORTHS, agency, money, quoted, word

from ..finding import Account, account, said
from ..folded_case import Case
from ..rule import Found, Rule
from ..wording import accounts_of, correction_by, short

_Named = tuple[str, tuple[ChainEvent, ...]]
"""What names a finding: its subject, and events."""

RULE = Rule(
    RuleId("R37"),
    title=Sentence("涉案财物不平衡", "assets do not balance"),
    scopes=("chain",),
    cls="state",
    severity="high",
    looks_at=(
        "asset.seized",
        "asset.frozen",
        "asset.renewed",
        "asset.released",
        "asset.transferred",
        "asset.appraised",
        "asset.sold",
        "asset.returned_to_victims",
        "asset.disgorged",
        "asset.confiscated",
        "asset.balance_statement",
    ),
    acts=Sentence("最后处理或对账的机关", "the agency that moved the item or stated the balance last"),
    mends=Sentence(
        "更正清单、补报查扣冻或处理,或重新对账",
        "a corrected list, the seizure or move that is missing, or a new statement",
    ),
    closes=Sentence("账目相符时", "when the books balance"),
    law=(Article("cpl-2018", "245"),),
)


class Faults(Kept):
    """What was found of each fault, made again where something new was said of it."""

    def __init__(self, folded: Folded, catalog: Catalog) -> None:
        super().__init__(folded, catalog)
        self._known: dict[int, tuple[Fault, _Named, Found]] = {}

    def found(self) -> Iterator[Found]:
        """One of each: one event may say the same thing twice."""
        shown: set[_Named] = set()
        known, self._known = self._known, {}
        for fault in self.folded.assets.faults():
            one = known.get(id(fault)) or (fault, *_unbalanced(fault, self.catalog))
            self._known[id(fault)] = one
            if one[1] not in shown:
                shown.add(one[1])
                yield one[2]


@RULE.over_case
def unbalanced(case: Case) -> Iterator[Found]:
    """Each item, line and sum of which the figures do not fit together."""
    return case.kept(Faults).found()


def _unbalanced(fault: Fault, catalog: Catalog) -> tuple[_Named, Found]:
    first, last = fault.events[0], fault.events[-1]
    subject = "\n".join((fault.wrong, fault.item or "", *(fault.measure or ()), *_stated_by(fault)))
    named_by = (first,) if fault.measure is not None else (first, last)
    found = Found(
        subject=subject,
        causes=[first, last],
        named_by=named_by,
        accounts=_accounts(fault),
        because=_because(fault),
        suggestion=correction_by(last, catalog),
        uses=(*fault.rests_on, *fault.events),
    )
    return (subject, named_by), found


def _stated_by(fault: Fault) -> list[str]:
    """Whose statement it is about: a later one of the same agency shows the same fault."""
    return [fault.events[-1].agency] if fault.wrong in ("row", "total", "books") else []


def _accounts(fault: Fault) -> list[Account]:
    first, last = fault.events[0], fault.events[-1]
    if fault.wrong in ("untaken", "twice") or fault.measure is None:
        return accounts_of(dict.fromkeys(fault.events))
    about = {"item": short(fault.item or ""), "basis": fault.measure[0], "currency": fault.measure[1]}
    match fault.wrong:
        case "over":
            moved = {**about, "left": _text(fault.computed)}
            return [
                account(first, {**about, "taken": _text(fault.said)}),
                account(last, moved, *fault.events),
            ]
        case "books":
            computed = {**about, fault.column or "": _text(fault.computed)}
            others = [*fault.rests_on, *fault.events[:-1]]
            stated = account(last, {**about, fault.column or "": _text(fault.said)})
            return [*([account(others[-1], computed, *others)] if others else []), stated]
        case "negative":
            return [account(last, {**about, "value": _text(fault.said)})]
        case "row":
            return [account(last, {**about, "taken": _text(fault.said), "left": _text(fault.computed)})]
    return [said(last)]


def _because(fault: Fault) -> Sentence:
    item, who = short(fault.item or ""), agency(fault.events[-1].agency)
    of = _of_measure(fault.measure)
    first, second = (_money(value, fault.measure) for value in (fault.said, fault.computed))
    column = word(ACCOUNT_FIELDS, fault.column or "")
    of_item = (
        Sentence(f"财物{item}", f"item {item}") if fault.item is not None else Sentence("合计", "the sum")
    )
    match fault.wrong:
        case "untaken":
            what = quoted(fault.events[-1].type)
            return Sentence(
                f"{who.zh}对财物{item}作出{what.zh},但未见其查封、扣押、冻结或退缴",
                f"{who.en} says {what.en} of item {item}, but nobody has taken it",
            )
        case "twice":
            return Sentence(
                f"编号{item}在案未处理完毕,又被{who.zh}用于另一次查扣冻",
                f"{who.en} takes something under the number {item}, which is still held",
            )
        case "over" if fault.measure is None:
            return Sentence(
                f"财物{item}此前已全部处理,{who.zh}又作处理",
                f"all of item {item} had left before {who.en} moved it again",
            )
        case "over":
            return Sentence(
                f"财物{item}({of.zh})共查扣冻{first.zh},已处理{second.zh}",
                f"of item {item} ({of.en}) {second.en} has left, but {first.en} was taken",
            )
        case "negative":
            return Sentence(
                f"{who.zh}称财物{item}的价值为{first.zh}",
                f"{who.en} states the worth of item {item} as {first.en}",
            )
        case "row":
            return Sentence(
                f"{who.zh}对账单中{of_item.zh}({of.zh})查扣冻{first.zh},各项去向之和为{second.zh}",
                f"{who.en} states of {of_item.en} ({of.en}) that {first.en} was taken, "
                f"and accounts for {second.en}",
            )
        case "total":
            return Sentence(
                f"{who.zh}对账单合计({of.zh})中{column.zh}为{first.zh},逐项相加为{second.zh}",
                f"{who.en} states the sum ({of.en}) of {column.en} as {first.en}; "
                f"its lines add up to {second.en}",
            )
    return Sentence(
        f"{who.zh}对账单称{of_item.zh}({of.zh}){column.zh}{first.zh},按此前各方陈述为{second.zh}",
        f"{who.en} states of {of_item.en} ({of.en}) {column.en} {first.en}; "
        f"by what was said before it is {second.en}",
    )


def _of_measure(measure: Measure | None) -> Sentence:
    return word(WORTHS, measure[0]) if measure else Sentence("", "")


def _money(value: Decimal, measure: Measure | None) -> Sentence:
    return money(value, measure[1] if measure else "CNY")


def _text(value: Decimal) -> str:
    return f"{value:.2f}"
