"""Replay: history from Kafka in the order of its time stamps, each record compared with the ledger's leaf."""

import re
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, Literal

from casebus_producers.topic_reader import TopicReader
from casebus_schemas.admission.keyring import Keyring
from casebus_schemas.admission.proof import forged_admissions, forged_event
from casebus_schemas.admission.verdict import Admission, original_record, split_admission
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.catalogue.topology import ADMISSION, FINDING, OBLIGATION
from casebus_schemas.errors import BusError, UsageError
from casebus_schemas.evidence.key_entry import BY_KAFKA, Order
from casebus_schemas.evidence.leaf import leaf, leaf_hash
from casebus_schemas.evidence.sealed_order import SealedOrder
from casebus_schemas.texts.sentence import Sentence
from casebus_schemas.times import read_time, to_moment, utc_text
from casebus_schemas.wire.codec import decode
from casebus_schemas.wire.door import to_json
from casebus_schemas.wire.headers import EventHeaders, digest_of
from casebus_schemas.wire.records import Record, TopicPartition
from casebus_services.reconciler.stepped_over import StepOverOrder, SteppedOver, order_to_step_over

from .ledger_rows import LedgerRows

InLedger = Literal["equal", "different", "missing", "not yet"]

_BUFFERED = 500
"""Records of one partition that wait for the others; it is then not read on until they have caught up."""
_AT_ONCE = 200
_OFFSET = re.compile(r"[0-9]{1,18}\Z")


@dataclass(frozen=True, slots=True)
class Bound:
    """Where a replay begins or ends: an offset of each partition, or a time (ms since 1970 UTC)."""

    offset: int | None = None
    time_ms: int | None = None

    @classmethod
    def parse(cls, text: str) -> "Bound":
        """Reads an offset or an ISO day or time; without an offset from UTC it is Beijing time.

        Raises UsageError for other texts.
        """
        if _OFFSET.match(text):
            return cls(offset=int(text))
        try:
            return cls(time_ms=to_moment(read_time(text)))
        except UsageError as error:
            raise UsageError(
                "neither an offset nor a time",
                found=repr(text),
                expected="41, 2026-11-25 or 2026-11-25T20:00",
            ) from error

    def offsets(self, reader: TopicReader) -> dict[TopicPartition, int]:
        """The offset of each partition at which it lies."""
        if self.time_ms is not None:
            return reader.offsets_at(self.time_ms)
        return dict.fromkeys(reader.ends(), self.offset or 0)


@dataclass(frozen=True, slots=True)
class Replayed:
    """A record of Kafka and what the ledger holds at its place (None where it was not asked)."""

    record: Record
    leaf_hash: bytes
    in_ledger: InLedger | None
    problem: Sentence | None = None
    """Why it is not by whom it says; None also where nobody asked."""
    stepped_over: StepOverOrder | None = None
    """The operator's order by which the reconciler left a forged admission behind."""

    def to_json(self, catalog: Catalog | None = None) -> dict[str, Any]:
        """Place, identity and chain as a JSON object; with a catalogue also the event itself."""
        record, admission = _event_record(self.record)
        body: dict[str, Any] = {
            "topic": self.record.topic,
            "partition": self.record.partition,
            "offset": self.record.offset,
            "at": utc_text(self.record.timestamp_ms),
            "leaf": self.leaf_hash.hex(),
            **_identity(record),
        }
        if admission is not None:
            body["admission"] = {
                "origin": str(admission.origin),
                "attempt": admission.attempt,
                "verdict": admission.verdict,
                "code": admission.code,
                "admitted_at": utc_text(admission.admitted_at_ms),
            }
        if self.problem is not None:
            body |= {"forged": True, "problem": self.problem.to_json()}
            if self.stepped_over is not None:
                body["stepped_over"] = self.stepped_over.to_json()
        if self.in_ledger is not None:
            body["ledger"] = self.in_ledger
        if catalog is not None:
            body["event"] = _event(record, catalog)
        return body


def gaps(
    held: Mapping[TopicPartition, int],
    ends: Mapping[TopicPartition, int],
    asked: Mapping[TopicPartition, int],
    *,
    by_time: bool,
) -> Iterator[Sentence]:
    """What a replay cannot show: a beginning that Kafka has deleted, a start beyond the end of everything.

    `held` is where partitions begin, `asked` where the replay is to (empty: at the beginning).
    """
    for place, first in sorted(held.items()):
        wanted = asked.get(place, 0)
        if wanted < first or (by_time and wanted == first > 0):
            name = f"{place.topic}/{place.partition}"
            yield Sentence(
                f"{name} 自 {first} 号起,此前的已不存", f"{name} begins at {first}: what stood before is gone"
            )
    if asked and all(at > ends[place] for place, at in asked.items()):
        last = max(ends.values())
        yield Sentence(
            f"所求起点在末尾({last})之后", f"it would begin beyond the end, which is {last} at most"
        )


