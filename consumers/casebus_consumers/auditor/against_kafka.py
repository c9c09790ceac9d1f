"""Compares the ledger with the topics themselves: shows a tail that was removed from every table."""

import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from casebus_schemas.evidence.leaf import leaf, leaf_hash
from casebus_schemas.wire.records import Batch, TopicPartition
from casebus_services.ledger.appending import ORIGIN
from casebus_services.ledger.ledger_database import Database, bus_errors
from casebus_services.streams.connection import ConnectionSettings
from casebus_services.streams.side_reader import SideReader

from .damage import VerifyReport
from .ledger_rows import LedgerRows
from .verify import Watch, unwatched

READ_TIMEOUT_S = 3600.0
_POLL_S = 0.2
_NAMED_OFFSETS = 5


def compare_with_kafka(
    database: Database,
    settings: ConnectionSettings,
    topics: Sequence[str],
    report: VerifyReport,
    *,
    wait_s: float = 10.0,
    watch: Watch = unwatched,
) -> None:
    """Reads the topics whole and adds every difference to `report`.

    The ledger may be running: records it does not have yet are waited for up to `wait_s` seconds.
    Raises RetryLater if Kafka or the database is away.
    """
    comparison = Comparison(database, report, watch)
    reader = SideReader(settings, "auditor-verify", topics, comparison.take)
    try:
        reader.start(READ_TIMEOUT_S)
        comparison.settle(wait_s)
        # Where the ledger ends is read before where Kafka ends: a sound ledger can never be ahead.
        ledgered = comparison.next_offsets()
        comparison.only_positions = True
        reader.catch_up(READ_TIMEOUT_S)
        comparison.finish(ledgered)
    finally:
        reader.stop()


class Comparison:
    """Takes the runs of each partition in offset order and compares them with what is stored."""

    def __init__(self, database: Database, report: VerifyReport, watch: Watch = unwatched) -> None:
        self._database = database
        self._report = report
        self._watch = watch
        self._logs: dict[TopicPartition, int] = {}
        self._positions: dict[TopicPartition, int] = {}
        self._pending: dict[TopicPartition, dict[int, bytes]] = defaultdict(dict)
        self.only_positions = False
        """Set once everything is compared: what comes now only says where Kafka ends."""
        report.compared = 0

    def take(self, batch: Batch) -> None:
        """Compares one run."""
        place = TopicPartition(batch.topic, batch.partition)
        begins = self._positions.get(place, 0)
        self._positions[place] = batch.next_offset
        if self.only_positions:
            return
        hashes = {record.offset: leaf_hash(leaf(record)) for record in batch.records}
        missing = self._compare(place, hashes, begins, batch.next_offset - 1)
        if missing:
            self._pending[place].update(missing)
        self._count(len(hashes) - len(missing))

    def settle(self, wait_s: float) -> None:
        """Looks again for the records that the ledger did not have when they were read from Kafka."""
        deadline = time.monotonic() + wait_s
        while self._pending:
            for place, hashes in list(self._pending.items()):
                missing = self._compare(place, hashes, min(hashes), max(hashes), strict=False)
                self._count(len(hashes) - len(missing))
                if missing:
                    self._pending[place] = missing
                else:
                    del self._pending[place]
            if self._pending and not self._may_come(deadline):
                return
            time.sleep(_POLL_S if self._pending else 0)

    def next_offsets(self) -> dict[TopicPartition, int]:
        """Where each log of the ledger ends, by its last batch row."""
        with self._rows() as rows:
            return rows.next_offsets()

    def finish(self, ledgered: dict[TopicPartition, int]) -> None:
        """Names what is still missing, in the ledger and in Kafka."""
        for place, hashes in sorted(self._pending.items()):
            self._name_missing(place, sorted(hashes), ledgered.get(place, 0))
        for place, ends in sorted(ledgered.items()):
            removed = self._report.removed_before(place.topic, place.partition)
            position = max(self._positions.get(place, 0), removed)
            if position < ends:
                self._note("topic", place, f"end at offset {position}", f"offset {ends} as in the ledger")

    def _compare(
        self, place: TopicPartition, hashes: dict[int, bytes], first: int, last: int, *, strict: bool = True
    ) -> dict[int, bytes]:
        """Notes records that differ, and (strict) entries without record; gives records without entry."""
        stored = self._stored(place, first, last)
        missing = {}
        for offset, hashed in hashes.items():
            found = stored.pop(offset, None)
            if found is None:
                missing[offset] = hashed
            elif found != hashed:
                row = f"offset {offset}, leaf_hash"
                self._note("entry", place, found.hex(), f"{hashed.hex()} as in Kafka", row)
        removed = self._report.removed_before(place.topic, place.partition)
        stored = {offset: found for offset, found in stored.items() if offset >= removed}
        if strict and stored:
            named = _listed(sorted(stored))
            self._note("topic", place, "no record in Kafka", "the record of the entry", f"offset {named}")
        return missing

    def _stored(self, place: TopicPartition, first: int, last: int) -> dict[int, bytes]:
        with self._rows() as rows:
            if place not in self._logs:
                self._logs = {TopicPartition(log.topic, log.partition): log.log_id for log in rows.logs()}
            log_id = self._logs.get(place)
            return {} if log_id is None else rows.leaf_hashes(log_id, first, last)

    def _may_come(self, deadline: float) -> bool:
        """Whether any missing record lies beyond its log's end, so that a running ledger may still add it."""
        ledgered = self.next_offsets()
        beyond = any(max(hashes) >= ledgered.get(place, 0) for place, hashes in self._pending.items())
        return beyond and time.monotonic() < deadline

    def _name_missing(self, place: TopicPartition, offsets: list[int], ends: int) -> None:
        inside = [offset for offset in offsets if offset < ends]
        tail = [offset for offset in offsets if offset >= ends]
        if inside:
            row = f"offset {_listed(inside)}"
            self._note("entry", place, "no row", f"{len(inside)} records that Kafka holds", row)
        if tail:
            row = f"offset {tail[0]} to {tail[-1]} (tail)"
            found = f"no rows: the log ends before offset {ends}"
            self._note("entry", place, found, f"{len(tail)} records that Kafka holds", row)

    def _note(
        self, table: str, place: TopicPartition, found: str, expected: str, row: str | None = None
    ) -> None:
        origin = ORIGIN.format(topic=place.topic, partition=place.partition)
        where = row or f"{place.topic}/{place.partition}"
        self._report.add(table, origin, where, found=found, expected=expected)

    def _count(self, more: int) -> None:
        self._report.compared = (self._report.compared or 0) + more
        self._watch(
            "records of Kafka", self._report.compared, max(self._report.entries, self._report.compared)
        )

    @contextmanager
    def _rows(self) -> Iterator[LedgerRows]:
        with bus_errors(self._database), self._database.readers.connect() as connection:
            yield LedgerRows(connection)


def _listed(offsets: list[int]) -> str:
    shown = ", ".join(map(str, offsets[:_NAMED_OFFSETS]))
    more = len(offsets) - _NAMED_OFFSETS
    return f"{shown} and {more} more" if more > 0 else shown
