"""Tells each agency which of its records are ledgered, by a cursor and off the hot path."""

import logging
import random
import threading
import time
from collections.abc import Callable, Iterable
from typing import Protocol

from casebus_schemas.admission.receipt_bytes import Entry
from casebus_schemas.admission.receipts import Draft, EventRef, ReceiptWriter, event_ref
from casebus_schemas.admission.verdict import Origin
from casebus_schemas.agencies import agency_of_topic
from casebus_schemas.errors import Refused, RetryLater
from casebus_schemas.evidence.leaf import decode_headers, parse_leaf
from casebus_schemas.wire.headers import EventHeaders
from casebus_schemas.wire.records import Outgoing, TopicPartition
from casebus_schemas.wire.signing import event_digest
from casebus_services.metrics.named import counter
from casebus_services.streams.faults import fault_point

from .receipt_rows import LedgeredEntry, OpenReceipts, ReceiptRows

log = logging.getLogger(__name__)

_RECEIPTS = counter("casebus_ledger_receipts_total")

PAGE = 500
"""Entries between two movements of the cursor: at most so many receipts are repeated after a crash."""
REST = 3.0
"""While the ledger is busy the publisher rests three times as long as it worked: they share one core."""
POLL_S = 5.0
"""How long a partition that nobody announced may wait; normally `announce` wakes the publisher at once."""
SOURCE = "/bus/ledger"


def new_producer(instance: str) -> str:
    """The name of a new incarnation of this worker's receipts."""
    return f"ledger-{instance}.{time.time_ns()}"


class Sink(Protocol):
    """Where receipts leave (streams.sink.KafkaSink)."""

    def send_all(self, outgoing: Iterable[Outgoing]) -> None:
        """Returns when the broker has acknowledged all; raises RetryLater."""

    def close(self) -> None:
        """Drops the connection."""


def receipt_of(found: OpenReceipts, entry: LedgeredEntry, now_ms: int, writer: ReceiptWriter) -> Draft:
    """The receipt of an entry, with the size and root that its log has now."""
    topic, partition = found.partition
    said = Entry(
        f"{topic}/{partition}",
        entry.index,
        parse_leaf(entry.leaf).timestamp_ms,
        entry.leaf_hash,
        found.size,
        found.root,
    )
    event = _event(found.partition, entry)
    return writer.ledgered(event, Origin(topic, partition, entry.offset), said, now_ms)


def _event(partition: TopicPartition, entry: LedgeredEntry) -> EventRef:
    headers = decode_headers(entry.headers)
    try:
        parsed = EventHeaders.parse(headers)
    except Refused:
        return event_ref(headers, None, None)
    fields = parsed.signed_fields(partition.topic, partition.partition, None)
    if entry.value_sha256 is not None:
        fields = fields._replace(value_sha256=entry.value_sha256)
    return event_ref(headers, parsed, event_digest(fields))


class ReceiptPublisher:
    """Publishes receipts of the partitions it is told of, in a thread of its own.

    At least once and in index order for each log. Trouble with Kafka or the database is waited out; anything
    else is kept and raised by `check`, so that the service does not go on in silence.
    """

    def __init__(
        self,
        rows: ReceiptRows,
        sink: Sink,
        writer: ReceiptWriter,
        topics: Iterable[str],
        *,
        instance: str = "1",
        is_busy: Callable[[], bool] = lambda: False,
    ) -> None:
        """`topics` are the agencies' channels; `is_busy` says whether the ledger has much to do just now."""
        self._rows = rows
        self._sink = sink
        self._writer = writer
        self._instance = instance
        self._topics = frozenset(topics)
        self._is_busy = is_busy
        self._announced: set[TopicPartition] = set()
        self._ours: frozenset[TopicPartition] = frozenset()
        self._wake = threading.Condition()
        self._stopping = False
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="ledger-receipts", daemon=True)

    def start(self) -> None:
        """Starts the thread."""
        self._thread.start()

    def stop(self, timeout_s: float = 10.0) -> None:
        """Ends after the page in hand; what is left is published at the next start."""
        with self._wake:
            self._stopping = True
            self._wake.notify()
        if self._thread.is_alive():
            self._thread.join(timeout_s)
        self._sink.close()

    def own(self, partitions: Iterable[TopicPartition]) -> None:
        """These partitions are this worker's now; entries still without receipt are published."""
        with self._wake:
            self._ours = frozenset(p for p in partitions if p.topic in self._topics)
            self._announced |= self._ours
            self._wake.notify()

    def announce(self, partitions: Iterable[TopicPartition]) -> None:
        """These logs have grown."""
        with self._wake:
            before = len(self._announced)
            self._announced.update(p for p in partitions if p.topic in self._topics)
            if len(self._announced) > before:
                self._wake.notify()

    def check(self) -> None:
        """Raises what ended the thread, if anything did."""
        if self._failure is not None:
            raise RetryLater(
                "the receipts' thread ended", found=repr(self._failure), remedy="the service starts again"
            ) from self._failure

    def _run(self) -> None:
        pause_s = 0.0
        try:
            while (partitions := self._next(pause_s)) is not None:
                try:
                    pause_s = 0.0
                    for open_receipts in self._rows.open(partitions):
                        self._publish(open_receipts)
                except RetryLater as error:
                    pause_s = random.uniform(0.5, 2.0)
                    log.warning("receipts wait: %s", error)
                    self.announce(partitions)
        except BaseException as error:
            self._failure = error
            log.exception("the receipts' thread ends")

    def _next(self, pause_s: float) -> list[TopicPartition] | None:
        """Waits for something to do; None when it is time to stop."""
        with self._wake:
            if pause_s:
                self._wake.wait_for(lambda: self._stopping, pause_s)
            if not self._wake.wait_for(lambda: self._stopping or self._announced, POLL_S):
                self._announced |= self._ours
            partitions, self._announced = self._announced, set()
            return None if self._stopping else sorted(partitions & self._ours)

    def _publish(self, found: OpenReceipts) -> None:
        """All receipts of a log up to its size, page by page."""
        at = found.next_index
        while at < found.size and not self._stopping and found.partition in self._ours:
            begun = time.monotonic()
            entries = self._rows.entries(found.log_id, at, min(at + PAGE, found.size))
            now_ms = time.time_ns() // 1_000_000
            drafts = [receipt_of(found, entry, now_ms, self._writer) for entry in entries]
            try:
                self._sink.send_all(self._writer.written(drafts))
            except RetryLater:
                # Nobody knows which of them were written: no number may be used twice or left out.
                self._writer.renew(new_producer(self._instance))
                raise
            _RECEIPTS.labels(agency=agency_of_topic(found.partition.topic)).inc(len(entries))
            fault_point("ledger.after-publish", len(entries))
            at = min(at + PAGE, found.size)
            self._rows.move(found.log_id, at)
            if self._is_busy():
                time.sleep(min(2.0, REST * (time.monotonic() - begun)))
