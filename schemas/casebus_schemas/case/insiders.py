"""Who could know of a security's cases: those who have events of them, and since when. Pure.

Staff of the regulator and of bodies with statutory duties are insiders of what they learn there (Securities
Law art. 51 (7), (8)); what the bus delivered to whom is the list of them that can be proved.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from casebus_schemas.agencies import BUS
from casebus_schemas.times import beijing_text, midnight

from .as_of import LEVELS, Level, had_at
from .chain import ChainEvent, distinct, highest

GRANTED = "access.granted"
_LOGGED = "access.logged"


@dataclass(frozen=True, slots=True)
class Reader:
    """One person or office that an agency names as having read, or being allowed to read, what it has.

    `how` is `GRANTED`, or a symbol of the schema's AccessKind; `at` the time of the access, or from when it
    was allowed; `event` what was read, None for the whole matter; `said_by` the digest of the event in which
    the agency says so.
    """

    name: str
    unit: str | None
    how: str
    at: datetime
    event: bytes | None
    said_by: bytes

    def to_json(self) -> dict[str, Any]:
        """The same, digests as hexadecimal."""
        return {
            "name": self.name,
            "unit": self.unit,
            "how": self.how,
            "at": beijing_text(self.at),
            "event": None if self.event is None else self.event.hex(),
            "said_by": self.said_by.hex(),
        }


@dataclass(frozen=True, slots=True)
class Insider:
    """One agency that has events of a chain: since when at each level that is proved, and which.

    `units` are the parts of it that said events or to which events were addressed, `names_it` tells whether
    one of its events names the security itself, `handling` is the highest level among them. `readers` are
    those whom the agency itself names by `access.logged` and `access.granted`, the earliest first.
    """

    agency: str
    chain: str
    since: dict[Level, datetime]
    events: tuple[ChainEvent, ...]
    units: tuple[str, ...]
    names_it: bool
    handling: str
    readers: tuple[Reader, ...]

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
            "readers": [reader.to_json() for reader in self.readers],
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
    every = sorted(distinct(events).values(), key=lambda event: (event.admitted_at, event.digest))
    known = [event for event in every if event.admitted_at < until]
    if not any(names_security(event, code, market) for event in known):
        return
    agencies = {agency for event in known for agency in event.audience} - {BUS}
    # An access is often logged days later: it counts from its own time, whenever it was said.
    readers = sorted(
        ((event.agency, reader) for event in every for reader in _readers(event) if reader.at < until),
        key=lambda named: (named[1].at, named[1].said_by, named[1].name),
    )
    found = [
        _insider(agency, known, code, market, until, tuple(one for by, one in readers if by == agency))
        for agency in agencies
    ]
    yield from sorted(found, key=lambda one: (one.since["available"], one.agency))


def _readers(event: ChainEvent) -> Iterator[Reader]:
    """Whom an agency names as readers in one event."""
    if event.type == _LOGGED:
        for access in event.data["accesses"]:
            named, unit, how = access["officer"], access["unit"], access["kind"]
            yield Reader(named, unit, how, access["at"], access["event"], event.digest)
    elif event.type == GRANTED:
        begins_on = event.data["begins_on"]
        at = event.occurred_at if begins_on is None else midnight(begins_on)
        for digest in event.data["events"] or (None,):
            yield Reader(event.data["grantee"], None, GRANTED, at, digest, event.digest)


def _insider(
    agency: str,
    known: Sequence[ChainEvent],
    code: str,
    market: str | None,
    until: datetime,
    readers: tuple[Reader, ...],
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
        readers=readers,
    )
