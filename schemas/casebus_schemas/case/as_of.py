"""What was known at a time: which events an agency had, by which proof, under which law. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal, get_args

from casebus_schemas.agencies import MEMBERS
from casebus_schemas.errors import UsageError
from casebus_schemas.times import beijing_text, in_beijing

from .chain import ChainEvent, Digest, as_digest, distinct

Level = Literal["available", "fetched", "receipted"]
"""How an agency is known to have an event.

The bus admitted it with the agency among its recipients; the agency's own receipt says that it fetched the
notice; an officer signed for it.
"""
LEVELS: tuple[Level, ...] = get_args(Level)


@dataclass(frozen=True, slots=True)
class AsOf:
    """What a reader asks: facts until a time, what somebody had at a time, the law of a day; None: no limit.

    Without `known_by`, `known_at` is what the bus had. Raises UsageError for an unknown agency, or a level
    without an agency.
    """

    until: datetime | None = None
    known_by: str | None = None
    known_at: datetime | None = None
    level: Level = "available"
    law_of: date | None = None

    def __post_init__(self) -> None:
        if self.known_by is not None and self.known_by not in MEMBERS:
            raise UsageError("no such agency", found=self.known_by, expected=", ".join(MEMBERS))
        if self.level not in LEVELS:
            raise UsageError("no such level", found=self.level, expected=", ".join(LEVELS))
        if self.level != "available" and self.known_by is None:
            raise UsageError("known by whom?", found=f"--level {self.level}", expected="--known-by AGENCY")

    def at(self, now: datetime) -> datetime:
        """The time at which clocks are looked at."""
        return self.until or self.known_at or now

    @property
    def notices_until(self) -> date | None:
        """Until when published notices on holidays are known to him who asks; None: all are."""
        at = self.known_at or self.until
        return None if at is None else in_beijing(at).date()

    def to_json(self) -> dict[str, Any] | None:
        """The question, None where nothing was limited."""
        if self == AsOf():
            return None
        return {
            "until": self.until and beijing_text(self.until),
            "known_by": self.known_by,
            "known_at": self.known_at and beijing_text(self.known_at),
            "level": self.level if self.known_by else None,
            "law_of": self.law_of and self.law_of.isoformat(),
        }


@dataclass(frozen=True, slots=True)
class Sight:
    """What a question lets one see of a chain's events, and why the others are left out."""

    seen: tuple[ChainEvent, ...]
    left_out: tuple[tuple[ChainEvent, str], ...]


def sight(events: Iterable[ChainEvent], asked: AsOf) -> Sight:
    """The events of one chain that the question is about. Order and repetition do not matter."""
    known = list(distinct(events).values())
    had = _had_by_bus(known) if asked.known_by is None else had_at(known, asked.known_by, asked.level)
    seen, left_out = [], []
    for event in known:
        reason = _left_out(event, had.get(event.digest), asked)
        if reason is None:
            seen.append(event)
        else:
            left_out.append((event, reason))
    return Sight(tuple(seen), tuple(left_out))


def had_at(events: Sequence[ChainEvent], agency: str, level: Level) -> dict[Digest, datetime]:
    """Since when an agency has each event that it has, as that level proves it.

    Its own events: since they were admitted. Others: only if their admission told it. What a receipt says of
    the time counts between the admission of the event and that of the receipt: nobody has an event before
    the bus, nor after having signed for it. An officer's signature also proves the fetching.
    """
    found = {event.digest: event.admitted_at for event in events if event.agency == agency}
    told = {event.digest: event for event in events if event.agency != agency and agency in event.told}
    if level == "available":
        return found | {digest: event.admitted_at for digest, event in told.items()}
    for receipt in (event for event in events if event.agency == agency):
        for digest, claimed in receipted(receipt, level):
            if digest not in told:
                continue
            had = max(told[digest].admitted_at, min(claimed, receipt.admitted_at))
            found[digest] = min(had, found.get(digest, had))
    return found


def possession(events: Sequence[ChainEvent], agency: str) -> dict[Digest, dict[str, str]]:
    """Of each event since when the agency has it at each level that is proved."""
    of_level = {level: had_at(events, agency, level) for level in LEVELS}
    return {
        event.digest: {
            level: beijing_text(had[event.digest]) for level, had in of_level.items() if event.digest in had
        }
        for event in events
    }


def _had_by_bus(events: Sequence[ChainEvent]) -> dict[Digest, datetime]:
    return {event.digest: event.admitted_at for event in events}


def _left_out(event: ChainEvent, had: datetime | None, asked: AsOf) -> str | None:
    if asked.until is not None and event.occurred_at > asked.until:
        return f"happened later, {beijing_text(event.occurred_at)}"
    if had is None:
        return f"{asked.known_by} has it at no time by {asked.level}"
    if asked.known_at is not None and had > asked.known_at:
        return f"known later, {beijing_text(had)}"
    return None


def receipted(receipt: ChainEvent, level: Level) -> list[tuple[Digest, datetime]]:
    """(event, when by claim) of what a receipt proves at this level."""
    named: list[tuple[object, datetime]] = []
    if receipt.type == "receipt.signed" and "event" in receipt.data:
        named.append((receipt.data["event"], receipt.data["received_at"]))
    elif receipt.type == "receipt.delivered" and level == "fetched":
        named.extend((one["event"], one["fetched_at"]) for one in receipt.data.get("deliveries") or ())
    return [(digest, at) for value, at in named if (digest := as_digest(value)) is not None]
