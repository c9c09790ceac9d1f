"""Faults by rule: in which kind of life each can be planted, and what it changes there.

The expectation is written here, from the law and the meaning of the rules: nothing of the rules is called.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from .matter import SOON, Matter

Change = Callable[[Matter], bool]
"""Changes a matter; False where this life has no place for the fault."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to break a rule: `facts` changes what the matter is about before it is lived, `papers` after.

    `shows` are the rules that must find it, the planted one among them; `watched` as of a matter.
    """

    kinds: tuple[str, ...]
    shows: tuple[str, ...]
    papers: Change
    facts: Callable[[Matter], None] | None = None
    watched: int = SOON


FAULTS: dict[str, list[Fault]] = {}
"""The faults of each rule, in the order in which they were written."""


def fault(
    rule: str,
    *kinds: str,
    also: Iterable[str] = (),
    facts: Callable[[Matter], None] | None = None,
    watched: int = SOON,
) -> Callable[[Change], Change]:
    """Registers a change as a fault of a rule; `also` are rules that find it too, by their meaning."""

    def register(change: Change) -> Change:
        FAULTS.setdefault(rule, []).append(Fault(kinds, (rule, *also), change, facts, watched))
        return change

    return register


TO_COURT = ("prosecution", "fined_first", "supervised")
"""Lives that come to a judgment of everybody."""
