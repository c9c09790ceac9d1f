"""The outbox: an event is signed and kept, in one transaction with its stream's head, before it is sent."""

import json
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, func, insert, select

from casebus_schemas.catalogue.topology import topic as topic_spec
from casebus_schemas.errors import UsageError
from casebus_schemas.wire.compose import Composed, compose
from casebus_schemas.wire.partitioning import partition_of
from casebus_schemas.wire.records import Outgoing
from casebus_schemas.wire.signing import SigningKey
from casebus_schemas.wire.stream_head import StreamHead

from .database import READING, incarnation, open_database, outbox, stream
from .known import remember_event
from .outbox_events import Acknowledged, OutboxStatus, Pending, Queued, ReadyEvent

MAX_VALUE_BYTES = 1_048_576 - 16_384
"""Largest framed value: a channel takes batches of 1 MiB, headers and Kafka's own framing need room."""

# Hot writes stand below SQLAlchemy's compiler: three times as fast.
_INSERT = """
INSERT INTO outbox (id, aggregatetype, aggregateid, type, payload, topic, "partition", key, headers, producer,
                    seq, digest, content, queued_at_ms, receipts_from)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_HEAD = 'SELECT seq, prev FROM stream WHERE producer = ? AND topic = ? AND "partition" = ?'
_MOVE_HEAD = """
INSERT INTO stream (producer, topic, "partition", seq, prev) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (producer, topic, "partition") DO UPDATE SET seq = excluded.seq, prev = excluded.prev
"""


class Outbox:
    """The outbox of one agency. Safe for several processes and threads; each call is one transaction.

    A new, copied or restored file begins a new incarnation, so that no stream ever continues from a head
    that the bus may have seen differently. Rows of earlier incarnations stay and are still sent.
    """

    def __init__(
        self, file: Path, *, agency: str, key: SigningKey, partitions: int, instance: str = "1"
    ) -> None:
        self.file = file
        self.agency = agency
        self.engine = open_database(file)
        self._reading = self.engine.execution_options(**READING)
        self._writers = Lock()
        self._key = key
        self._partitions = partitions
        self._instance = f"{agency}-{instance}"

    def close(self) -> None:
        """Closes the file."""
        self.engine.dispose()

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """A writing transaction on the agency's file.

        Threads of this process queue on a lock of ours: SQLite's own waiting sleeps up to 100 ms a time.
        """
        with self._writers, self.engine.begin() as connection:
            yield connection

    @property
    def producer(self) -> str:
        """`instance.incarnation`, the name of the streams that are signed now."""
        with self.transaction() as connection:
            return self._producer(connection)

    def renew(self) -> str:
        """Begins a new incarnation, as after restoring the file in place; returns the new producer's name."""
        with self.transaction() as connection:
            self._begin_incarnation(connection)
            return self._producer(connection)

    def enqueue(self, events: Sequence[ReadyEvent], *, receipts_from: int | None = None) -> list[Queued]:
        """Signs and keeps events, all or none, in their order. Durable when it returns. Idempotent.

        An event that is there already (same id, same content) is not signed again and comes back
        `repeated`. Raises UsageError if its id stands for another content or its value is too large.
        """
        with self.writing() as writing:
            return [writing.enqueue(event, receipts_from=receipts_from) for event in events]

    @contextmanager
    def writing(self) -> Iterator["Writing"]:
        """One transaction: what is queued and noted in the block is durable after it, or not there at all."""
        with self.transaction() as connection:
            yield Writing(
                connection,
                agency=self.agency,
                producer=self._producer(connection),
                partitions=self._partitions,
                key=self._key,
            )

    def pending(self, after: int, limit: int, max_bytes: int) -> list[Pending]:
        """Rows that wait behind a position, in order: at most `limit`, and one or up to `max_bytes`."""
        query = (
            select(
                outbox.c.position,
                outbox.c.topic,
                outbox.c.partition,
                outbox.c.key,
                outbox.c.payload,
                outbox.c.headers,
            )
            .where(outbox.c.state == "pending", outbox.c.position > after)
            .order_by(outbox.c.position)
            .limit(limit)
        )
        with self._reading.begin() as connection:
            rows: list[Pending] = []
            for found in connection.execute(query):  # row by row: a thousand of them may be a gigabyte
                row = _pending(*found)
                max_bytes -= row.size
                if rows and max_bytes < 0:
                    break
                rows.append(row)
        return rows

    def mark_sent(self, acknowledged: Sequence[Acknowledged]) -> None:
        """Notes what Kafka has acknowledged, in one transaction."""
        with self.transaction() as connection:
            connection.exec_driver_sql(
                "UPDATE outbox SET state = 'sent', sent_at_ms = ?, \"offset\" = ? WHERE position = ?",
                [(ack.at_ms, ack.offset, ack.position) for ack in acknowledged],
            )

    def rows(self, positions: Iterable[int]) -> list[Queued]:
        """The rows at these positions, in order."""
        query = select(outbox).where(outbox.c.position.in_(list(positions))).order_by(outbox.c.position)
        with self._reading.begin() as connection:
            return [_queued(row) for row in connection.execute(query)]

    def status(self) -> OutboxStatus:
        """How it stands now."""
        with self.transaction() as connection:
            by_state = connection.execute(select(outbox.c.state, func.count()).group_by(outbox.c.state))
            counts: dict[str, int] = {row[0]: row[1] for row in by_state}
            oldest = connection.execute(
                select(func.min(outbox.c.queued_at_ms)).where(outbox.c.state == "pending")
            ).scalar()
            streams = connection.execute(select(func.count()).select_from(stream)).scalar_one()
            producer = self._producer(connection)
        return OutboxStatus(producer, counts.get("pending", 0), counts.get("sent", 0), oldest, streams)

    def recent(self, limit: int = 20) -> list[Queued]:
        """The last rows, newest first."""
        query = select(outbox).order_by(outbox.c.position.desc()).limit(limit)
        with self._reading.begin() as connection:
            return [_queued(row) for row in connection.execute(query)]

    # --- within one transaction --------------------------------------------------------------------------

    def _producer(self, connection: Connection) -> str:
        row = connection.execute(
            select(incarnation.c.number, incarnation.c.file).order_by(incarnation.c.number.desc()).limit(1)
        ).first()
        if row is None or row.file != self._inode():
            return f"{self._instance}.{self._begin_incarnation(connection)}"
        return f"{self._instance}.{row.number}"

    def _inode(self) -> str:
        return str(self.file.stat().st_ino)

    def _begin_incarnation(self, connection: Connection) -> int:
        # The clock makes it newer than those of a lost file, the maximum newer than those of this one.
        last = connection.execute(select(func.max(incarnation.c.number))).scalar() or 0
        number = max(_now_ms(), last + 1)
        connection.execute(insert(incarnation).values(number=number, file=self._inode()))
        return number


