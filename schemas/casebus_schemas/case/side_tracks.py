"""What runs beside the charges of a case step by step: recommendations, compliance, suits, experts."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from casebus_schemas.times import beijing_text

from .chain import ChainEvent, Digest
from .fold import Folded

BEGINNINGS: Mapping[str, tuple[str, ...]] = {
    "recommendation": ("recommendation.issued",),
    "compliance": ("compliance.proposed",),
    "suit": ("suit.mandated",),
    "cooperation": (
        "cooperation.expert_requested",
        "cooperation.training_announced",
        "cooperation.exchange_requested",
    ),
}
"""By family, the types that begin a track of their own; any other goes on with what it answers."""

FACTS = (
    "addressee",
    "sector",
    "kind",
    "reply_by",
    "ends_on",
    "score",
    "passed",
    "effect",
    "investors",
    "mandates",
    "paid_first",
)
"""What of its events a track shows, as it was said last."""


@dataclass(slots=True)
class SideTrack:
    """One recommendation, programme or suit: its events in the chain's order, the last of them its state."""

    family: str
    events: list[ChainEvent] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)

    def add(self, event: ChainEvent) -> None:
        """Takes the next event of the track."""
        self.events.append(event)
        for name in FACTS:
            if (value := event.data.get(name)) is not None:
                self.facts[name] = value

    def to_json(self) -> dict[str, Any]:
        """As `casebus case` shows it; `state` is the type of its last event."""
        last = self.events[-1]
        return {
            "family": self.family,
            "state": last.type,
            "facts": {name: _plain(value) for name, value in self.facts.items()},
            "steps": [
                {
                    "type": event.type,
                    "agency": event.agency,
                    "at": beijing_text(event.occurred_at),
                    "event": event.digest.hex(),
                }
                for event in self.events
            ],
        }


def side_tracks(folded: Folded) -> list[SideTrack]:
    """The tracks of a case in the order in which they began; linear in their events.

    An event belongs to the track whose event it answers, be it through others, or that has its court number;
    any other begins a track of its own.
    """
    found: list[SideTrack] = []
    of: dict[Digest, SideTrack] = {}
    of_number: dict[str, SideTrack] = {}
    for event in _standing(folded):
        begins = event.type in BEGINNINGS[event.family]
        numbers = event.data.get("court_nos") or ()
        known = None if begins else next((of[d] for d in folded.thread(event) if d in of), None)
        if known is None:
            known = next((of_number[number] for number in numbers if number in of_number), None)
        if known is None or known.family != event.family:
            known = SideTrack(event.family)
            found.append(known)
        known.add(event)
        of[folded.origin_of(event.digest)] = known
        of_number.update(dict.fromkeys(numbers, known))
    return found


def _standing(folded: Folded) -> Iterable[ChainEvent]:
    return (event for event in folded.standing if event.family in BEGINNINGS)


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value
