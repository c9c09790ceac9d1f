"""The outbox: an event is signed and kept, in one transaction with its stream's head, before it is sent."""

import json
import sqlite3
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import TypeVar

from casebus_schemas.errors import UsageError
from casebus_schemas.wire.records import Outgoing
from casebus_schemas.wire.signing import SigningKey

from ..outbox_file import Database
from .outbox_events import Acknowledged, OutboxStatus, Pending, Queued, ReadyEvent
from .relay_lock import take_relay_lock
from .turns import Turn
from .writing import QUEUED, Writing, queued_of

_INCARNATION = "SELECT number, file FROM incarnation ORDER BY number DESC LIMIT 1"
_PENDING = """
SELECT position, topic, "partition", "key", payload, headers FROM outbox
WHERE state = 'pending' AND position > ? ORDER BY position LIMIT ?
"""
_OLDEST = "SELECT min(queued_at_ms) FROM outbox WHERE state = 'pending'"
_T = TypeVar("_T")


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
        self.database = Database(file)
        self._writers = Lock()
        self._turns: deque[Turn] = deque()
        self._key = key
        self._partitions = partitions
        self._instance = f"{agency}-{instance}"

    def close(self) -> None:
        """Closes the file."""
        self.database.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """A writing transaction on the agency's file.

        Threads of this process queue on a lock of ours: SQLite's own waiting sleeps up to 100 ms a time.
        """
        with self._writers, self.database.transaction() as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A transaction that only reads and waits for no writer."""
        with self.database.transaction(reads=True) as connection:
            yield connection

    def together(self, work: Callable[[Writing], _T]) -> _T:
        """What `work` returns, durable when this returns; threads that come at one time share a transaction.

        `work` may run in another of these threads, and again if the shared transaction failed. A UsageError
        that it raises before it has written anything is its caller's alone.
        """
        turn = Turn(work)
        self._turns.append(turn)
        with self._writers:
            if not turn.over:
                self._take_turns(turn)
        result: _T = turn.result()
        return result

    @property
    def producer(self) -> str:
        """`instance.incarnation`, the name of the streams that are signed now."""
        with self.transaction() as connection:
            return self._producer(connection)

    def renew(self) -> str:
        """Begins a new incarnation, as after restoring the file in place; returns the new producer's name.

        What waits is signed anew under it. Raises UsageError while another program sends it.
        """
        lock = take_relay_lock(self.file)
        if lock is None:
            raise UsageError(
                "another program sends what waits in this outbox",
                found=str(self.file),
                expected="nobody who relays it",
                remedy="stop that program first",
            )
        with lock:
            with self.transaction() as connection:
                self._begin_incarnation(connection)
            with self.writing() as writing:
                writing.renumber()
        return self.producer

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
        with self._writers, self._written() as writing:
            yield writing

    def pending(self, after: int, limit: int, max_bytes: int) -> list[Pending]:
        """Rows that wait behind a position, in order: at most `limit`, and one or up to `max_bytes`."""
        with self.reading() as connection:
            rows: list[Pending] = []
            for found in connection.execute(
                _PENDING, (after, limit)
            ):  # row by row: a thousand of them may be a gigabyte
                row = _pending(*found)
                max_bytes -= row.size
                if rows and max_bytes < 0:
                    break
                rows.append(row)
        return rows

    def mark_sent(self, acknowledged: Sequence[Acknowledged]) -> None:
        """Notes what Kafka has acknowledged, in one transaction."""
        with self.transaction() as connection:
            connection.executemany(
                "UPDATE outbox SET state = 'sent', sent_at_ms = ?, \"offset\" = ? WHERE position = ?",
                [(ack.at_ms, ack.offset, ack.position) for ack in acknowledged],
            )

    def rows(self, positions: Iterable[int]) -> list[Queued]:
        """The rows at these positions, in order."""
        wanted = list(positions)
        marks = ", ".join("?" * len(wanted))
        with self.reading() as connection:
            found = connection.execute(f"{QUEUED} WHERE position IN ({marks}) ORDER BY position", wanted)
            return [queued_of(row) for row in found]

    def waiting(self) -> int:
        """How many rows Kafka has not acknowledged."""
        with self.reading() as connection:
            (number,) = connection.execute("SELECT count(*) FROM outbox WHERE state = 'pending'").fetchone()
        return int(number)

    def status(self) -> OutboxStatus:
        """How it stands now."""
        with self.transaction() as connection:
            counts = dict(connection.execute("SELECT state, count(*) FROM outbox GROUP BY state").fetchall())
            (oldest,) = connection.execute(_OLDEST).fetchone()
            (streams,) = connection.execute("SELECT count(*) FROM stream").fetchone()
            producer = self._producer(connection)
        return OutboxStatus(producer, counts.get("pending", 0), counts.get("sent", 0), oldest, streams)

    def recent(self, limit: int = 20) -> list[Queued]:
        """The last rows, newest first."""
        with self.reading() as connection:
            found = connection.execute(f"{QUEUED} ORDER BY position DESC LIMIT ?", (limit,))
            return [queued_of(row) for row in found]

    # --- within one transaction --------------------------------------------------------------------------

    @contextmanager
    def _written(self) -> Iterator[Writing]:
        with self.database.transaction() as connection:
            writing = Writing(
                connection,
                agency=self.agency,
                producer=self._producer(connection),
                partitions=self._partitions,
                key=self._key,
            )
            yield writing
            writing.finish()

    def _take_turns(self, mine: Turn) -> None:
        """Ends all turns that wait, `mine` among them, in one transaction."""
        turns = list(self._turns)
        try:
            with self._written() as writing:
                for turn in turns:
                    turn.run(writing)
            for turn in turns:
                turn.end()
        except Exception as error:  # noqa: BLE001 - handed to the caller whose turn it is
            if len(turns) == 1:
                mine.fail(error)
            else:
                # One of them broke the transaction of all.
                for turn in turns:
                    self._alone(turn)
        finally:
            # Whatever ended this thread, its own turn must not be left to others.
            for turn in turns:
                if turn.over or turn is mine:
                    self._turns.remove(turn)

    def _alone(self, turn: Turn) -> None:
        try:
            with self._written() as writing:
                turn.run(writing)
            turn.end()
        except Exception as error:  # noqa: BLE001 - handed to the caller whose turn it is
            turn.fail(error)

    def _producer(self, connection: sqlite3.Connection) -> str:
        row = connection.execute(_INCARNATION).fetchone()
        if row is None or row[1] != self._inode():
            return f"{self._instance}.{self._begin_incarnation(connection)}"
        return f"{self._instance}.{row[0]}"

    def _inode(self) -> str:
        return str(self.file.stat().st_ino)

    def _begin_incarnation(self, connection: sqlite3.Connection) -> int:
        # The clock makes it newer than those of a lost file, the maximum newer than those of this one.
        (last,) = connection.execute("SELECT max(number) FROM incarnation").fetchone()
        number = max(_now_ms(), (last or 0) + 1)
        connection.execute("INSERT INTO incarnation (number, file) VALUES (?, ?)", (number, self._inode()))
        return number


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _pending(position: int, topic: str, partition: int, key: bytes, payload: bytes, headers: str) -> Pending:
    pairs = tuple((name, value.encode()) for name, value in json.loads(headers))
    record = Outgoing(topic, partition, key, payload, pairs)
    return Pending(position, record, len(payload) + len(headers) + len(key))