class Writing:
    """One transaction on the agency's file: queues events and looks up what the agency knows."""

    def __init__(
        self, connection: Connection, *, agency: str, producer: str, partitions: int, key: SigningKey
    ):
        self.connection = connection
        self._agency = agency
        self._producer = producer
        self._partitions = partitions
        self._key = key

    def enqueue(self, event: ReadyEvent, *, receipts_from: int | None = None) -> Queued:
        """Signs and keeps an event, or finds that it is there. Raises UsageError as `Outbox.enqueue` does."""
        connection = self.connection
        if len(event.value) > MAX_VALUE_BYTES:
            raise UsageError(
                f"event {event.id} is too large",
                found=f"{len(event.value)} bytes",
                expected=f"at most {MAX_VALUE_BYTES}",
                remedy="files stay with the sender: name them as annexes",
            )
        there = connection.exec_driver_sql("SELECT * FROM outbox WHERE id = ?", (str(event.id),)).first()
        if there is not None:
            if there.content != event.content:
                raise UsageError(
                    f"event id {event.id} was used for something else",
                    found=f"another content than that queued as {there.type} (digest {there.digest.hex()})",
                    expected="the same content, or another id",
                    remedy="give the new event an id or message number of its own; corrections are events",
                )
            return _queued(there, repeated=True)
        composed = self._sign(event)
        record = composed.record
        now = _now_ms()
        headers = json.dumps([[name, (value or b"").decode()] for name, value in record.headers])
        position = connection.exec_driver_sql(
            _INSERT,
            (
                str(event.id),
                event.channel,
                event.subject,
                event.type,
                record.value,
                record.topic,
                record.partition,
                record.key,
                headers,
                self._producer,
                composed.head.seq,
                composed.digest,
                event.content,
                now,
                receipts_from,
            ),
        ).lastrowid
        remember_event(
            connection,
            digest=composed.digest,
            id=event.id,
            type=event.type,
            source=event.source,
            chain=event.subject,
            references=event.references,
            sent=True,
        )
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

    def _sign(self, event: ReadyEvent) -> Composed:
        connection, producer = self.connection, self._producer
        topic = f"{self._agency}.{event.channel}"
        spec = topic_spec(topic, self._partitions)
        partitions = spec.partitions if spec else self._partitions
        partition = partition_of(event.subject.encode(), partitions)
        place = (producer, topic, partition)
        row = connection.exec_driver_sql(_HEAD, place).first()
        composed = compose(
            value=event.value,
            fingerprint=event.fingerprint,
            id=event.id,
            type=event.type,
            source=event.source,
            time_ms=event.time_ms,
            subject=event.subject,
            topic=topic,
            partitions=partitions,
            producer=producer,
            head=StreamHead() if row is None else StreamHead(row.seq, row.prev),
            key=self._key,
            traceparent=event.traceparent,
        )
        connection.exec_driver_sql(_MOVE_HEAD, (*place, *composed.head))
        return composed


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _pending(position: int, topic: str, partition: int, key: bytes, payload: bytes, headers: str) -> Pending:
    pairs = tuple((name, value.encode()) for name, value in json.loads(headers))
    record = Outgoing(topic, partition, key, payload, pairs)
    return Pending(position, record, len(payload) + len(headers) + len(key))


def _queued(row: Row[Any], *, repeated: bool = False) -> Queued:
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
