"""What can be counted: each measure with its unit and the event that places it in time."""

from dataclasses import dataclass
from typing import Any, Literal

from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.errors import UsageError
from casebus_schemas.law import Sentence

Counts = Literal["persons", "chains", "events"]

TYPES = {word: event.type for event in Catalog.load().types.values() for word in event.statistics}
"""Which type each word of `statistics` in events.yaml stands at; each word stands there once."""

PROSECUTED = TYPES["persons_prosecuted"]
CHANGED = TYPES["indictment_changed"]
INDICTMENT_WITHDRAWN = TYPES["indictment_withdrawn"]


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit of count (casebus.FigureUnit); figures of two units are never compared."""

    id: str
    label: Sentence


PERSONS = Unit("persons", Sentence("人", "persons"))
CASES = Unit("cases", Sentence("件", "cases"))
CLUES = Unit("clues", Sentence("线索", "clues"))
TIMES = Unit("events", Sentence("次", "times"))


@dataclass(frozen=True, slots=True)
class Measure:
    """Something to count, under the word that events.yaml has for it."""

    id: str
    title: Sentence
    unit: Unit
    counts: Counts

    @property
    def type(self) -> str:
        """The event whose day places a unit in a period."""
        return TYPES[self.id]

    @property
    def by_person(self) -> bool:
        """Whether it looks at the persons of an indictment, even where it counts their cases."""
        return self.type == PROSECUTED

    def to_json(self) -> dict[str, Any]:
        """Name and unit."""
        return {
            "measure": self.id,
            "title": self.title.text,
            "unit": self.unit.id,
            "unit_label": self.unit.label.text,
        }


_ALL = (
    Measure("persons_prosecuted", Sentence("起诉人数", "persons prosecuted"), PERSONS, "persons"),
    Measure("cases_prosecuted", Sentence("起诉案件", "cases prosecuted"), CASES, "chains"),
    Measure("cases_referred", Sentence("移送案件", "cases referred"), CASES, "chains"),
    Measure("cases_filed", Sentence("立案案件", "cases filed"), CASES, "chains"),
    Measure("clues_submitted", Sentence("通报线索", "clues sent"), CLUES, "events"),
    Measure("consultations_requested", Sentence("提请会商", "consultations requested"), TIMES, "events"),
)
MEASURES = {measure.id: measure for measure in _ALL}

COUNTED_TYPES = frozenset({measure.type for measure in MEASURES.values()} | {CHANGED, INDICTMENT_WITHDRAWN})
"""Event types from which figures are made."""

FAMILIES = frozenset(type.partition(".")[0] for type in TYPES.values())
"""Families that figures are made of, or that publish them."""


def find_measure(name: str) -> Measure:
    """The measure of that name, with `-` or `_`. Raises UsageError if there is none."""
    found = MEASURES.get(name.replace("-", "_"))
    if found is None:
        raise UsageError("no such measure", found=repr(name[:100]), expected=", ".join(MEASURES))
    return found
