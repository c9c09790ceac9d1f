"""Reads the ledger's tables in order, page by page, as one snapshot."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Connection, CursorResult, text

from casebus_schemas.errors import UsageError
from casebus_schemas.evidence.leaf import decode_headers, leaf, parse_leaf
from casebus_schemas.wire.records import Record, TopicPartition
from casebus_services.ledger.appending import BatchRow, TileRow
from casebus_services.ledger.ledger_database import Database, bus_errors
from casebus_services.ledger.ledger_tables import POSTGRES, REVISIONS
from casebus_services.migrating import revision_of

from . import ledger_queries as sql
from .ledger_queries import EpochHeadRow
from .retention_rows import RetentionRows
from .sealed_heads import TableHeads

PAGE = 2000
PAYLOAD_PAGES = 128
"""Pages of PostgreSQL's table of payloads that are read at once: a megabyte, without what is kept apart."""
RECORDS_PAGE = 200
"""Whole records may be large."""


@dataclass(frozen=True, slots=True)
class LogRow:
    """A row of table `log`."""

    log_id: int
    origin: str
    kind: str
    topic: str
    """Empty for the head log, which has no partition."""
    partition: int
    generation: int
    hash_alg: str


class StoredEntry(NamedTuple):
    """A row of table `entry` and what its payload says: its length, None where there is none."""

    idx: int
    koffset: int
    event_id: bytes | None
    key: bytes | None
    headers: bytes
    value_sha256: bytes | None
    leaf: bytes
    leaf_hash: bytes
    payload_length: int | None


class CosignatureRow(NamedTuple):
    """A row of table `cosignature`, with the note that it belongs to (None: there is none)."""

    size: int
    name: str
    key_id: bytes
    timestamp: int
    line: str
    note: str | None


