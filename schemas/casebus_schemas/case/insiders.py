"""Who could know of a security's cases: those who have events of them, and since when. Pure.

Staff of the regulator and of bodies with statutory duties are insiders of what they learn there (Securities
Law art. 51 (7), (8)); what the bus delivered to whom is the list of them that can be proved.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from casebus_schemas.agencies import BUS
from casebus_schemas.times import beijing_text

from .as_of import LEVELS, Level, had_at
from .chain import ChainEvent, distinct, highest


@dataclass(frozen=True, slots=True)
class Insider:
    """One agency that has events of a chain: since when at each level that is proved, and which.

    `units` are the parts of it that said events or to which events were addressed, `names_it` tells whether
    one of its events names the security itself, `handling` is the highest level among them.
    """

    agency: str
    chain: str
    since: dict[Level, datetime]
    events: tuple[ChainEvent, ...]
    units: tuple[str, ...]
    names_it: bool
    handling: str

    def to_json(self) -> dict[str, Any]:
        """The same; events as digest and type, each with when the agency had it."""
        return {
            "agency": self.agency,
            "chain": self.chain,
            "since": {level: beijing_text(at) for level, at in self.since.items()},
            "units": list(self.units),
            "names_security": self.names_it,
            "handling": self.handling,
            "events": [
                {
                    "event": event.digest.hex(),
                    "type": event.type,
                    "admitted_at": beijing_text(event.admitted_at),
                }
                for event in self.events
            ],
        }


def names_security(event: ChainEvent, code: str, market: str | None = None) -> bool:
    """Whether an event names the security; codes are used again on other markets."""
    security = event.data.get("security")
    if not security or security.get("code") != code:
        return False
    return market is None or security.get("market") == market


def insiders_of(
    events: Iterable[ChainEvent], code: str, until: datetime, market: str | None = None
) -> Iterator[Insider]:
    """The agencies that had events of one chain before `until`, the first of them first.

    None if no event admitted by then names the security: the chain was not known to be about it.
    """
    known = sorted(
        (event for event in distinct(events).values() if event.admitted_at < until),
        key=lambda event: (event.admitted_at, event.digest),
    )
    if not any(names_security(event, code, market) for event in known):
        return
    agencies = {agency for event in known for agency in event.audience} - {BUS}
    found = [_insider(agency, known, code, market, until) for agency in agencies]
    yield from sorted(found, key=lambda one: (one.since["available"], one.agency))


def _insider(
    agency: str, known: Sequence[ChainEvent], code: str, market: str | None, until: datetime
) -> Insider:
    had = {level: had_at(known, agency, level) for level in LEVELS}
    own = [event for event in known if event.digest in had["available"]]
    places = {address for event in own for role in ("to", "cc") for address in event.envelope[role]}
    places.update(event.source.removeprefix("/") for event in own)
    return Insider(
        agency=agency,
        chain=known[0].chain,
        since={
            level: first
            for level, times in had.items()
            if (first := min(times.values(), default=None)) is not None and first < until
        },
        events=tuple(own),
        units=tuple(sorted(unit for unit in places if unit.startswith(f"{agency}/"))),
        names_it=any(names_security(event, code, market) for event in own),
        handling=highest(event.handling for event in own),
    )
