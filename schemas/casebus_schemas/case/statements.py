"""Statements of account: what an agency says that it holds of each chain, and what the bus knows of it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import NamedTuple

from casebus_schemas.times import midnight

from .chain import ChainEvent, as_uuid

STATEMENT = "statement.account"
MOST_PARTS = 10
"""Events of which one statement may consist: of each agency so many are read, the last ones."""
MOST_HASHED = 50_000
"""Events of one chain whose digests are compared, beyond that their numbers only."""


class Held(NamedTuple):
    """What an agency holds of a chain: its own events, those of others that reached it, and which they are.

    The digest is SHA-256 of the sorted digests of all of them; None where there are too many.
    """

    sent: int
    received: int
    digest: bytes | None

    def agrees(self, other: "Held") -> bool:
        """Whether both hold the same."""
        known = None not in (self.digest, other.digest)
        same = not known or self.digest == other.digest
        return same and (self.sent, self.received) == (other.sent, other.received)


NOTHING = Held(0, 0, sha256(b"").digest())


@dataclass(frozen=True, slots=True)
class Statement:
    """What an agency states last, in one event or several of the same time and period; `lines` by chain.

    Counted are events that the bus admitted before `as_of`, with a period those of its days only.
    """

    agency: str
    events: tuple[ChainEvent, ...]
    as_of: datetime
    lines: Mapping[str, Held]
    since: datetime | None = None

    def counts(self, admitted_at: datetime) -> bool:
        """Whether it is about events that were admitted at that time."""
        return admitted_at < self.as_of and (self.since is None or self.since <= admitted_at)


class Counting:
    """Counts what one agency holds of one chain, event by event."""

    def __init__(self) -> None:
        self._sent = 0
        self._received = 0
        self._digests: list[bytes] | None = []

    def add(self, digest: bytes, *, own: bool) -> None:
        """Takes an event that it said, or that others told it; each once."""
        if own:
            self._sent += 1
        else:
            self._received += 1
        if self._digests is not None:
            self._digests.append(digest)
            if len(self._digests) > MOST_HASHED:
                self._digests = None

    def held(self) -> Held:
        """What was counted."""
        digest = None if self._digests is None else sha256(b"".join(sorted(self._digests))).digest()
        return Held(self._sent, self._received, digest)


@dataclass(slots=True)
class Heard:
    """What counts for a statement of one event: who said it, whom it was told, since when the bus has it."""

    digest: bytes
    agency: str
    told: frozenset[str]
    admitted_at: datetime


@dataclass(slots=True)
class Difference:
    """A line that is not what the bus knows; `stated` or `known` is NOTHING where there is none.

    `others` are agencies whose events of the chain were told to it.
    """

    statement: Statement
    chain: str
    stated: Held
    known: Held
    others: tuple[str, ...] = ()


@dataclass(slots=True)
class Comparison:
    """Holds the last statement of each agency against the bus, chain by chain; each chain is taken once."""

    statements: Mapping[str, Statement]
    differences: list[Difference] = field(default_factory=list)
    _met: dict[str, set[str]] = field(default_factory=dict)
    _chain: str | None = None
    _counts: dict[str, Counting] = field(default_factory=dict)
    _others: dict[str, set[str]] = field(default_factory=dict)

    def take(self, chain: str, event: Heard) -> None:
        """Takes an event; those of a chain follow each other."""
        if chain != self._chain:
            self._close()
            self._chain = chain
        for agency, statement in self.statements.items():
            if not statement.counts(event.admitted_at):
                continue
            own = event.agency == agency
            if own or agency in event.told:
                self._counts.setdefault(agency, Counting()).add(event.digest, own=own)
                if not own:
                    self._others.setdefault(agency, set()).add(event.agency)

    def finish(self) -> list[Difference]:
        """What does not agree, once every chain was taken, by agency and chain."""
        self._close()
        for agency, statement in self.statements.items():
            met = self._met.get(agency, set())
            for chain, stated in statement.lines.items():
                if chain not in met and stated != NOTHING:
                    self.differences.append(Difference(statement, chain, stated, NOTHING))
        return sorted(self.differences, key=lambda one: (one.statement.agency, one.chain))

    def _close(self) -> None:
        for agency, counting in self._counts.items():
            statement, known = self.statements[agency], counting.held()
            stated = statement.lines.get(self._chain or "", NOTHING)
            self._met.setdefault(agency, set()).add(self._chain or "")
            if not stated.agrees(known):
                others = tuple(sorted(self._others.get(agency, ())))
                self.differences.append(Difference(statement, self._chain or "", stated, known, others))
        self._counts, self._others = {}, {}


def last_statements(events: Iterable[ChainEvent]) -> dict[str, Statement]:
    """The last statement of each agency: those of its last `MOST_PARTS` events of the latest `as_of`."""
    said: dict[str, dict[bytes, ChainEvent]] = {}
    for event in events:
        if event.type == STATEMENT:
            said.setdefault(event.agency, {})[event.digest] = event
    found = {}
    for agency, of in sorted(said.items()):
        last = sorted(of.values(), key=lambda event: (event.admitted_at, event.digest))[-MOST_PARTS:]
        time, since = max(map(_span, last), key=lambda span: (span[0], span[1] is None, span[1] or span[0]))
        parts = tuple(event for event in last if _span(event) == (time, since))
        found[agency] = Statement(agency, parts, time, dict(_lines(parts)), since)
    return found


def _span(event: ChainEvent) -> tuple[datetime, datetime | None]:
    """Up to when a statement counts, and from when on: nobody states what is to come."""
    as_of, period = min(event.data["as_of"], event.admitted_at), event.data.get("period")
    if period is None:
        return as_of, None
    return min(as_of, midnight(period["to"]) + timedelta(days=1)), midnight(period["from"])


def _lines(events: Iterable[ChainEvent]) -> Iterator[tuple[str, Held]]:
    for event in events:
        for line in event.data.get("chains") or ():
            yield str(as_uuid(line["chain"])), Held(line["sent"], line["received"], bytes(line["digest"]))
