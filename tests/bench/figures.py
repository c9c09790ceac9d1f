"""Figures that a benchmark measures, with their bounds."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Noted:
    """One figure, and what it must be where there is a bound."""

    test: str
    name: str
    value: float
    unit: str
    at_least: float | None
    at_most: float | None

    @property
    def bound(self) -> str:
        """The bound in words."""
        if self.at_least is not None:
            return f"at least {_short(self.at_least)}"
        return "" if self.at_most is None else f"at most {_short(self.at_most)}"

    @property
    def held(self) -> bool:
        """Whether the bound is kept."""
        return not (
            (self.at_least is not None and self.value < self.at_least)
            or (self.at_most is not None and self.value > self.at_most)
        )

    def __str__(self) -> str:
        value = f"{_short(self.value):>10} {self.unit}"
        verdict = f"  ({self.bound}{'' if self.held else ': NOT REACHED'})" if self.bound else ""
        return f"{self.name:<58} {value:<22}{verdict}".rstrip()


class Figure(Protocol):
    """Notes a figure. A bound that is not kept fails the test at its end, when all figures are noted."""

    def __call__(
        self,
        name: str,
        value: float,
        unit: str = "",
        *,
        at_least: float | None = None,
        at_most: float | None = None,
    ) -> None: ...


def _short(value: float) -> str:
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
