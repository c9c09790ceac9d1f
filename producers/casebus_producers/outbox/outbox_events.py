"""What an agency says, on its way through the outbox: ready, queued, waiting, acknowledged."""

from dataclasses import dataclass
from hashlib import sha256
from typing import NamedTuple
from uuid import UUID

from casebus_schemas.case.placing import Reference
from casebus_schemas.wire.records import Outgoing

from .despite_law import Despite


@dataclass(frozen=True, slots=True)
class ReadyEvent:
    """A checked event: all that is said, encoded; not yet signed. `subject` is the chain id.

    `said` is the value as the sender gave it, where the connector has filled something in; `despite` is what
    forbids it, where it is said for a reason all the same.
    """

    id: UUID
    type: str
    source: str
    time_ms: int
    subject: str
    channel: str
    value: bytes
    fingerprint: bytes
    references: tuple[Reference, ...] = ()
    traceparent: str | None = None
    said: bytes | None = None
    despite: tuple[Despite, ...] = ()

    @property
    def content(self) -> bytes:
        """SHA-256 of what is said: equal for a repeat, whatever number the stream gives it."""
        said = (self.type, self.source, str(self.time_ms), self.subject, self.fingerprint.hex())
        value = self.value if self.said is None else self.said
        return sha256("\n".join(said).encode() + b"\n" + value).digest()


@dataclass(frozen=True, slots=True)
class Queued:
    """An event in the outbox. `offset` and `sent_at_ms` are None until Kafka has acknowledged it."""

    position: int
    id: UUID
    type: str
    chain: str
    digest: bytes
    topic: str
    partition: int
    queued_at_ms: int
    receipts_from: int | None
    offset: int | None
    sent_at_ms: int | None
    repeated: bool = False

    @property
    def sent(self) -> bool:
        """Whether Kafka has acknowledged it."""
        return self.sent_at_ms is not None


class Pending(NamedTuple):
    """A row that waits for Kafka."""

    position: int
    record: Outgoing
    size: int


class Acknowledged(NamedTuple):
    """What Kafka said of a row: its offset (None where it could not tell) and when it took it."""

    position: int
    offset: int | None
    at_ms: int


@dataclass(frozen=True, slots=True)
class OutboxStatus:
    """How much waits, how much was sent, and since when the oldest waits."""

    producer: str
    pending: int
    sent: int
    oldest_pending_ms: int | None
    streams: int