class LedgerRows:
    """The ledger as it is at one instant; other writers go on meanwhile."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def sealed_heads(self) -> TableHeads:
        """What the heads of the epochs say of partitions."""
        return TableHeads(self._connection)

    def retention(self) -> RetentionRows:
        """What is asked of the entries by their headers and chains."""
        return RetentionRows(self._connection)

    def logs(self) -> list[LogRow]:
        """All logs, by origin."""
        return [LogRow(*row) for row in self._connection.execute(sql.LOGS)]

    def head_logs(self) -> list[LogRow]:
        """The log of epochs; at most one in a sound ledger."""
        return [LogRow(*row) for row in self._connection.execute(sql.HEAD_LOGS)]

    def heads_of(self, log_id: int) -> Iterator[EpochHeadRow]:
        """What epochs say of a log, in order."""
        at = 0
        while rows := self._connection.execute(
            sql.HEADS_OF, {"log_id": log_id, "at": at, "page": PAGE}
        ).all():
            yield from map(EpochHeadRow._make, rows)
            at = rows[-1].epoch

    def heads(self) -> Iterator[EpochHeadRow]:
        """What all epochs say, in order of the epochs."""
        at, log_id = 0, -1
        while rows := self._connection.execute(sql.HEADS, {"at": at, "log_id": log_id, "page": PAGE}).all():
            yield from map(EpochHeadRow._make, rows)
            at, log_id = rows[-1].epoch, rows[-1].log_id

    def checkpoints(self) -> Iterator[tuple[int, bytes, str]]:
        """Size, root and note of every checkpoint, in order."""
        at = -1
        while rows := self._connection.execute(sql.CHECKPOINTS, {"at": at, "page": PAGE}).all():
            yield from ((row.head_size, row.root, row.note) for row in rows)
            at = rows[-1].head_size

    def checkpoint(self, size: int | None) -> tuple[int, str, bytes] | None:
        """Size, note and epoch's leaf of the checkpoint of that size, without one of the latest."""
        row = self._connection.execute(sql.ONE_CHECKPOINT, {"size": size}).one_or_none()
        return None if row is None else (row.head_size, row.note, row.leaf)

    def cosignatures_of(self, size: int) -> list[CosignatureRow]:
        """The witnesses' lines for a checkpoint, by name."""
        return [CosignatureRow(*row) for row in self._connection.execute(sql.COSIGNATURES_OF, {"size": size})]

    def cosignatures(self) -> Iterator[CosignatureRow]:
        """Every witness's line, in order of the checkpoints."""
        for row in self._connection.execute(sql.COSIGNATURES):
            yield CosignatureRow(*row)

    def batches(self, log_id: int) -> Iterator[BatchRow]:
        """Batch rows in order of their first index."""
        at = -1
        while rows := self._connection.execute(sql.BATCHES, {"log_id": log_id, "at": at, "page": PAGE}).all():
            for row in rows:
                yield BatchRow(*row)
            at = rows[-1].start_index

    def last_batch(self, log_id: int) -> BatchRow | None:
        """The batch row that begins last."""
        row = self._connection.execute(sql.LAST_BATCH, {"log_id": log_id}).one_or_none()
        return None if row is None else BatchRow(*row)

    def next_offsets(self) -> dict[TopicPartition, int]:
        """Where each log ends, by its last batch row."""
        rows = self._connection.execute(sql.NEXT_OFFSETS)
        return {TopicPartition(row.topic, row.partition): row.next_offset for row in rows}

    def entries(self, log_id: int) -> Iterator[StoredEntry]:
        """Entries in order of their index."""
        for page in self.entry_pages(log_id):
            yield from map(StoredEntry._make, page)

    def entry_pages(self, log_id: int) -> Iterator[Sequence[Sequence[Any]]]:
        """Runs of entries in order of their index, each the columns of `StoredEntry` from the driver."""
        at = -1
        while rows := _raw(self._connection.execute(sql.ENTRIES, {"log_id": log_id, "at": at, "page": PAGE})):
            yield rows
            at = rows[-1][0]

    def tiles(self, log_id: int, level: int) -> Iterator[TileRow]:
        """Tiles of a level in order of their index."""
        at = -1
        while rows := self._connection.execute(
            sql.TILES, {"log_id": log_id, "level": level, "at": at, "page": 64}
        ).all():
            for row in rows:
                yield TileRow(*row)
            at = rows[-1].idx

    def tile_levels(self, log_id: int) -> int:
        """Number of levels that have a tile row."""
        top: int | None = self._connection.execute(sql.TOP_LEVEL, {"log_id": log_id}).scalar()
        return 0 if top is None else top + 1

    def export(self) -> str:
        """A name under which other connections to PostgreSQL see this state, as long as this one reads."""
        return str(self._connection.exec_driver_sql("SELECT pg_export_snapshot()").scalar_one())

    def lengths(self) -> tuple[int, ...]:
        """How far each table goes: equal for two states of an insert-only SQLite file that are one."""
        return tuple(self._connection.execute(sql.LENGTHS).one())

    def again(self) -> None:
        """Sees the ledger as it is now, from now on."""
        self._connection.rollback()

    def payload_range(self) -> tuple[int, int]:
        """Where the payloads stand in their table: its first place and the one behind its last.

        Places are row numbers in SQLite and pages in PostgreSQL: payloads are read as they lie.
        """
        postgres = self._connection.dialect.name == POSTGRES
        first, end = self._connection.execute(sql.PAGES if postgres else sql.ROWIDS).one()
        return int(first), int(end)

    def payloads(self, first: int, end: int) -> Iterator[tuple[bytes, bytes]]:
        """Digest and value of the payloads at these places, in any order."""
        postgres = self._connection.dialect.name == POSTGRES
        step = PAYLOAD_PAGES if postgres else PAGE
        for at in range(first, end, step):
            last = min(at + step, end)
            if postgres:
                wanted: dict[str, object] = {"first": f"({at},0)", "end": f"({last},0)"}
            else:
                wanted = {"first": at, "end": last}
            result = self._connection.execute(sql.PAYLOADS_OF_PAGES if postgres else sql.PAYLOADS, wanted)
            yield from _raw(result)  # type: ignore[misc]

    def payload_count(self) -> int:
        """Number of payloads."""
        return int(self._connection.execute(text("SELECT count(*) FROM payload")).scalar_one())

    def users_of(self, digest: bytes) -> list[str]:
        """Where entries refer to this payload (at most five)."""
        rows = self._connection.execute(sql.USERS, {"digest": digest})
        return [f"{row.topic}/{row.partition} index {row.idx}" for row in rows]

    def unused_payloads(self, most: int) -> list[bytes]:
        """Digests of payloads to which no entry refers."""
        return list(self._connection.execute(sql.UNUSED, {"most": most}).scalars())

    def records(self, topic: str) -> Iterator[Record]:
        """The entries of a topic whose content is there, as they stood in Kafka, by partition and offset.

        What is not as its leaf says is left out: the verification names it.
        """
        for row in self._connection.execute(sql.RECORDS, {"topic": topic}):
            try:
                said, headers = parse_leaf(row.leaf), decode_headers(row.headers)
            except ValueError:
                continue
            time, value = (said.timestamp_ms, said.timestamp_type), row.value
            record = Record(topic, row.partition, row.koffset, *time, row.key, value, headers)
            if leaf(record) == row.leaf:
                yield record

    def entry_at(self, topic: str, partition: int, offset: int) -> tuple[int, bytes | None] | None:
        """Index and digest of the content of the entry of that record, None if there is none."""
        place = {"topic": topic, "partition": partition, "offset": offset}
        row = self._connection.execute(sql.ENTRY_AT, place).one_or_none()
        return None if row is None else (row.idx, row.value_sha256)

    def payload_length(self, digest: bytes) -> int | None:
        """Length of the content of that digest, None if it is not there."""
        found: int | None = self._connection.execute(sql.LENGTH, {"digest": digest}).scalar()
        return found

    def topics_with(self, digest: bytes) -> set[str]:
        """Topics of all entries whose content has that digest."""
        return set(self._connection.execute(sql.TOPICS_WITH, {"digest": digest}).scalars())

    def strays(self, table: str) -> list[int]:
        """Log numbers in a table that the table `log` does not have."""
        query = f"SELECT DISTINCT log_id FROM {table} WHERE log_id NOT IN (SELECT log_id FROM log)"
        return list(self._connection.execute(text(query)).scalars())

    def leaf_hashes(self, log_id: int, first: int, last: int) -> dict[int, bytes]:
        """Leaf hashes by Kafka offset, for offsets first to last."""
        rows = self._connection.execute(sql.HASHES, {"log_id": log_id, "first": first, "last": last})
        return {row.koffset: row.leaf_hash for row in rows}

    def records_of(self, log: LogRow) -> Iterator[Record | None]:
        """The records of a log as Kafka had them, in order; None where content or row no longer give one."""
        at = -1
        while rows := self._connection.execute(
            sql.RECORDS_OF, {"log_id": log.log_id, "at": at, "page": RECORDS_PAGE}
        ).all():
            for row in rows:
                yield _record(log, row)
            at = rows[-1].idx

    def records_at(self, log: LogRow, offsets: Collection[int]) -> dict[int, Record | None]:
        """The entries of a log at these offsets, those that it has, in the same form."""
        rows = self._connection.execute(sql.RECORDS_AT, {"log_id": log.log_id, "offsets": list(offsets)})
        return {row.koffset: _record(log, row) for row in rows}


