"""One admitted event of a chain, as the rules see it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from casebus_schemas.agencies import agency_of_source
from casebus_schemas.frozen import quickly_made
from casebus_schemas.times import to_datetime

Digest = bytes
"""SHA-256 of an event's signed message: its identity."""

UNREAD = "H3"
"""The level of an event of which only the headers are read: it may be the highest."""


@quickly_made
@dataclass(frozen=True, slots=True, eq=False)
class ChainEvent:
    """An admitted event: who said what, when it happened by claim, and since when the bus had it.

    `data` is the decoded body without its envelope, `told` the agencies that the admission names, `size` the
    bytes of the value. Two events are the same if their digests are. With corrected facts it is told to those
    who were told of the corrections too, `settled_at` is when the last of these was admitted, `handled` the
    highest level of all.
    """

    digest: Digest
    id: UUID
    type: str
    agency: str
    source: str
    chain: str
    occurred_at: datetime
    admitted_at: datetime
    envelope: Mapping[str, Any]
    data: Mapping[str, Any]
    producer: str = ""
    seq: int = 0
    prev: Digest = bytes(32)
    told: frozenset[str] = frozenset()
    size: int = 0
    settled_at: datetime | None = None
    handled: str | None = None
    family: str = field(init=False, repr=False)
    """The part of the type before the dot."""
    sort_key: tuple[datetime, Digest] = field(init=False, repr=False)
    """Order of events that nothing else orders."""
    in_reply_to: UUID | None = field(init=False, repr=False)
    """Id of the event that this one answers."""
    in_reply_to_hash: Digest | None = field(init=False, repr=False)
    """Digest of the very version that this one answers."""
    corrects: Digest | None = field(init=False, repr=False)
    """Digest of the event whose facts this one corrects."""
    withdraws: Digest | None = field(init=False, repr=False)
    """Digest of the event that this one takes back."""
    audience: frozenset[str] = field(init=False, repr=False)
    """Who may see what it says: who said it, and whom its admission told."""

    def __post_init__(self) -> None:
        """Gives what follows from the rest: rules ask for it some hundred times."""
        named, give = self.envelope.get, object.__setattr__
        give(self, "family", self.type.partition(".")[0])
        give(self, "sort_key", (self.occurred_at, self.digest))
        give(self, "in_reply_to", as_uuid(named("in_reply_to")))
        give(self, "in_reply_to_hash", as_digest(named("in_reply_to_hash")))
        give(self, "corrects", as_digest(named("corrects")))
        give(self, "withdraws", as_digest(named("withdraws")))
        give(self, "audience", self.told | {self.agency})

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ChainEvent) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    @property
    def message_class(self) -> str:
        """initial, response, receipt or error."""
        return str(self.envelope.get("message_class", "initial"))

    @property
    def day_only(self) -> bool:
        """Whether the sender knows only the day on which it happened."""
        return self.envelope.get("precision") == "day"

    @property
    def last_said_at(self) -> datetime:
        """Since when the bus has what it says now."""
        return self.settled_at or self.admitted_at

    @property
    def handling(self) -> str:
        """The level of what it says now."""
        return self.handled or str(self.envelope.get("handling", "H1"))

    def corrected(self, data: Mapping[str, Any], by: Sequence["ChainEvent"]) -> "ChainEvent":
        """The same event with the facts that corrections give it."""
        every = (self, *by)
        return replace(
            self,
            data=data,
            told=frozenset[str].intersection(*(event.audience for event in every)),
            settled_at=max(event.admitted_at for event in every),
            handled=highest(event.handling for event in every),
        )


def highest(levels: Iterable[str]) -> str:
    """The highest of handling levels, which stand in the order of their names."""
    return max(levels, default="H1")


def chain_event(
    *,
    digest: Digest,
    id: UUID,
    type: str,
    source: str,
    chain: str,
    time_ms: int,
    admitted_at_ms: int,
    body: Mapping[str, Any],
    producer: str = "",
    seq: int = 0,
    prev: Digest = bytes(32),
    told: Iterable[str] = (),
    size: int = 0,
) -> ChainEvent:
    """An event from its headers and its decoded body (envelope and facts together, as the codec gives it)."""
    return ChainEvent(
        digest=digest,
        id=id,
        type=type,
        agency=agency_of_source(source),
        source=source,
        chain=chain,
        occurred_at=to_datetime(time_ms),
        admitted_at=to_datetime(admitted_at_ms),
        envelope=body["envelope"],
        data={name: value for name, value in body.items() if name != "envelope"},
        producer=producer,
        seq=seq,
        prev=prev,
        told=frozenset(name.partition("/")[0] for name in told),
        size=size,
    )


def distinct(events: Iterable[ChainEvent]) -> dict[Digest, ChainEvent]:
    """Each event once, with the earliest time at which it was admitted: repeats have no second effect."""
    found: dict[Digest, ChainEvent] = {}
    for event in events:
        known = found.get(event.digest)
        if known is None or event.admitted_at < known.admitted_at:
            found[event.digest] = event
    return found


def as_uuid(value: object) -> UUID | None:
    """A UUID from what a decoded body holds."""
    if value is None or isinstance(value, UUID):
        return value
    return UUID(bytes=value) if isinstance(value, bytes) else UUID(str(value))


def as_digest(value: object) -> Digest | None:
    """A digest from what a decoded body holds."""
    if value is None or isinstance(value, bytes):
        return value
    return bytes.fromhex(str(value))
