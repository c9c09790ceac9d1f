"""What a page of the operator shows: programs, what waits, keys, disk, each as a table of its own."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from casebus_schemas.times import to_datetime

from .words import Words


@dataclass(frozen=True, slots=True)
class Cell:
    """What stands in a table; `shade` is danger, warning, accent or quiet; `small` stands below it."""

    text: str
    shade: str = ""
    small: str = ""
    number: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    """One table; the first column names its rows. `name` is that of its heading `operate.<name>`."""

    name: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    note: str = ""
    empty: str = ""


@dataclass(frozen=True, slots=True)
class Operating:
    """All of it at a time: whether it is well, in a word, and the tables."""

    well: bool
    headline: str
    at: datetime
    sections: Sequence[Section]


class Operation(Protocol):
    """What runs here. Calls may come from several threads."""

    def look(self, w: Words) -> Operating:
        """As it is now. What cannot be read is said, never raised."""


class NoOperation:
    """Of a desk where nothing runs."""

    def look(self, w: Words) -> Operating:
        """Nothing."""
        return Operating(True, w("operate.all_well"), to_datetime(time.time_ns() // 1_000_000), ())


def count(number: int | None) -> Cell:
    """A number, – where there is none."""
    return Cell("–" if number is None else f"{number:,}", number=True)


def state(well: bool, w: Words, problem: str = "") -> Cell:
    """A thing that is well, or what ails it."""
    return Cell(w("operate.well"), "accent") if well else Cell(w("operate.ill"), "danger", problem)


def moment(at: datetime | None, w: Words) -> Cell:
    """A time, – where there is none."""
    return Cell("–" if at is None else w.time(at))


def disk_cell(free_gb: float, least_gb: float, w: Words) -> Cell:
    """How much is free, and whether that is enough."""
    text = w("operate.free", gb=f"{free_gb:,.1f}")
    return Cell(text) if free_gb >= least_gb else Cell(text, "danger", w("operate.free_some"))
