"""Amounts as agencies state them: what may be compared, and which slip explains a difference."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from casebus_schemas.frozen import quickly_made

from .chain import ChainEvent

CONDUCT = frozenset(
    {
        "turnover",
        "illegal_gain",
        "avoided_loss",
        "margin",
        "funds_raised",
        "falsified_assets",
        "falsified_revenue",
        "falsified_profit",
        "misappropriated",
        "loss",
    }
)
"""Bases that describe the conduct, on which two agencies can agree or differ.

Fine, confiscation and compensation are acts of whoever imposes them: an administrative and a criminal fine
are two facts, never one stated twice.
"""

_UNITS = (Decimal(100), Decimal(10_000), Decimal(100_000_000))
"""Figures are often given in ten thousands (万元) or hundred millions (亿元); a program without decimals is
off by their two places (分 in place of 元)."""
_TOLERANCE = Decimal("0.005")
"""A figure in a larger unit is often rounded (0.46 for 46,190,000): half a percent still shows the slip."""


SortKey = tuple[str, str, tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Kind:
    """What an amount is about. Two amounts are compared only if these agree."""

    basis: str
    currency: str
    period: tuple[str, str] | None

    def to_json(self) -> dict[str, Any]:
        """As in records.md 3."""
        period = {"from": self.period[0], "to": self.period[1]} if self.period else None
        return {"basis": self.basis, "currency": self.currency, "period": period}

    @property
    def sort_key(self) -> SortKey:
        """Any total order will do."""
        return (self.basis, self.currency, self.period or ("", ""))


@quickly_made
@dataclass(frozen=True, slots=True)
class Stated:
    """An amount as one agency states it now."""

    agency: str
    kind: Kind
    value: Decimal
    event: ChainEvent


@dataclass(frozen=True, slots=True)
class Slip:
    """Why two figures may differ: by the unit, the sign or both. `suspect` is who seems to have slipped."""

    factor: Decimal
    sign: bool
    suspect: str


def kind_of(amount: dict[str, Any]) -> Kind:
    """What a decoded amount is about."""
    period = amount.get("period")
    span = (_day(period["from"]), _day(period["to"])) if period else None
    return Kind(amount["basis"], amount["currency"], span)


def stated_by(event: ChainEvent) -> list[Stated]:
    """The amounts of an event."""
    return [
        Stated(event.agency, kind_of(amount), Decimal(amount["value"]), event)
        for amount in event.data.get("amounts") or ()
    ]


class CurrentAmounts:
    """What each agency says now: its last figure of each kind, as events are added in the chain's order."""

    def __init__(self) -> None:
        self._of: dict[tuple[str, SortKey], Stated] = {}
        self._of_kind: dict[SortKey, dict[str, Stated]] = {}
        self._differing: dict[SortKey, None] = {}

    def add(self, event: ChainEvent) -> None:
        """Takes the figures of the next event that stands."""
        for stated in stated_by(event):
            key = stated.kind.sort_key
            self._of[stated.agency, key] = stated
            of_kind = self._of_kind.setdefault(key, {})
            of_kind[stated.agency] = stated
            if stated.kind.basis in CONDUCT and len({one.value for one in of_kind.values()}) > 1:
                self._differing[key] = None
            else:
                self._differing.pop(key, None)

    def all(self) -> Collection[Stated]:
        """The figures in force."""
        return self._of.values()

    def differing(self) -> Iterator[tuple[SortKey, list[Stated]]]:
        """Of each kind of conduct of which agencies state different figures, all of them by agency."""
        for key in self._differing:
            yield key, sorted(self._of_kind[key].values(), key=lambda stated: stated.agency)


def slip(left: Stated, right: Stated) -> Slip | None:
    """The slip that explains the difference of two figures, None where none does."""
    a, b = left.value, right.value
    if not a or not b or a == b:
        return None
    small, large = sorted((left, right), key=lambda stated: abs(stated.value))
    sign = (a < 0) != (b < 0)
    if abs(a) == abs(b):
        return Slip(Decimal(1), True, left.agency if a < 0 else right.agency)
    for unit in _UNITS:
        if abs(abs(large.value) / abs(small.value) / unit - 1) <= _TOLERANCE:
            return Slip(unit, sign, small.agency)
    return None


def _day(value: object) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)
