"""What a verification finds: each damage by table, log and row, and the whole as one verdict."""

from dataclasses import dataclass, field
from typing import Any

from casebus_services.reconciler.stepped_over import StepOverOrder

from .drop_orders import DropOrder
from .retention import Shredded

MOST_DAMAGES = 1000
"""Damages named one by one; further ones are only counted."""


@dataclass(frozen=True, slots=True)
class Damage:
    """A row or run of rows that is not what it must be. `row` is its place, `log` the log's origin."""

    table: str
    log: str | None
    row: str
    found: str
    expected: str

    def to_json(self) -> dict[str, Any]:
        """As a JSON object."""
        return {
            "table": self.table,
            "log": self.log,
            "row": self.row,
            "found": self.found,
            "expected": self.expected,
        }

    def __str__(self) -> str:
        where = f"{self.table} of {self.log}" if self.log else self.table
        return f"{where}, {self.row}: found {self.found}, expected {self.expected}"


@dataclass(frozen=True, slots=True)
class LogSummary:
    """A log as its last batch row states it."""

    origin: str
    size: int
    root: bytes
    next_offset: int

    def to_json(self) -> dict[str, Any]:
        """As a JSON object."""
        return {
            "origin": self.origin,
            "size": self.size,
            "root": self.root.hex(),
            "next_offset": self.next_offset,
        }


@dataclass(frozen=True, slots=True)
class Dropped:
    """An entry whose content was removed by a ledgered order; its leaf is there and checked."""

    log: str
    index: int
    order: DropOrder

    def to_json(self) -> dict[str, Any]:
        """As a JSON object."""
        return {"log": self.log, "index": self.index, "order": self.order.place, "why": self.order.reasons}

    def __str__(self) -> str:
        return f"{self.log}, index {self.index}: allowed by entry {self.order.place}: {self.order.reasons}"


@dataclass(frozen=True, slots=True)
class Doubt:
    """A record that is signed rightly, under a key that was in other hands by then; it stays."""

    place: str
    why: str

    def to_json(self) -> dict[str, Any]:
        """As a JSON object."""
        return {"place": self.place, "why": self.why}

    def __str__(self) -> str:
        return f"{self.place}: {self.why}"


