"""How far the ledgered receipts of each log were published: the one table beside the evidence."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import text

from casebus_schemas.wire.records import TopicPartition

from .ledger_database import Database, bus_errors


@dataclass(frozen=True, slots=True)
class LedgeredEntry:
    """What a receipt says of an entry. `value_sha256` is None for a null value."""

    index: int
    offset: int
    key: bytes | None
    headers: bytes
    value_sha256: bytes | None
    leaf: bytes
    leaf_hash: bytes


@dataclass(frozen=True, slots=True)
class OpenReceipts:
    """A log that has entries without receipt: those from `next_index` to `size`, where its root is `root`."""

    partition: TopicPartition
    log_id: int
    next_index: int
    size: int
    root: bytes


class ReceiptRows:
    """Reads what needs a receipt, and moves the cursor. Repeats after a crash are harmless."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def open(self, partitions: Iterable[TopicPartition]) -> list[OpenReceipts]:
        """Of these partitions the logs whose cursor is behind."""
        found = []
        with bus_errors(self.database), self.database.readers.begin() as connection:
            for partition in partitions:
                row = connection.execute(_OPEN, partition._asdict()).one_or_none()
                if row is not None and row.size > row.next_index:
                    found.append(OpenReceipts(partition, row.log_id, row.next_index, row.size, row.root))
        return found

    def entries(self, log_id: int, first: int, end: int) -> list[LedgeredEntry]:
        """Entries [first, end) of a log."""
        with bus_errors(self.database), self.database.readers.begin() as connection:
            rows = connection.execute(_ENTRIES, {"log_id": log_id, "first": first, "end": end})
            return [LedgeredEntry(*row) for row in rows]

    def move(self, log_id: int, next_index: int) -> None:
        """Notes that receipts below `next_index` are in Kafka; never moves back."""
        with bus_errors(self.database), self.database.engine.begin() as connection:
            connection.execute(_MOVE, {"log_id": log_id, "next_index": next_index})


_OPEN = text(
    "SELECT log.log_id, coalesce(c.next_index, 0) AS next_index, batch.end_index AS size, batch.root "
    "FROM log JOIN batch ON batch.log_id = log.log_id "
    "AND batch.start_index = (SELECT max(start_index) FROM batch b WHERE b.log_id = log.log_id) "
    "LEFT JOIN receipt_cursor c ON c.log_id = log.log_id "
    "WHERE log.topic = :topic AND log.partition = :partition AND log.generation = 1"
)
_ENTRIES = text(
    "SELECT idx, koffset, key, headers, value_sha256, leaf, leaf_hash FROM entry "
    "WHERE log_id = :log_id AND idx >= :first AND idx < :end ORDER BY idx"
)
_MOVE = text(
    "INSERT INTO receipt_cursor (log_id, next_index) VALUES (:log_id, :next_index) "
    "ON CONFLICT (log_id) DO UPDATE SET next_index = excluded.next_index "
    "WHERE receipt_cursor.next_index < excluded.next_index"
)
