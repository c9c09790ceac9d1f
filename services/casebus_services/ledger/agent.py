"""The ledger's Kafka edge: batches in, entries durable when `handle` returns, receipts to follow."""

import logging
import time
from collections.abc import Callable, Iterable
from typing import Protocol

from casebus_schemas.errors import Gap
from casebus_schemas.wire.records import Batch, TopicPartition
from casebus_services.metrics.named import counter, histogram
from casebus_services.streams.patience import ASSIGNMENT_PATIENCE_S, PATIENCE_S, patiently

from .appending import BatchResult, merge_runs
from .store import LedgerStore

log = logging.getLogger(__name__)

_ENTRIES = counter("casebus_ledger_entries_total")
_APPEND = histogram("casebus_ledger_append_seconds")

_BUSY_RECORDS = 200
_BUSY_S = 0.5

Hole = Callable[[TopicPartition, int], int | None]
"""Asks Kafka for the first offset it holds at or after the given one; None if that one was deleted."""


class Receipts(Protocol):
    """What the agent needs of the receipts' publisher."""

    def own(self, partitions: Iterable[TopicPartition]) -> None:
        """These partitions are this worker's now."""

    def announce(self, partitions: Iterable[TopicPartition]) -> None:
        """These logs have grown."""

    def check(self) -> None:
        """Raises if receipts can no longer be published."""


class Load:
    """Whether the ledger has much to do just now; read by the receipts' thread."""

    def __init__(self) -> None:
        self._until = 0.0

    def seen(self, records: int) -> None:
        """A batch of so many records was handled."""
        if records >= _BUSY_RECORDS:
            self._until = time.monotonic() + _BUSY_S

    def is_busy(self) -> bool:
        """Large batches came within the last half second."""
        return time.monotonic() < self._until


class LedgerAgent:
    """Functions for a StreamWorker; used by its one thread."""

    def __init__(self, store: LedgerStore, receipts: Receipts, first_held: Hole, load: Load) -> None:
        self._store = store
        self._receipts = receipts
        self._first_held = first_held
        self._load = load
        self._assigned: frozenset[TopicPartition] = frozenset()
        self._passed: dict[TopicPartition, tuple[int, int]] = {}

    def passed(self) -> dict[str, tuple[int, int]]:
        """Where the reading has passed over offsets without a record, behind the last one: from, to.

        The database does not know of them; whoever counts what is left to do must.
        """
        return {f"{topic}/{partition}": span for (topic, partition), span in self._passed.items()}

    def next_offsets(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        """Where the database says to go on; a new assignment reads its logs afresh."""
        wanted = [TopicPartition(*partition) for partition in partitions]
        offsets = patiently(lambda: self._store.next_offsets(wanted), ASSIGNMENT_PATIENCE_S)
        self._assigned |= frozenset(wanted)
        self._receipts.own(self._assigned)
        return offsets

    def revoked(self, partitions: Iterable[TopicPartition]) -> None:
        """These partitions belong to another worker now."""
        gone = frozenset(TopicPartition(*partition) for partition in partitions)
        self._store.forget(gone)
        self._assigned -= gone
        self._receipts.own(self._assigned)

    def handle(self, batches: list[Batch]) -> None:
        """Appends the batches. Raises StopService at once, RetryLater after `PATIENCE_S`."""
        self._receipts.check()
        with _APPEND.time():
            results = patiently(lambda: self._append(batches), PATIENCE_S)
        for one in results:
            _ENTRIES.labels(topic=one.topic).inc(one.end - one.start)
        self._load.seen(sum(len(batch.records) for batch in batches))
        self._note_passed(batches)
        self._receipts.announce(
            TopicPartition(result.topic, result.partition) for result in results if result.end > result.start
        )

    def _note_passed(self, batches: list[Batch]) -> None:
        for batch in batches:
            place = TopicPartition(batch.topic, batch.partition)
            if batch.records:
                self._passed.pop(place, None)
            elif batch.begin is not None:
                first, last = self._passed.get(place, (batch.begin, batch.begin))
                self._passed[place] = (first if last == batch.begin else batch.begin, batch.next_offset)

    def _append(self, batches: list[Batch]) -> list[BatchResult]:
        try:
            return self._store.append(batches)
        except Gap as gap:
            confirmed = self._holes(batches)
            if not confirmed:
                raise
            log.info("nothing stands in Kafka before %s: %s", confirmed, gap)
            return self._store.append(batches, confirmed)

    def _holes(self, batches: list[Batch]) -> dict[TopicPartition, int]:
        """Runs before which Kafka itself has a hole, with the offset that it holds next."""
        found: dict[TopicPartition, int] = {}
        runs = [run for run in merge_runs(batches) if run.records]
        places = [TopicPartition(run.topic, run.partition) for run in runs]
        expected = self._store.next_offsets(places)
        for run, place in zip(runs, places, strict=True):
            if run.records[0].offset > expected[place]:
                if self._passed.get(place) == (expected[place], run.begin):
                    found[place] = run.records[0].offset  # seen already: nothing stands there
                    continue
                held = self._first_held(place, expected[place])
                if held is not None:
                    found[place] = held
        return found
