"""Restatement: what a figure was as known at a time, what it is now, and which events changed it."""

from dataclasses import dataclass
from typing import Any

from .figures import Figure, Source


@dataclass(frozen=True)
class Restatement:
    """A figure before and after; `causes` are the events that came between and changed it, oldest first."""

    before: Figure
    after: Figure
    causes: tuple[Source, ...]

    @property
    def changed(self) -> bool:
        """Whether the value is another one."""
        return self.before.value != self.after.value

    def to_json(self) -> dict[str, Any]:
        """Both figures and the causes."""
        return {
            "before": self.before.to_json(),
            "after": self.after.to_json(),
            "causes": [cause.to_json() for cause in self.causes],
        }


def restate(before: Figure, after: Figure) -> Restatement:
    """Why the same figure has another value than before: the new events of each chain that counts otherwise.

    Repeats are never a cause. A chain that gained and lost as many units is one all the same if the units
    are others.
    """
    changed = {_chain(unit) for unit in before.units ^ after.units}
    causes = [
        source
        for source in after.sources
        if source.event.chain in changed
        and not before.knows(source.event)
        and source.role not in ("repeat", "no effect")
    ]
    return Restatement(before, after, tuple(causes))


def _chain(unit: str) -> str:
    return unit.partition("/")[0]
