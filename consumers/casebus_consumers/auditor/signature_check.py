"""Reads the signatures that a ledger holds: admissions, the events they admit, and what the bus says."""

import time
from collections.abc import Iterator, Sequence
from itertools import islice

from casebus_schemas.admission.keyring import Keyring
from casebus_schemas.admission.proof import WRONG_SIGNATURE, Signed, forged_admissions, signed_event, stamp_of
from casebus_schemas.admission.verdict import Admission, Origin, original_record, split_admission
from casebus_schemas.agencies import BUS
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.catalogue.topology import ADMISSION, BUS_KEY, COMMAND, FINDING, OBLIGATION, key_topics
from casebus_schemas.errors import BusError
from casebus_schemas.evidence.genesis import Genesis
from casebus_schemas.evidence.leaf import encode_headers
from casebus_schemas.evidence.purposes import announced_by_two, shared_keys
from casebus_schemas.evidence.sealed_order import SealedOrder
from casebus_schemas.texts.sentence import Sentence
from casebus_schemas.wire.headers import EventHeaders
from casebus_schemas.wire.records import Headers, Record, TopicPartition
from casebus_schemas.wire.stream_head import Stream, StreamHead
from casebus_services.ledger.ledger_database import Database
from casebus_services.reconciler.stepped_over import order_to_step_over, step_over_orders
from casebus_services.two_threads import Halves

from .damage import VerifyReport
from .epoch_check import Trusted
from .ledger_rows import LedgerRows, LogRow, snapshot
from .verify import Watch, unwatched

_AT_ONCE = 500


def check_signatures(
    database: Database,
    report: VerifyReport,
    watch: Watch = unwatched,
    genesis: Genesis | None = None,
    trusted: Trusted | None = None,
) -> None:
    """Adds to `report` what is not by whom it says. Raises UsageError if the database holds no ledger.

    Each admission must be the router's, follow the one before in its stream, and speak of an entry of this
    ledger with the same bytes; what it admits must be signed under a key that was valid at its place, by the
    epochs of the ledger; findings and obligations must be the bus's. What stands under a key that was
    compromised by then is named as doubtful. With `genesis` the keys must begin as that file says. The tables
    themselves are checked by `verify_ledger`.
    """
    begun = time.monotonic()
    with snapshot(database) as rows:
        check = SignatureCheck(rows, report, watch)
        check.one_purpose(trusted or Trusted())
        if genesis is not None:
            check.begins_with(genesis)
        check.run()
    report.signature_seconds = time.monotonic() - begun


