"""Figures with their growth as rows and bars, and the events that a figure rests on."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from casebus_consumers.desk.words import Words
from casebus_schemas.statistics.figures import Figure
from casebus_schemas.statistics.ratios import growth

from .names import case_name

if TYPE_CHECKING:
    from casebus_consumers.desk.asked import Asked

MOST_PERIODS = 24
_WIDTH, _LEFT, _RIGHT, _ROW, _BAR = 640, 130, 70, 26, 14


@dataclass(frozen=True, slots=True)
class FigureRow:
    """A figure of a period; `grown` against the same days of the year before, empty where there are none."""

    period: str
    value: int
    grown: str
    events: int
    version: str
    is_half: bool


@dataclass(frozen=True, slots=True)
class ChartBar:
    """A bar from the left; `y` of its middle."""

    label: str
    value: int
    y: int
    width: float


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars of equal periods below each other in a drawing of `width` by `height`."""

    width: int
    height: int
    left: int
    thick: int
    bars: Sequence[ChartBar]


@dataclass(frozen=True, slots=True)
class SourceRow:
    """An event behind a figure: what it does there, and how many units it puts in."""

    day: str
    agency: str
    title: str
    case: str
    chain: str
    digest: str
    role: str
    adds: int


def rows_of(figures: Sequence[Figure], w: Words) -> list[FigureRow]:
    """Figures in the order of their periods."""
    by_period = {one.cohort.period: one for one in figures}
    found = []
    for one in figures:
        period = one.cohort.period
        before = by_period.get(period.year_before())
        grown = "" if before is None or not before.value else f"{growth(one, before).percent:+}%"
        half = "H" in period.text
        found.append(FigureRow(period.text, one.value, grown, len(one.sources), one.version, half))
    return found


def chart_of(rows: Sequence[FigureRow], w: Words) -> Chart | None:
    """Half-years as bars; None where fewer than two are to be compared."""
    halves = [row for row in rows if row.is_half]
    if len(halves) < 2:
        return None
    most = max(row.value for row in halves) or 1
    room = _WIDTH - _LEFT - _RIGHT
    bars = [
        ChartBar(row.period, row.value, _ROW // 2 + number * _ROW, round(room * row.value / most, 1))
        for number, row in enumerate(halves)
    ]
    return Chart(_WIDTH, _ROW * len(halves), _LEFT, _BAR, bars)


def source_rows(figure: Figure, asked: "Asked") -> list[SourceRow]:
    """The events that a figure rests on, in their order."""
    w, cases = asked.words, asked.glance.cases
    found = []
    for source in figure.sources:
        event = source.event
        case = cases.get(event.chain)
        found.append(
            SourceRow(
                w.day(event.occurred_at),
                w.short(event.agency),
                w.title(event.type),
                "" if case is None else case_name(case, w),
                event.chain,
                event.digest.hex(),
                w(f"statistics.role_{source.role.replace(' ', '_')}"),
                source.adds,
            )
        )
    return found