@dataclass(slots=True)
class VerifyReport:
    """The verdict: what was looked at, and what is damaged."""

    entries: int = 0
    payloads: int = 0
    tiles: int = 0
    compared: int | None = None
    """Records compared with Kafka; None if Kafka was not asked."""
    signatures: int = 0
    """Signatures read, of admissions and events."""
    origins_awaited: int = 0
    """Admissions whose origin lies behind the end of its log: a running ledger may be about to write it."""
    signature_seconds: float = 0.0
    seconds: float = 0.0
    logs: list[LogSummary] = field(default_factory=list)
    head: LogSummary | None = None
    """The log of epochs; None where nothing is sealed yet."""
    epochs: int = 0
    checkpoints: int = 0
    cosignatures: int = 0
    heads_compared: int | None = None
    """Heads in Kafka under the log's key that were compared with checkpoints; None if Kafka was not asked."""
    log_key: str | None = None
    """The key under which checkpoints were verified; None: their signatures were not looked at."""
    damages: list[Damage] = field(default_factory=list)
    damage_count: int = 0
    orders: tuple[DropOrder, ...] = ()
    """What allows content to be gone: orders under a key of the bus, `retention.purged` of who said it."""
    dropped: list[Dropped] = field(default_factory=list)
    dropped_count: int = 0
    shredded: list[Shredded] = field(default_factory=list)
    """Data keys that agencies have destroyed: what was sealed under them is there, and opens by them no more.
    """
    kept: list[DropOrder] = field(default_factory=list)
    """Orders whose content is there: not carried out yet, or said anew."""
    stepped_over: list[StepOverOrder] = field(default_factory=list)
    """Orders behind which the reconciler went on: what each names is forged, and stands in `damages` too."""
    doubts: list[Doubt] = field(default_factory=list)
    """What is signed under keys that were compromised by then: shown, no damage."""
    doubt_count: int = 0
    genesis: bytes | None = None
    """SHA-256 of the genesis file by which the first keys were judged; None: each first key was believed."""
    genesis_notes: tuple[str, ...] = ()
    """Keys that the genesis file does not pin."""
    shared_keys: list[str] = field(default_factory=list)
    """Keys that agencies announced although they are somebody else's, or for another purpose."""
    step_over_orders: int = 0
    """All such orders under a key of the bus; the others name nothing that is forged."""

    def order_for(self, digest: bytes) -> DropOrder | None:
        """The first order to remove this content."""
        return next((order for order in self.orders if order.value_sha256 == digest), None)

    def drop(self, log: str, index: int, order: DropOrder) -> None:
        """Notes an entry whose content was removed by order."""
        self.dropped_count += 1
        if len(self.dropped) < MOST_DAMAGES:
            self.dropped.append(Dropped(log, index, order))

    def doubt(self, place: str, why: str) -> None:
        """Notes a record that is in doubt."""
        self.doubt_count += 1
        if len(self.doubts) < MOST_DAMAGES:
            self.doubts.append(Doubt(place, why))

    def removed_before(self, topic: str, partition: int) -> int:
        """The offset below which Kafka's copies were removed by order."""
        return max(
            (
                order.kafka_before or 0
                for order in self.orders
                if (order.origin.topic, order.origin.partition) == (topic, partition)
            ),
            default=0,
        )

    @property
    def ok(self) -> bool:
        """Whether nothing is damaged."""
        return self.damage_count == 0

    def add(self, table: str, log: str | None, row: str, *, found: str, expected: str) -> None:
        """Notes a damage."""
        self.damage_count += 1
        if len(self.damages) < MOST_DAMAGES:
            self.damages.append(Damage(table, log, row, found, expected))

    def take(self, part: "VerifyReport") -> None:
        """Adds what was found of a part of the ledger."""
        self.entries += part.entries
        self.payloads += part.payloads
        self.tiles += part.tiles
        self.logs += part.logs
        self.damage_count += part.damage_count
        self.damages += part.damages[: MOST_DAMAGES - len(self.damages)]
        self.dropped_count += part.dropped_count
        self.dropped += part.dropped[: MOST_DAMAGES - len(self.dropped)]

    def to_json(self) -> dict[str, Any]:
        """The report as one JSON object."""
        return {
            "ok": self.ok,
            "entries": self.entries,
            "payloads": self.payloads,
            "tiles": self.tiles,
            "compared": self.compared,
            "signatures": self.signatures,
            "origins_awaited": self.origins_awaited,
            "signature_seconds": round(self.signature_seconds, 3),
            "logs": [log.to_json() for log in self.logs],
            "head": None if self.head is None else self.head.to_json(),
            "epochs": self.epochs,
            "checkpoints": self.checkpoints,
            "cosignatures": self.cosignatures,
            "heads_compared": self.heads_compared,
            "log_key": self.log_key,
            "damage_count": self.damage_count,
            "damages": [damage.to_json() for damage in self.damages],
            "dropped_count": self.dropped_count,
            "dropped": [one.to_json() for one in self.dropped],
            "shredded": [one.to_json() for one in self.shredded],
            "ordered_but_there": [order.place for order in self.kept],
            "stepped_over": [{"origin": str(o.order.origin), **o.to_json()} for o in self.stepped_over],
            "step_over_orders": self.step_over_orders,
            "genesis": None if self.genesis is None else self.genesis.hex(),
            "genesis_notes": list(self.genesis_notes),
            "shared_keys": self.shared_keys,
            "doubt_count": self.doubt_count,
            "doubts": [one.to_json() for one in self.doubts],
            "seconds": round(self.seconds, 3),
        }
