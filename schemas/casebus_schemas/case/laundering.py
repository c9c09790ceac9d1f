"""The looks into money laundering of a case: one track for each predicate charge, and who launders."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from .chain import ChainEvent
from .persons import Suspects

LaunderingState = Literal["opened", "clue", "filed", "no_clue"]
LAUNDERING_STATES: tuple[LaunderingState, ...] = ("opened", "clue", "filed", "no_clue")
"""How far a look into money laundering has come."""

CHECKING: Mapping[str, LaunderingState] = {
    "aml.check_opened": "opened",
    "aml.clue_raised": "clue",
    "aml.filed": "filed",
    "aml.no_clue_found": "no_clue",
}
"""The types that look at predicate charges, and how far each brings them."""

Key = tuple[object, str]
"""Who committed the predicate crime, and its article."""


@dataclass(frozen=True, slots=True)
class Launderer:
    """What an agency says of who laundered: the name, whose gains, under which article, in which event."""

    agency: str
    name: str | None
    gains: str
    article: str | None
    event: ChainEvent


@dataclass(slots=True)
class LaunderingTrack:
    """One predicate charge that is looked into."""

    offender: str | None
    predicate: str
    state: LaunderingState
    by: ChainEvent
    launderers: dict[tuple[str, object], Launderer] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """As `casebus case` shows it."""
        return {
            "offender": self.offender,
            "predicate": self.predicate,
            "state": self.state,
            "agency": self.by.agency,
            "event": self.by.digest.hex(),
            "launderers": [
                {"agency": one.agency, "name": one.name, "gains": one.gains, "article": one.article}
                for one in self.launderers.values()
            ],
        }


class LaunderingTracks:
    """A track for each predicate charge, in the order in which they appeared; each agency's last word counts.

    Carried on with each event that stands; it costs what it lists.
    """

    def __init__(self, suspects: Suspects) -> None:
        self._suspects = suspects
        self.tracks: dict[Key, LaunderingTrack] = {}

    def add(self, event: ChainEvent) -> dict[Key, LaunderingTrack]:
        """Takes the next event; the tracks that it moves."""
        state = CHECKING.get(event.type)
        moved: dict[Key, LaunderingTrack] = {}
        if state is None:
            return moved
        for check in event.data.get("checks") or ():
            offender, name = _who(event, check["offender"], self._suspects)
            key = (offender, check["predicate"])
            track = self.tracks.get(key)
            if track is None:
                track = self.tracks[key] = LaunderingTrack(name, check["predicate"], state, event)
            track.state, track.by = state, event
            launderer, called = _who(event, check["suspect"], self._suspects)
            if launderer is not None or check["article"] is not None:
                said = Launderer(event.agency, called, check["gains"], check["article"], event)
                track.launderers[event.agency, launderer] = said
            moved[key] = track
        return moved


def laundering_tracks(events: Iterable[ChainEvent], suspects: Suspects) -> list[LaunderingTrack]:
    """The tracks of events that stand, in the chain's order."""
    tracks = LaunderingTracks(suspects)
    for event in events:
        tracks.add(event)
    return list(tracks.tracks.values())


def tracings(events: Iterable[ChainEvent]) -> dict[str, int]:
    """How often it was asked where money went, and how often that was answered."""
    types = [event.type for event in events if event.family == "aml"]
    return {
        "requested": types.count("aml.fund_trace_requested"),
        "answered": types.count("aml.fund_trace_answered"),
    }


def laundering_json(events: Iterable[ChainEvent], suspects: Suspects) -> dict[str, Any]:
    """The tracks and tracings of a case."""
    every = list(events)
    tracks = [track.to_json() for track in laundering_tracks(every, suspects)]
    return {"checks": tracks, "tracings": tracings(every)}


def _who(event: ChainEvent, ref: str | None, suspects: Suspects) -> tuple[object, str | None]:
    """Who is meant, the same in whatever paper; a reference that nobody lists stands for itself."""
    if ref is None:
        return None, None
    person = suspects.find(event, ref)
    return (ref, ref) if person is None else (person.number, person.name)
