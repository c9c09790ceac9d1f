"""The ledger's one writer interface: append runs of records to their logs in one transaction."""

import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from functools import partial

from sqlalchemy import Connection, text

from casebus_schemas.errors import StopService
from casebus_schemas.evidence.leaf import leaf, leaf_hash
from casebus_schemas.evidence.merkle import TiledTree
from casebus_schemas.wire.records import Batch, Record, TopicPartition
from casebus_services.streams.faults import fault_point
from casebus_services.streams.same_log import Known

from .appending import (
    ORIGIN,
    BatchResult,
    LogState,
    NewRows,
    check_contiguous,
    check_repeats,
    close_batch,
    grow,
    merge_runs,
    split_repeats,
)
from .ledger_database import bus_errors, migrate, open_database
from .trees import tree_at

ROWS_AT_ONCE = 500
"""Rows of one statement: the database works on them while the next are hashed."""
NOTHING_CONFIRMED: Mapping[TopicPartition, int] = {}


class LedgerStore:
    """Appends to the logs of one database and says where each continues.

    Blocking, thread-safe, one transaction at a time. The trees' open parts are kept in memory between calls
    and read again after `forget` or a failed append.
    """

    def __init__(self, url: str, *, writer: str = "ledger") -> None:
        """Opens the database and creates its tables if they are missing. `writer` is noted in batch rows."""
        self.database = open_database(url)
        self.writer = writer
        self._logs: dict[TopicPartition, LogState] = {}
        self._lock = threading.Lock()
        with bus_errors(self.database):
            migrate(self.database)

    def close(self) -> None:
        """Closes all connections."""
        self.database.engine.dispose()

    def next_offsets(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        """The Kafka offset that comes next in each partition, 0 where nothing is ledgered.

        Read from the database, not from memory: another writer may have gone on.
        """
        wanted = [TopicPartition(*partition) for partition in partitions]
        with self._lock, bus_errors(self.database), self.database.readers.begin() as connection:
            found = {}
            for partition in wanted:
                self._logs.pop(partition, None)
                state = self._load(connection, partition)
                found[partition] = state.next_offset if state else 0
        return found

    def last_entries(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, Known]:
        """The last entry of each of these partitions."""
        wanted = set(partitions)
        with bus_errors(self.database), self.database.readers.begin() as connection:
            rows = connection.execute(_LAST_ENTRIES).all()
        found = {
            TopicPartition(row.topic, row.partition): (row.koffset, bytes(row.leaf_hash)) for row in rows
        }
        return {
            place: Known(offset, partial(_is_leaf, expected))
            for place, (offset, expected) in found.items()
            if place in wanted
        }

    def next_offsets_of_all(self) -> dict[TopicPartition, int]:
        """The same for every partition that has entries."""
        with bus_errors(self.database), self.database.readers.begin() as connection:
            rows = connection.execute(_ALL_NEXT)
            return {TopicPartition(row.topic, row.partition): row.next_offset for row in rows}

    def forget(self, partitions: Iterable[TopicPartition]) -> None:
        """Drops what is kept in memory of these logs."""
        with self._lock:
            for partition in partitions:
                self._logs.pop(TopicPartition(*partition), None)

    def append(
        self, batches: Sequence[Batch], confirmed: Mapping[TopicPartition, int] = NOTHING_CONFIRMED
    ) -> list[BatchResult]:
        """Appends what is new in these runs in one transaction, durable when it returns; results by place.

        Records below a log's next offset are repeats and compared with what is stored. `confirmed` names
        offsets of which Kafka said that nothing stands between them and the log's next offset.
        Raises Divergence, Gap (nothing stored), Fenced (another writer was faster: call again), RetryLater
        (database away, or it cannot be written), StopService (damaged).
        """
        # In one order for every writer: two that extend the same logs never wait in a circle.
        runs = sorted((batch for batch in merge_runs(batches) if batch.records), key=_place)
        if not runs:
            return []
        with self._lock:
            try:
                with bus_errors(self.database), self.database.engine.begin() as connection:
                    results = self._append(connection, runs, confirmed)
                    fault_point("ledger.before-commit", lambda: sum(len(run.records) for run in runs))
            except BaseException:
                # The trees in memory may already hold what was rolled back.
                for run in runs:
                    self._logs.pop(TopicPartition(run.topic, run.partition), None)
                raise
        fault_point("ledger.after-commit", lambda: sum(len(run.records) for run in runs))
        return results

    def _append(
        self, connection: Connection, runs: Sequence[Batch], confirmed: Mapping[TopicPartition, int]
    ) -> list[BatchResult]:
        now_ms = time.time_ns() // 1_000_000
        # Everything that must be read is read first: while rows are sent ahead no answers can be waited for.
        work = [self._look_up(connection, run, confirmed) for run in runs]
        results = []
        with self.database.inserting(connection) as insert:
            rows = NewRows()
            for run, state, fresh, repeats in work:
                start = state.tree.size
                for at in range(0, len(fresh), ROWS_AT_ONCE):
                    grow(state, fresh[at : at + ROWS_AT_ONCE], rows)
                    if len(rows.entries) >= ROWS_AT_ONCE:
                        insert(rows)
                        rows = NewRows()
                if fresh:
                    rows.batches.append(
                        close_batch(state, start, run, fresh, writer=self.writer, now_ms=now_ms)
                    )
                place = run.topic, run.partition
                results.append(BatchResult(*place, start, state.tree.size, state.tree.root(), repeats))
            insert(rows)
        return results

    def _look_up(
        self, connection: Connection, run: Batch, confirmed: Mapping[TopicPartition, int]
    ) -> tuple[Batch, LogState, Sequence[Record], int]:
        """The run's log, its records that are new, and how many are (proven) repeats."""
        partition = TopicPartition(run.topic, run.partition)
        state = self._state(connection, partition)
        repeats, fresh = split_repeats(run, state.next_offset)
        if repeats:
            check_repeats(repeats, _stored(connection, state.log_id, repeats))
        if fresh:
            check_contiguous(run, fresh[0], state.next_offset, confirmed.get(partition))
        return run, state, fresh, len(repeats)

    def _state(self, connection: Connection, partition: TopicPartition) -> LogState:
        state = self._logs.get(partition) or self._load(connection, partition)
        if state is None:
            _create_log(connection, partition)
            state = self._load(connection, partition)
            assert state is not None
        self._logs[partition] = state
        return state

    def _load(self, connection: Connection, partition: TopicPartition) -> LogState | None:
        found = connection.execute(_LAST_BATCH, partition._asdict()).one_or_none()
        if found is None:
            return None
        if (0 if found.last_entry is None else found.last_entry + 1) != (found.end_index or 0):
            raise _half_restored(partition, found.last_entry, found.end_index)
        if found.end_index is None:
            return LogState(found.log_id, TiledTree(), 0)
        size = found.end_index
        try:
            tree = tree_at(connection, found.log_id, size)
        except ValueError as error:
            raise _damaged(partition, size, str(error)) from error
        # What is appended next stands on this: recompute it from the rows rather than trust the last root.
        if tree.frontier.to_bytes() != found.frontier or tree.root() != found.root:
            raise _damaged(
                partition, size, f"root {tree.root().hex()} from the rows, {found.root.hex()} recorded"
            )
        return LogState(found.log_id, tree, found.next_offset)


def _place(run: Batch) -> tuple[str, int]:
    return run.topic, run.partition


# One statement, which sees one state of the log: another writer may commit between two.
_LAST_BATCH = text(
    "SELECT log.log_id, batch.end_index, batch.next_offset, batch.root, batch.frontier, "
    "(SELECT max(idx) FROM entry WHERE entry.log_id = log.log_id) AS last_entry "
    "FROM log LEFT JOIN batch ON batch.log_id = log.log_id "
    "AND batch.start_index = (SELECT max(start_index) FROM batch b WHERE b.log_id = log.log_id) "
    "WHERE log.topic = :topic AND log.partition = :partition AND log.generation = 1"
)

_ALL_NEXT = text(
    "SELECT log.topic, log.partition, max(batch.next_offset) AS next_offset "
    "FROM log JOIN batch ON batch.log_id = log.log_id "
    "WHERE log.kind = 'partition' AND log.generation = 1 GROUP BY 1, 2"
)

_LAST_ENTRIES = text(
    "SELECT log.topic, log.partition, entry.koffset, entry.leaf_hash FROM log "
    "JOIN entry ON entry.log_id = log.log_id "
    "AND entry.idx = (SELECT max(idx) FROM entry e WHERE e.log_id = log.log_id) "
    "WHERE log.kind = 'partition' AND log.generation = 1"
)


def _is_leaf(expected: bytes, record: Record) -> bool:
    return leaf_hash(leaf(record)) == expected


def _create_log(connection: Connection, partition: TopicPartition) -> None:
    place = partition._asdict()
    connection.execute(
        text(
            "INSERT INTO log (origin, kind, topic, partition, generation, hash_alg, created) "
            "VALUES (:origin, 'partition', :topic, :partition, 1, 'sha256', :now) ON CONFLICT DO NOTHING"
        ),
        {**place, "origin": ORIGIN.format(**place), "now": time.time_ns() // 1_000_000},
    )


def _stored(connection: Connection, log_id: int, repeats: Sequence[Record]) -> dict[int, bytes]:
    rows = connection.execute(
        text(
            "SELECT koffset, leaf_hash FROM entry WHERE log_id = :log_id AND koffset BETWEEN :first AND :last"
        ),
        {"log_id": log_id, "first": repeats[0].offset, "last": repeats[-1].offset},
    )
    return {row.koffset: row.leaf_hash for row in rows}


def _half_restored(partition: TopicPartition, last_entry: int | None, end: int | None) -> StopService:
    found = "no entry" if last_entry is None else f"entries up to index {last_entry}"
    return StopService(
        f"the entries of {partition.topic}/{partition.partition} do not end where its last batch does",
        found=found,
        expected="no entry" if not end else f"entries up to index {end - 1}",
        remedy="a ledger restored by half: restore it whole (pg_dump orders the tables of --data-only, "
        "pg_restore does not), or rebuild it from Kafka: casebus ledger rebuild --into",
        topic=partition.topic,
        partition=partition.partition,
    )


def _damaged(partition: TopicPartition, size: int, found: str) -> StopService:
    return StopService(
        f"the rows of {partition.topic}/{partition.partition} do not give its last root at size {size}",
        found=found,
        remedy="run casebus ledger verify: it names the damaged rows; append nothing until they are restored",
        topic=partition.topic,
        partition=partition.partition,
    )
