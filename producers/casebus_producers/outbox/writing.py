"""One transaction on the agency's file: events are signed and kept in it, each stream's head moves once."""

import json
import sqlite3
import time
from dataclasses import replace
from typing import Any
from uuid import UUID

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

from ..known import KnownEvent, chain_of_reference, event_of_digest, events_of_id, remember_references
from .despite_law import note
from .outbox_events import Queued, ReadyEvent

_THERE = "SELECT position, content FROM outbox WHERE id = ?"
_INSERT = """
INSERT INTO outbox (id, aggregatetype, aggregateid, type, payload, topic, "partition", key, headers, producer,
                    seq, digest, content, queued_at_ms, receipts_from)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_SIGNED_AGAIN = """
UPDATE outbox SET producer = ?, seq = ?, digest = ?, payload = ?, headers = ?, state = 'pending',
                  sent_at_ms = NULL, "offset" = NULL, queued_at_ms = ?,
                  receipts_from = coalesce(?, receipts_from)
WHERE position = ?
"""
_SIGNED_BEFORE = "INSERT INTO signed_before (digest, id) SELECT digest, id FROM outbox WHERE position = ?"
_VERDICT = """
SELECT stage FROM receipt WHERE digest = (SELECT digest FROM outbox WHERE position = ? AND state = 'sent')
AND stage IN ('admitted', 'refused') ORDER BY seq DESC LIMIT 1
"""
_WAITING = """
SELECT position, headers, aggregatetype, payload, receipts_from FROM outbox
WHERE state = 'pending' ORDER BY position
"""
QUEUED = """
SELECT position, id, type, aggregateid, digest, topic, "partition", queued_at_ms, receipts_from, "offset",
       sent_at_ms
FROM outbox
"""
"""What `queued_of` reads."""
_HEAD = 'SELECT seq, prev FROM stream WHERE producer = ? AND topic = ? AND "partition" = ?'
_MOVE_HEAD = """
INSERT INTO stream (producer, topic, "partition", seq, prev) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (producer, topic, "partition") DO UPDATE SET seq = excluded.seq, prev = excluded.prev
"""
_Place = tuple[str, str, int]


class Writing:
    """One transaction on the agency's file: queues events and looks up what the agency knows.

    Whoever opened it calls `finish` before it is committed.
    """

    def __init__(
        self, connection: sqlite3.Connection, *, agency: str, producer: str, partitions: int, key: SigningKey
    ):
        self.connection = connection
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
        self.connection.executemany(_MOVE_HEAD, moved)
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
        there = self.connection.execute(_THERE, (id,)).fetchone()
        if there is not None:
            if content == there[1] and self._was_refused(there[0]):
                self._sign_again(event, there[0], receipts_from)
            return self._repeated(event, there[0], content == there[1])
        place, composed = self._sign(event)
        record = composed.record
        now = _now_ms()
        position = self.connection.execute(
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
        for despite in event.despite:
            note(self.connection, event.id, despite, now)
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

    def holds(self, id: UUID) -> bool:
        """Whether the outbox has an event of this id."""
        return self.connection.execute(_THERE, (str(id),)).fetchone() is not None

    def renumber(self) -> None:
        """Signs all that waits anew, in its order, under the numbers of the producer that signs now."""
        for position, headers, channel, payload, receipts_from in self.connection.execute(
            _WAITING
        ).fetchall():
            self._sign_again(_ready_of(headers, channel, payload), position, receipts_from)

    def _was_refused(self, position: int) -> bool:
        """Whether the last verdict on an event that was sent is a refusal, by the receipts that were kept."""
        verdict = self.connection.execute(_VERDICT, (position,)).fetchone()
        return verdict is not None and verdict[0] == "refused"

    def _sign_again(self, event: ReadyEvent, position: int, receipts_from: int | None) -> None:
        place, composed = self._sign(event)
        self.connection.execute(_SIGNED_BEFORE, (position,))
        record = composed.record
        signed = (self._producer, composed.head.seq, composed.digest, record.value, _text_of(record.headers))
        self.connection.execute(_SIGNED_AGAIN, (*signed, _now_ms(), receipts_from, position))
        self._heads[place] = composed.head
        self._moved.add(place)

    def _repeated(self, event: ReadyEvent, position: int, same: bool) -> Queued:
        row = self.connection.execute(f"{QUEUED} WHERE position = ?", (position,)).fetchone()
        there = queued_of(row, repeated=True)
        if not same:
            raise UsageError(
                f"event id {event.id} was used for something else",
                found=f"another content than that queued as {there.type} (digest {there.digest.hex()})",
                expected="the same content, or another id",
                remedy="give the new event an id or message number of its own; corrections are events",
            )
        return there

    def events_of_id(self, id: UUID) -> list[KnownEvent]:
        """The known events of that id, its own first: usually one; several where an id was used twice."""
        return events_of_id(self.connection, id)

    def event_of_digest(self, digest: bytes) -> KnownEvent | None:
        """The known event of that digest."""
        return event_of_digest(self.connection, digest)

    def chain_of(self, reference: Reference) -> str | None:
        """The chain to which a reference belongs, if it is known."""
        chain = self._chains.get(reference) or chain_of_reference(self.connection, reference, self._agency)
        if chain is not None:
            self._chains[reference] = chain
        return chain

    def _remember(self, event: ReadyEvent) -> None:
        fresh = [reference for reference in event.references if reference not in self._chains]
        if fresh:
            remember_references(self.connection, fresh, event.subject)

    def _sign(self, event: ReadyEvent) -> tuple[_Place, Composed]:
        topic = f"{self._agency}.{event.channel}"
        spec = topic_spec(topic, self._partitions)
        partitions = spec.partitions if spec else self._partitions
        place = (self._producer, topic, partition_of(event.subject.encode(), partitions))
        head = self._heads.get(place)
        if head is None:
            row = self.connection.execute(_HEAD, place).fetchone()
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


def _ready_of(headers: str, channel: str, value: bytes) -> ReadyEvent:
    said = EventHeaders.parse((name, text.encode()) for name, text in json.loads(headers))
    return ReadyEvent(
        id=said.id,
        type=said.type,
        source=said.source,
        time_ms=said.time_ms,
        subject=said.subject,
        channel=channel,
        value=value,
        fingerprint=said.fingerprint,
        traceparent=said.traceparent,
    )


def queued_of(row: tuple[Any, ...], *, repeated: bool = False) -> Queued:
    """What a row of the outbox says."""
    return replace(Queued(row[0], UUID(row[1]), *row[2:]), repeated=repeated)