def in_time_order(
    reader: TopicReader, starts: Mapping[TopicPartition, int], ends: Mapping[TopicPartition, int]
) -> Iterator[Record]:
    """Records from `starts` until before `ends` by time stamp, those of one partition always in its order.

    Holds at most a few hundred records of a partition. Raises RetryLater if the broker falls silent.
    """
    open_ends = {place: end for place, end in ends.items() if end > starts[place]}
    waiting: dict[TopicPartition, deque[Record]] = {place: deque() for place in open_ends}
    paused: set[TopicPartition] = set()
    reader.seek(starts)
    reader.pause([place for place in starts if place not in open_ends])
    for records, done in reader.runs_to(dict(open_ends)):
        for place in done:
            open_ends.pop(place, None)
        for record in records:
            place = TopicPartition(record.topic, record.partition)
            waiting[place].append(record)
            if len(waiting[place]) > _BUFFERED and place not in paused:
                reader.pause([place])
                paused.add(place)
        # Only when every partition that has more to come shows its next record is the oldest known.
        while any(waiting.values()) and all(waiting[place] for place in open_ends):
            oldest = min((queue[0].timestamp_ms, place) for place, queue in waiting.items() if queue)[1]
            yield waiting[oldest].popleft()
            if oldest in paused and len(waiting[oldest]) < _BUFFERED // 2:
                reader.resume([oldest])
                paused.discard(oldest)


class LedgerComparison:
    """Compares records with the leaves that the ledger holds at their places."""

    def __init__(self, rows: LedgerRows) -> None:
        self._rows = rows
        self.order: Order = SealedOrder(rows.sealed_heads())
        self._logs = {TopicPartition(log.topic, log.partition): log.log_id for log in rows.logs()}
        self._next = {
            place: batch.next_offset
            for place, log_id in self._logs.items()
            if (batch := rows.last_batch(log_id)) is not None
        }

    def compare(self, records: Sequence[Record]) -> list[Replayed]:
        """What the ledger holds for each of the records."""
        spans: dict[TopicPartition, list[int]] = {}
        for record in records:
            spans.setdefault(TopicPartition(record.topic, record.partition), []).append(record.offset)
        stored = {
            place: self._rows.leaf_hashes(self._logs[place], min(offsets), max(offsets))
            for place, offsets in spans.items()
            if place in self._logs
        }
        return [self._compared(record, stored) for record in records]

    def _compared(self, record: Record, stored: dict[TopicPartition, dict[int, bytes]]) -> Replayed:
        place = TopicPartition(record.topic, record.partition)
        computed = leaf_hash(leaf(record))
        held = stored.get(place, {}).get(record.offset)
        if held is None:
            missing = record.offset < self._next.get(place, 0)
            return Replayed(record, computed, "missing" if missing else "not yet")
        return Replayed(record, computed, "equal" if held == computed else "different")


def replay(
    records: Iterator[Record],
    comparison: LedgerComparison | None,
    keyring: Keyring | None = None,
    orders: SteppedOver | None = None,
) -> Iterator[Replayed]:
    """Each record, compared where a comparison is given, and what the bus has written proven by its keys.

    `orders` are those by which forged admissions were left behind. Where the ledger is at hand its epochs say
    what was appended after the end of a key.
    """
    by: Order = BY_KAFKA if comparison is None else comparison.order
    while run := list(islice(records, _AT_ONCE)):
        found = (
            [Replayed(record, leaf_hash(leaf(record)), None) for record in run]
            if comparison is None
            else comparison.compare(run)
        )
        problems = {} if keyring is None else _forged(run, keyring, by)
        for one in found:
            if (problem := problems.get(one.record)) is not None:
                order = order_to_step_over(one.record, orders or {})
                one = replace(one, problem=problem, stepped_over=order)
            yield one


def _forged(run: Sequence[Record], keyring: Keyring, order: Order) -> dict[Record, Sentence | None]:
    """Admissions and words of the bus that are not its. Agencies' records the router judges."""
    admissions = [record for record in run if record.topic == ADMISSION]
    found = dict(zip(admissions, forged_admissions(admissions, keyring, order), strict=True))
    for record in run:
        if record.topic in (FINDING, OBLIGATION):
            try:
                found[record] = forged_event(record, EventHeaders.parse(record.headers), keyring, None, order)
            except BusError as error:
                found[record] = Sentence("事件头不可读", error.detail)
    return found


def _event_record(record: Record) -> tuple[Record, Admission | None]:
    """The event that a record carries, at its origin, and the admission if it is one."""
    if record.topic != ADMISSION:
        return record, None
    try:
        admission, headers = split_admission(record)
    except BusError:
        return record, None
    return original_record(record, admission, headers), admission


def _identity(record: Record) -> dict[str, Any]:
    try:
        headers = EventHeaders.parse(record.headers)
    except BusError as error:
        return {"digest": None, "problem": error.detail}
    return {
        "digest": digest_of(record).hex(),
        "id": str(headers.id),
        "type": headers.type,
        "source": headers.source,
        "chain": headers.subject,
        "time": headers.time,
        "producer": headers.producer,
        "seq": headers.seq,
    }


def _event(record: Record, catalog: Catalog) -> dict[str, Any] | None:
    try:
        headers = EventHeaders.parse(record.headers)
        _, data = decode(catalog, record.value)
        return to_json(headers, data, catalog)
    except BusError:
        return None
