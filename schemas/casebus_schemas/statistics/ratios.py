"""Growth and ratios, each with its base; what cannot be compared is refused and told why."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Literal

from casebus_schemas.errors import BusError
from casebus_schemas.law import Sentence

from .figures import Figure

_TENTH = Decimal("0.1")
_HELD = Decimal("0.0001")


@dataclass(frozen=True, slots=True)
class Objection:
    """Why two figures are not to be divided, by the rule of reconciliation that says so."""

    rule: str
    text: Sentence

    def to_json(self) -> dict[str, str]:
        """Rule and words."""
        return {"rule": self.rule, "because": self.text.text}


class RatioRefused(BusError):
    """Two figures that must not be divided; `objections` say why, and whether a mark would do."""

    exit_code = 1

    def __init__(self, message: str, objections: Sequence[Objection], *, markable: bool = True) -> None:
        super().__init__(
            message,
            found="; ".join(f"{objection.rule} {objection.text.text}" for objection in objections),
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
    if base.cohort.period != newer.cohort.period.year_before():
        wanted = newer.cohort.period.year_before().text
        objections.append(
            Objection(
                "R63",
                Sentence(
                    f"基期应为{wanted},实为{base.cohort.period.text}",
                    f"the base should be {wanted}, not {base.cohort.period.text}",
                ),
            )
        )
    return _checked(Ratio("change", newer, base, tuple(objections), mark))


def ratio(part: Figure, whole: Figure, mark: str | None = None) -> Ratio:
    """The share of one figure in another.

    Raises RatioRefused unless marked: for another unit (R60), another cohort or more than 100 % (R63), a
    scope that is not part of the other's (R65); always if the whole is 0.
    """
    objections = _unlike(part, whole, share=True)
    above, below = part.cohort.period, whole.cohort.period
    if above != below:
        words = Sentence(
            f"分子与分母期间不同:{above.text}与{below.text}",
            f"numerator and denominator are of different periods, {above.text} and {below.text}",
        )
        objections.append(Objection("R63", words))
    if part.value > whole.value:
        objections.append(
            Objection(
                "R63",
                Sentence(
                    f"{part.value}/{whole.value}超过100%",
                    f"{part.value}/{whole.value} is more than 100 %: it is no share",
                ),
            )
        )
    return _checked(Ratio("share", part, whole, tuple(objections), mark))


def _unlike(one: Figure, other: Figure, *, share: bool = False) -> list[Objection]:
    objections = []
    if one.measure.unit != other.measure.unit:
        left, right = one.measure.unit.label, other.measure.unit.label
        objections.append(
            Objection(
                "R60",
                Sentence(
                    f"单位不同:{left.zh}与{right.zh}不可相比",
                    f"different units: {left.en} and {right.en} are never compared",
                ),
            )
        )
    elif not share and one.measure != other.measure:
        objections.append(
            Objection(
                "R63",
                Sentence(
                    f"指标不同:{one.measure.title.zh}与{other.measure.title.zh}",
                    f"different measures: {one.measure.title.en} and {other.measure.title.en}",
                ),
            )
        )
    if one.scope != other.scope and not (share and one.scope.within(other.scope)):
        objections.append(
            Objection(
                "R65",
                Sentence(
                    f"口径不同:{one.scope.label.zh}与{other.scope.label.zh}",
                    f"different scopes: {one.scope.label.en} and {other.scope.label.en}",
                ),
            )
        )
    if one.cohort.by != other.cohort.by:
        words = Sentence(
            f"统计口径不同:分别按{one.cohort.by}与{other.cohort.by}归入期间",
            f"different cohorts: placed by {one.cohort.by} and by {other.cohort.by}, the one is no part of "
            "the other",
        )
        objections.append(Objection("R63", words))
    return objections


def _checked(found: Ratio) -> Ratio:
    if found.below.value == 0:
        zero = Objection("R62", Sentence("基数为零", "the base is 0"))
        raise RatioRefused("nothing can be divided by it", [zero], markable=False)
    if found.objections and not (found.mark and found.mark.strip()):
        raise RatioRefused(
            f"refused: {found.above.title} against {found.below.title}", list(found.objections)
        )
    return found
