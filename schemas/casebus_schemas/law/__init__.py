"""The law that the bus applies, as dated data with its source, and pure functions over it."""

from .api import clock, due
from .clocks import Clock, Rung, clocks, clocks_opened_by
from .sentence import Sentence
from .standing import Answer, State, standing
from .terms import Reading, Term

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
    "clocks_opened_by",
    "due",
    "standing",
]
