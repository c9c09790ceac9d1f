"""One transaction on the agency's file: events are signed and kept in it, each stream's head moves once."""

import json
import sqlite3
import time
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Connection, Row, select

from casebus_schemas.case.placing import Reference
from casebus_schemas.catalogue.topology import topic as topic_spec
from casebus_schemas.errors import UsageError
from casebus_schemas.wire.codec import MAX_VALUE_BYTES
from casebus_schemas.wire.compose import Composed, compose
from casebus_schemas.wire.headers import EventHeaders
from casebus_schemas.wire.partitioning import partition_of
from casebus_schemas.wire.records import Headers
from casebus_schemas.wire.signing import SigningKey
from casebus_schemas.wire.stream_head import StreamHead

from .database import outbox
from .known import KnownEvent, chain_of_reference, event_of_digest, events_of_id, remember_references
from .outbox_events import Queued, ReadyEvent

# Hot statements go to the driver itself: SQLAlchemy's own work on one takes four times as long as SQLite's.
_THERE = "SELECT position, content FROM outbox WHERE id = ?"
_INSERT = """
INSERT INTO outbox (id, aggregatetype, aggregateid, type, payload, topic, "partition", key, headers, producer,
                    seq, digest, content, queued_at_ms, receipts_from)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_SIGNED_AGAIN = """
UPDATE outbox SET producer = ?, seq = ?, digest = ?, headers = ?, state = 'pending', sent_at_ms = NULL,
                  "offset" = NULL, queued_at_ms = ?, receipts_from = coalesce(?, receipts_from)
