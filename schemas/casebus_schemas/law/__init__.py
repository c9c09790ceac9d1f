"""The law that the bus applies, as dated data with its source, and pure functions over it."""

from casebus_schemas.texts.sentence import Sentence

from .api import clock, due
from .clocks import Clock, Rung, clocks, met_by, opened_by, touched_by
from .duty_state import Answer, State, state_at
from .limits import Term
from .terms import Reading

__all__ = [
    "Answer",
    "Clock",
    "Reading",
    "Rung",
    "Sentence",
    "State",
    "Term",
    "clock",
    "clocks",
    "due",
    "met_by",
    "opened_by",
    "state_at",
    "touched_by",
]
