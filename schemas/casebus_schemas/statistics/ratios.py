"""Growth and ratios, each with its base; what cannot be compared is refused and told why."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Literal

from casebus_schemas.errors import BusError
from casebus_schemas.law import Sentence
from casebus_schemas.rules.rule import Rule
from casebus_schemas.rules.statistics import r60, r62, r63, r65

from .figures import Figure

_TENTH = Decimal("0.1")
_HELD = Decimal("0.0001")


@dataclass(frozen=True, slots=True)
class Objection:
    """Why two figures are not to be divided, by the rule of reconciliation that says so."""

    rule: Rule
    text: Sentence

    def to_json(self) -> dict[str, object]:
        """Rule and words."""
        return {"rule": self.rule.id, "because": self.text.to_json()}


class RatioRefused(BusError):
    """Two figures that must not be divided; `objections` say why, and whether a mark would do."""

    exit_code = 1

    def __init__(self, message: str, objections: Sequence[Objection], *, markable: bool = True) -> None:
        super().__init__(
            message,
            found="; ".join(f"{objection.rule.id} {objection.text.text}" for objection in objections),
            expected="one unit, scope and cohort, and at most 100 %",
            remedy='if it is meant, say why with --mark "reason"; it then travels with the ratio'
            if markable
            else None,
        )
        self.objections = tuple(objections)


@dataclass(frozen=True, slots=True)
class Ratio:
    """A share or a change in per cent with the two figures, and the mark of one that would be refused."""

    kind: Literal["share", "change"]
    above: Figure
    below: Figure
    objections: tuple[Objection, ...]
    mark: str | None

    @property
    def exact(self) -> Decimal:
        """Per cent to four decimals, as casebus.Figure can hold it."""
        above = self.above.value - (self.below.value if self.kind == "change" else 0)
        return (Decimal(100 * above) / Decimal(self.below.value)).quantize(_HELD, ROUND_HALF_UP)

    @property
    def percent(self) -> Decimal:
        """Per cent to one decimal, halves away from zero."""
        return self.exact.quantize(_TENTH, ROUND_HALF_UP)

    @property
    def text(self) -> str:
        """`+93.4 %` or `71.9 %`."""
        return f"{self.percent:+} %" if self.kind == "change" else f"{self.percent} %"

    def to_json(self, *, lineage: bool = False) -> dict[str, Any]:
        """Per cent, both figures, and under which mark."""
        return {
            "kind": self.kind,
            "percent": str(self.percent),
            "above": self.above.to_json(lineage=lineage),
            "below": self.below.to_json(lineage=lineage),
            "mark": self.mark,
            "objections": [objection.to_json() for objection in self.objections],
        }


def growth(newer: Figure, base: Figure, mark: str | None = None) -> Ratio:
    """The change against the same days of the year before (R62).

    Raises RatioRefused for figures of other units, scopes, cohorts or days, unless marked; always if the base
    is 0.
    """
    objections = _unlike(newer, base)
    wanted, given = newer.cohort.period.year_before(), base.cohort.period
    if given != wanted:
        objections.append(Objection(r63.RULE, r63.other_base(wanted.text, given.text)))
    return _checked(Ratio("change", newer, base, tuple(objections), mark))


def ratio(part: Figure, whole: Figure, mark: str | None = None) -> Ratio:
    """The share of one figure in another.

    Raises RatioRefused unless marked: for another unit (R60), another cohort or more than 100 % (R63), a
    scope that is not part of the other's (R65); always if the whole is 0.
    """
    objections = _unlike(part, whole, share=True)
    above, below = part.cohort.period, whole.cohort.period
    if above != below:
        objections.append(Objection(r63.RULE, r63.other_period(above.text, below.text)))
    if part.value > whole.value:
        objections.append(Objection(r63.RULE, r63.beyond_all(part.value, whole.value)))
    return _checked(Ratio("share", part, whole, tuple(objections), mark))


def _unlike(one: Figure, other: Figure, *, share: bool = False) -> list[Objection]:
    objections = []
    if one.measure.unit != other.measure.unit:
        words = r60.not_comparable(one.measure.unit.label, other.measure.unit.label)
        objections.append(Objection(r60.RULE, words))
    elif not share and one.measure != other.measure:
        objections.append(Objection(r63.RULE, r63.other_measure(one.measure.title, other.measure.title)))
    if one.scope != other.scope and not (share and one.scope.within(other.scope)):
        objections.append(Objection(r65.RULE, r65.other_scope(one.scope.label, other.scope.label)))
    if one.cohort.by != other.cohort.by:
        objections.append(Objection(r63.RULE, r63.other_cohort(one.cohort.by, other.cohort.by)))
    return objections


def _checked(found: Ratio) -> Ratio:
    if found.below.value == 0:
        zero = Objection(r62.RULE, r62.BASE_IS_ZERO)
        raise RatioRefused("nothing can be divided by it", [zero], markable=False)
    if found.objections and not (found.mark and found.mark.strip()):
        raise RatioRefused(
            f"refused: {found.above.title} against {found.below.title}", list(found.objections)
        )
    return found