WHERE position = ?
"""
_SIGNED_BEFORE = "INSERT INTO signed_before (digest, id) SELECT digest, id FROM outbox WHERE position = ?"
_VERDICT = """
SELECT stage FROM receipt WHERE digest = (SELECT digest FROM outbox WHERE position = ? AND state = 'sent')
AND stage IN ('admitted', 'refused') ORDER BY seq DESC LIMIT 1
"""
_HEAD = 'SELECT seq, prev FROM stream WHERE producer = ? AND topic = ? AND "partition" = ?'
_MOVE_HEAD = """
INSERT INTO stream (producer, topic, "partition", seq, prev) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (producer, topic, "partition") DO UPDATE SET seq = excluded.seq, prev = excluded.prev
"""
_Place = tuple[str, str, int]


def driver_of(connection: Connection) -> sqlite3.Connection:
    """The driver's own connection below SQLAlchemy's: the same transaction."""
    driver: Any = connection.connection.dbapi_connection
    return cast("sqlite3.Connection", driver)


class Writing:
    """One transaction on the agency's file: queues events and looks up what the agency knows.

    Whoever opened it calls `finish` before it is committed.
    """

    def __init__(
        self, connection: Connection, *, agency: str, producer: str, partitions: int, key: SigningKey
    ):
        self.connection = connection
        self._driver = driver_of(connection)
        self._agency = agency
        self._producer = producer
        self._partitions = partitions
        self._key = key
        self._heads: dict[_Place, StreamHead] = {}
        self._moved: set[_Place] = set()
        self._chains: dict[Reference, str] = {}

    def finish(self) -> None:
        """Keeps the heads of the streams that moved."""
        moved = [(*place, *self._heads[place]) for place in self._moved]
        self._driver.executemany(_MOVE_HEAD, moved)
        self._moved.clear()

    def enqueue(self, event: ReadyEvent, *, receipts_from: int | None = None) -> Queued:
        """Signs and keeps an event, or finds that it is there. Raises UsageError as `Outbox.enqueue` does."""
        if len(event.value) > MAX_VALUE_BYTES:
            raise UsageError(
                f"event {event.id} is too large",
                found=f"{len(event.value)} bytes",
                expected=f"at most {MAX_VALUE_BYTES}",
                remedy="files stay with the sender: name them as annexes",
            )
        id, content = str(event.id), event.content
        there = self._driver.execute(_THERE, (id,)).fetchone()
        if there is not None:
            if content == there[1] and self._was_refused(there[0]):
                self._sign_again(event, there[0], receipts_from)
            return self._repeated(event, there[0], content == there[1])
        place, composed = self._sign(event)
        record = composed.record
        now = _now_ms()
        position = self._driver.execute(
            _INSERT,
            (
                id,
                event.channel,
                event.subject,
                event.type,
                record.value,
                record.topic,
                record.partition,
                record.key,
                _text_of(record.headers),
                self._producer,
                composed.head.seq,
                composed.digest,
                content,
                now,
                receipts_from,
            ),
        ).lastrowid
        assert position is not None
        self._heads[place] = composed.head
        self._moved.add(place)
        self._remember(event)
        return Queued(
            position,
            event.id,
            event.type,
            event.subject,
            composed.digest,
            record.topic,
            record.partition,
            now,
            receipts_from,
            None,
            None,
        )

    def renumber(self) -> int:
        """Signs all that waits anew, under the numbers of the producer that signs now; returns how much."""
        waiting = self.connection.execute(
            select(outbox).where(outbox.c.state == "pending").order_by(outbox.c.position)
        ).all()
        for row in waiting:
            self._sign_again(_ready_of(row), row.position, row.receipts_from)
        return len(waiting)

    def _was_refused(self, position: int) -> bool:
        """Whether the last verdict on an event that was sent is a refusal, by the receipts that were kept."""
        verdict = self._driver.execute(_VERDICT, (position,)).fetchone()
        return verdict is not None and verdict[0] == "refused"

    def _sign_again(self, event: ReadyEvent, position: int, receipts_from: int | None) -> None:
        place, composed = self._sign(event)
        self._driver.execute(_SIGNED_BEFORE, (position,))
        head = composed.head
        signed = (self._producer, head.seq, composed.digest, _text_of(composed.record.headers))
        self._driver.execute(_SIGNED_AGAIN, (*signed, _now_ms(), receipts_from, position))
        self._heads[place] = head
        self._moved.add(place)

    def _repeated(self, event: ReadyEvent, position: int, same: bool) -> Queued:
        row = self.connection.execute(select(outbox).where(outbox.c.position == position)).one()
        if not same:
            raise UsageError(
                f"event id {event.id} was used for something else",
                found=f"another content than that queued as {row.type} (digest {row.digest.hex()})",
                expected="the same content, or another id",
                remedy="give the new event an id or message number of its own; corrections are events",
            )
        return queued_of(row, repeated=True)  # also of one that was refused and now waits again

    def events_of_id(self, id: UUID) -> list[KnownEvent]:
        """The known events of that id, by digest: usually one; several where an id was used twice."""
        return events_of_id(self._driver, id)

    def event_of_digest(self, digest: bytes) -> KnownEvent | None:
        """The known event of that digest."""
        return event_of_digest(self._driver, digest)

    def chain_of(self, reference: Reference) -> str | None:
        """The chain to which a reference belongs, if it is known."""
        chain = self._chains.get(reference) or chain_of_reference(self._driver, reference)
        if chain is not None:
            self._chains[reference] = chain
        return chain

    def _remember(self, event: ReadyEvent) -> None:
        fresh = [reference for reference in event.references if reference not in self._chains]
        if fresh:
            remember_references(self._driver, fresh, event.subject)

    def _sign(self, event: ReadyEvent) -> tuple[_Place, Composed]:
        topic = f"{self._agency}.{event.channel}"
        spec = topic_spec(topic, self._partitions)
        partitions = spec.partitions if spec else self._partitions
        place = (self._producer, topic, partition_of(event.subject.encode(), partitions))
        head = self._heads.get(place)
        if head is None:
            row = self._driver.execute(_HEAD, place).fetchone()
            head = self._heads[place] = StreamHead() if row is None else StreamHead(*row)
        return place, compose(
            value=event.value,
            fingerprint=event.fingerprint,
            id=event.id,
            type=event.type,
            source=event.source,
            time_ms=event.time_ms,
            subject=event.subject,
            topic=topic,
            partitions=partitions,
            producer=self._producer,
            head=head,
            key=self._key,
            traceparent=event.traceparent,
        )


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _text_of(headers: Headers) -> str:
    return json.dumps([(name, (value or b"").decode()) for name, value in headers])


def _ready_of(row: Row[Any]) -> ReadyEvent:
    headers = EventHeaders.parse((name, text.encode()) for name, text in json.loads(row.headers))
    return ReadyEvent(
        id=headers.id,
        type=headers.type,
        source=headers.source,
        time_ms=headers.time_ms,
        subject=headers.subject,
        channel=row.aggregatetype,
        value=row.payload,
        fingerprint=headers.fingerprint,
        traceparent=headers.traceparent,
    )


def queued_of(row: Row[Any], *, repeated: bool = False) -> Queued:
    """What a row of the outbox says."""
    return Queued(
        position=row.position,
        id=UUID(row.id),
        type=row.type,
        chain=row.aggregateid,
        digest=row.digest,
        topic=row.topic,
        partition=row.partition,
        queued_at_ms=row.queued_at_ms,
        receipts_from=row.receipts_from,
        offset=row._mapping["offset"],
        sent_at_ms=row.sent_at_ms,
        repeated=repeated,
    )