class SignatureCheck:
    """One walk over the logs of admissions and of the bus's own words; memory holds one run of records."""

    def __init__(self, rows: LedgerRows, report: VerifyReport, watch: Watch) -> None:
        self._rows = rows
        self._report = report
        self._watch = watch
        self._halves = Halves()
        self._logs = {TopicPartition(log.topic, log.partition): log for log in rows.logs()}
        self._ends = {
            place: 0 if (last := rows.last_batch(log.log_id)) is None else last.next_offset
            for place, log in self._logs.items()
        }
        self._heads: dict[Stream, StreamHead] = {}
        self._order = SealedOrder(rows.sealed_heads())
        self._cut: set[int] = set()
        catalog = Catalog.load()
        self._keyring = Keyring(catalog)
        for topic in key_topics():
            for log in self._of(topic):
                self._keyring = self._keyring.extend(r for r in rows.records_of(log) if r is not None)
        self._orders = step_over_orders(rows.records(COMMAND), catalog, self._keyring)
        self._report.step_over_orders = len(self._orders)

    def run(self) -> None:
        """Checks everything."""
        total = sum(self._ends[place] for place in self._logs if place.topic in _CHECKED)
        done = 0
        for topic in _CHECKED:
            for log in self._of(topic):
                for run in _runs(self._rows.records_of(log)):
                    if topic == ADMISSION:
                        self._check_admissions(log, run)
                    else:
                        self._check_events(log, [(r, r, None) for r in run if r is not None])
                    done += len(run)
                    self._watch("signatures", min(done, total), total)

    def one_purpose(self, trusted: Trusted) -> None:
        """Names keys of two purposes: those of the bus as damage, those of an agency as its own fault."""
        others = {key.public: f"the witness {key.name}" for key in trusted.witnesses.values()}
        if trusted.log is not None:
            others[trusted.log.public] = f"the ledger {trusted.log.name}"
        for shared in shared_keys(self._keyring.entries.values(), others):
            if shared.key.agency == BUS:
                self._report.add("entry", None, BUS_KEY, found=str(shared), expected="a key for each purpose")
            else:
                self._report.shared_keys.append(str(shared))
        self._report.shared_keys += announced_by_two(self._keyring.entries.values())

    def begins_with(self, genesis: Genesis) -> None:
        """Whether each holder's keys begin as a genesis file says."""
        heads = self._rows.head_logs()
        ledger = heads[0].origin if heads else None
        problems, notes = genesis.judge(self._keyring.entries.values(), ledger)
        self._report.genesis = genesis.digest
        self._report.genesis_notes = notes
        for problem in problems:
            expected = f"what the genesis {genesis.digest.hex()[:16]}… pins"
            self._report.add("entry", None, "the first keys", found=problem, expected=expected)

    def _of(self, topic: str) -> list[LogRow]:
        return [log for place, log in sorted(self._logs.items()) if place.topic == topic]

    def _check_admissions(self, log: LogRow, run: Sequence[Record | None]) -> None:
        whole = [record for record in run if record is not None]
        problems = dict(zip(whole, forged_admissions(whole, self._keyring, self._order), strict=True))
        judged: list[tuple[Record, Admission, Headers]] = []
        for record in run:
            if record is None:
                self._cut.add(log.partition)
                continue
            self._report.signatures += 1
            if (problem := problems[record]) is not None:
                self._forged(log, record, problem, "an admission under a key of the bus")
                if (order := order_to_step_over(record, self._orders)) is not None:
                    self._report.stepped_over.append(order)
                continue
            self._follow(log, record)
            try:
                judged.append((record, *split_admission(record)))
            except BusError as error:
                self._note(log, record, error.detail, "an admission")
        originals = self._originals([admission.origin for _, admission, _ in judged])
        admitted: list[tuple[Record, Record, int | None]] = []
        for record, admission, headers in judged:
            if admission.origin not in originals:
                self._without_origin(log, record, admission)
                continue
            original = originals[admission.origin]
            if original is None:  # its content was removed
                continue
            said = original_record(record, admission, headers)
            if admission.original is None and not _same(said, original):
                self._note(log, record, "other bytes than its origin", f"those of {admission.origin}")
            elif admission.admitted:
                admitted.append((record, original, admission.admitted_at_ms))
        self._check_events(log, admitted)

    def _follow(self, log: LogRow, record: Record) -> None:
        """Each admission is the next of the stream of its producer."""
        stamp = stamp_of(record)
        head = self._heads.get(stamp.stream, StreamHead())
        if log.partition in self._cut:  # what stood before it cannot be read
            self._cut.discard(log.partition)
        elif (stamp.seq, stamp.prev) != (head.seq + 1, head.digest):
            found = f"number {stamp.seq} of {stamp.stream.producer} after {head.seq}"
            self._note(log, record, found, f"number {head.seq + 1}, following the one before")
        self._heads[stamp.stream] = StreamHead(stamp.seq, stamp.digest)

    def _check_events(self, log: LogRow, events: Sequence[tuple[Record, Record, int | None]]) -> None:
        """Signatures of events, each at its place, judged at a time of the bus's clock."""
        waiting: list[tuple[Record, Record, Signed]] = []
        for place, event, now_ms in events:
            self._report.signatures += 1
            try:
                headers = EventHeaders.parse(event.headers)
                found = signed_event(event, headers, self._keyring, now_ms, self._order)
            except BusError as error:
                found = Sentence("事件头不可读", error.detail)
            if isinstance(found, Sentence):
                self._forged(log, place, found, "a signature of its speaker")
            else:
                waiting.append((place, event, found))
        answers = self._halves.map(Signed.is_right, [signed for _, _, signed in waiting])
        for (place, event, signed), right in zip(waiting, answers, strict=True):
            if not right:
                self._forged(log, place, WRONG_SIGNATURE, "a signature of its speaker")
            elif signed.doubt is not None:
                self._report.doubt(f"{event.topic}/{event.partition}/{event.offset}", signed.doubt)

    def _originals(self, origins: Sequence[Origin]) -> dict[Origin, Record | None]:
        by_log: dict[TopicPartition, list[int]] = {}
        for origin in origins:
            by_log.setdefault(TopicPartition(origin.topic, origin.partition), []).append(origin.offset)
        return {
            Origin(*place, offset): record
            for place, offsets in by_log.items()
            if place in self._logs
            for offset, record in self._rows.records_at(self._logs[place], offsets).items()
        }

    def _without_origin(self, log: LogRow, record: Record, admission: Admission) -> None:
        """No entry: the ledger may still be about to write it, or there never was such a record."""
        origin = admission.origin
        place = TopicPartition(origin.topic, origin.partition)
        if place in self._logs and 0 <= origin.offset < self._ends[place]:
            self._note(log, record, f"{origin}, which is no entry", "an entry of this ledger as its origin")
        else:
            self._report.origins_awaited += 1

    def _forged(self, log: LogRow, record: Record, problem: Sentence, expected: str) -> None:
        self._note(log, record, f"伪造 forged: {problem.text}", expected)

    def _note(self, log: LogRow, record: Record, found: str, expected: str) -> None:
        self._report.add("entry", log.origin, f"offset {record.offset}", found=found, expected=expected)


_CHECKED = (ADMISSION, FINDING, OBLIGATION)


def _runs(records: Iterator[Record | None]) -> Iterator[list[Record | None]]:
    while run := list(islice(records, _AT_ONCE)):
        yield run


def _same(said: Record, original: Record) -> bool:
    return (said.key, said.value) == (original.key, original.value) and encode_headers(
        said.headers
    ) == encode_headers(original.headers)