def _raw(result: CursorResult[Any]) -> Sequence[Sequence[Any]]:
    """All rows without SQLAlchemy's own form of them, which costs as much as to read them."""
    rows: Sequence[Sequence[Any]] = result.cursor.fetchall()
    result.close()
    return rows


def _record(log: LogRow, row: Any) -> Record | None:
    try:
        said, headers = parse_leaf(row.leaf), decode_headers(row.headers)
    except ValueError:
        return None  # `verify_ledger` names the row
    if row.value is None and said.value_sha256 is not None:
        return None  # removed by order, or missing: `verify_ledger` knows which
    time = (said.timestamp_ms, said.timestamp_type)
    return Record(log.topic, log.partition, row.koffset, *time, row.key, row.value, headers)


@contextmanager
def snapshot(database: Database) -> Iterator[LedgerRows]:
    """The ledger as it is now.

    Raises as `reading` does.
    """
    with reading(database) as connection:
        yield LedgerRows(connection)


@contextmanager
def reading(database: Database, state: str | None = None) -> Iterator[Connection]:
    """A connection that sees the ledger as it is now, all the time; in PostgreSQL perhaps an exported state.

    Raises UsageError if the database holds no ledger of this version, RetryLater if a file at rest was
    written while it was read.
    """
    engine = database.readers
    if database.dialect == POSTGRES:
        engine = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    with bus_errors(database), engine.connect() as connection:
        if state is not None:
            connection.exec_driver_sql(f"SET TRANSACTION SNAPSHOT '{state}'")
        found = revision_of(connection, REVISIONS)
        if found != REVISIONS.head:
            if found is None and database.file is not None and database.file.lacks_its_log():
                raise UsageError(
                    "the copy lacks its -wal, where the newest part of a ledger in use stands",
                    found="a file without tables",
                    expected="both files, or a copy made by `casebus ledger backup`",
                )
            raise UsageError("not a ledger of this version", found=found, expected=REVISIONS.head)
        yield connection
    if database.file is not None:
        database.file.unmoved()
