"""R30: two agencies state different figures of the same basis, currency and period."""

from collections.abc import Iterator
from itertools import combinations

from casebus_schemas.case.accounts import plain
from casebus_schemas.case.amounts import Slip, SortKey, Stated, slip
from casebus_schemas.case.fold import Folded
from casebus_schemas.case.kept import Kept
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.law import Sentence
from casebus_schemas.small_types import RuleId
from casebus_schemas.texts.symbols import BASES, agency, money, times, unit, word

from ..finding import account
from ..folded_case import Case
from ..rule import Found, Rule
from ..wording import NOTHING, correction_by

RULE = Rule(
    RuleId("R30"),
    title=Sentence("金额不一致", "amounts differ"),
    scopes=("chain",),
    cls="state",
    severity="medium",
    looks_at=("*.amounts",),
    acts=Sentence(
        "疑似错填的机关;看不出的,由最后陈述的机关", "who seems to have slipped; else who spoke last"
    ),
    mends=Sentence("更正金额,或说明差异", "a correction of the figure, or an explanation of the difference"),
    closes=Sentence("两者一致时", "when the figures are equal"),
)
"""`severity` is high where a slip of unit or sign explains the difference."""


class Differences(Kept):
    """What was found of each pair of figures, made again where one of them was stated anew."""

    def __init__(self, folded: Folded, catalog: Catalog) -> None:
        super().__init__(folded, catalog)
        self._known: dict[tuple[SortKey, str, str], tuple[Stated, Stated, Found]] = {}

    def found(self) -> Iterator[Found]:
        """One for each pair that differs."""
        for kind, stated in self.folded.stated.differing():
            for left, right in combinations(stated, 2):
                if left.value == right.value:
                    continue
                pair = (kind, left.agency, right.agency)
                known = self._known.get(pair)
                if known is None or known[0] is not left or known[1] is not right:
                    known = self._known[pair] = (left, right, _amounts(left, right, self.catalog))
                yield known[2]


@RULE.over_case
def differing_amounts(case: Case) -> Iterator[Found]:
    """Each pair of agencies whose last figures of one kind differ."""
    return case.kept(Differences).found()


def _amounts(left: Stated, right: Stated, catalog: Catalog) -> Found:
    slipped = slip(left, right)
    kind = left.kind
    # Without a slip nothing says who errs: whoever spoke last is asked first.
    last = max((left, right), key=lambda stated: stated.event.sort_key)
    asked = next((s for s in (left, right) if slipped and s.agency == slipped.suspect), last)
    return Found(
        subject=f"{kind.basis}\n{kind.currency}\n{'—'.join(kind.period or ())}",
        causes=[left.event, right.event],
        severity="high" if slipped else "medium",
        accounts=[
            account(stated.event, _value(stated, slipped), compared=("likely_slip",))
            for stated in (left, right)
        ],
        because=_differ(left, right, slipped),
        suggestion=correction_by(asked.event, catalog),
    )


def _value(stated: Stated, slipped: Slip | None) -> dict[str, object]:
    value: dict[str, object] = {**stated.kind.to_json(), "value": plain(stated.value)}
    if slipped is not None and slipped.suspect == stated.agency:
        value["likely_slip"] = {"factor": str(slipped.factor), "sign": slipped.sign}
    return value


def _differ(left: Stated, right: Stated, slipped: Slip | None) -> Sentence:
    """Both figures in words, and what seems to have happened."""
    kind, here, there = left.kind, agency(left.agency), agency(right.agency)
    one, other = money(left.value, kind.currency), money(right.value, kind.currency)
    what = word(BASES, kind.basis)
    since, until = kind.period or ("", "")
    span = Sentence(f"({since}至{until})", f" ({since} to {until})") if kind.period else NOTHING
    explained = _slip(slipped) if slipped is not None else NOTHING
    return Sentence(
        f"{here.zh}称{what.zh}{span.zh}为{one.zh},{there.zh}称{other.zh}{explained.zh}",
        f"{here.en} states {what.en}{span.en} as {one.en}, {there.en} as {other.en}{explained.en}",
    )


def _slip(slipped: Slip) -> Sentence:
    zh, en = "", ""
    if slipped.factor != 1:
        apart, given = times(slipped.factor), unit(slipped.factor)
        zh = f",相差{apart.zh},疑以{given.zh}填报"
        en = f": {apart.en} apart, probably given in {given.en}"
    if slipped.sign:
        zh, en = f"{zh},正负号相反", f"{en}, with opposite signs"
    return Sentence(zh, en)
