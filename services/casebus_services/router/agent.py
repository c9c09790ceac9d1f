"""The router at work: judges batches, writes what follows, and returns when all of it is acknowledged."""

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from casebus_schemas.admission.keyring import Keyring
from casebus_schemas.admission.receipts import ReceiptWriter
from casebus_schemas.admission.verdict import Admission, Origin
from casebus_schemas.agencies import BUS
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.catalogue.topology import COMMAND, agency_topics, key_topics, topic
from casebus_schemas.errors import SECRET_CODES, Refused
from casebus_schemas.wire.records import Batch, Outgoing, Record
from casebus_schemas.wire.signing import SigningKey
from casebus_services.clock import BusClock
from casebus_services.commands import DropPayload, EnterNotice, Recompute, Redrive, StepOver, command_of
from casebus_services.streams.faults import fault_point
from casebus_services.streams.side_reader import NotYet
from casebus_services.two_threads import Halves

from . import measured
from .judgement import Examined, Judgement, conclude, examine
from .key_receipts import Outcomes, key_receipts
from .originals import Originals
from .outputs import AdmissionWriter, admission_of, dead_letter_of, notices, receipt_of, sendable
from .set_aside import CODE, PASSED, each, unanswered, unexamined

log = logging.getLogger(__name__)

SLICE = 200
"""Records judged before their outputs go out: the broker works on one slice while we judge the next."""
MOST_BYTES_IN_FLIGHT = 4 << 20
"""Outputs handed over before waiting for acknowledgements: bounds memory when records are large."""
MOST_NAMED = 20
"""Refused records of one `handle` that a log line names by their ids; the dead letters have all."""
FIRST_ATTEMPT = 1
SOURCE = "/bus/router"


class Sink(Protocol):
    """Where outputs go: `produce` hands over, `flush` returns when all are acknowledged."""

    def produce(self, outgoing: Iterable[Outgoing]) -> None:
        """Hand over without waiting."""

    def flush(self) -> None:
        """Block until everything handed over is acknowledged."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the router is joined to. `catch_up_*` block until all that was written before the call is read.

    `catch_up_keys` raises NotYet if that takes too long.
    """

    keyring: Callable[[], Keyring]
    catch_up_keys: Callable[[], None]
    catch_up_commands: Callable[[], None]
    clock: BusClock
    originals: Originals
    sink: Sink
    key_outcomes: Outcomes


class Router:
    """Judges every record once and writes admission, notices, receipt or dead letter.

    `handle` runs in one thread. After an exception the instance must not be used again: the process ends and
    a new one begins a new incarnation. Repeats after a crash carry the same notice ids; of two admissions of
    one origin and attempt the first counts.
    """

    def __init__(
        self,
        surroundings: Surroundings,
        *,
        key: SigningKey,
        producer: str,
        catalog: Catalog,
        partitions: int,
    ) -> None:
        """`key` signs admissions as `producer`, whose incarnation must be new; `partitions` is N."""
        self._with = surroundings
        self._halves = Halves()
        self._writer = AdmissionWriter(key, producer, self._halves)
        self._receipts = ReceiptWriter(catalog, SOURCE, key, producer)
        self._catalog = catalog
        self._partitions = partitions
        self._key_topics = frozenset(key_topics())
        self.set_aside = 0
        """Records refused as `set-aside` since the start."""

    def handle(self, batches: list[Batch]) -> None:
        """Judge and deliver; returns when every output is acknowledged. Raises RetryLater if that fails."""
        in_flight = sum(len(batch.records) for batch in batches)
        if self._with.clock.simulated:
            # What was published after an acknowledged clock.set must not be admitted before that time.
            self._with.catch_up_commands()
        bench = _Bench(self._with, self._halves, self._catalog, self._partitions)
        fault_point("router.before-output", in_flight)
        waiting = self._deliver([(batch, 0) for batch in batches], bench)
        if waiting:
            self._with.sink.flush()  # all others are told before anybody waits for an unknown key
            bench.ask_for_keys()
            self._deliver(waiting, bench)
        self._with.sink.flush()
        fault_point("router.after-output", in_flight)
        if bench.refused:
            log.warning(
                "refused: %s",
                ", ".join(f"{code} {n}" for code, n in bench.refused.items()),
                extra={"events": bench.named},
            )

    def _deliver(self, batches: Iterable[tuple[Batch, int]], bench: "_Bench") -> list[tuple[Batch, int]]:
        """Judges and hands over each batch from its record on; gives those that met a key nobody knew yet."""
        unacknowledged = 0
        waiting: list[tuple[Batch, int]] = []
        for batch, first in batches:
            for start in range(first, len(batch.records), SLICE):
                try:
                    outputs, size = self._outputs(batch.topic, batch.records[start : start + SLICE], bench)
                except KeysWanted:
                    waiting.append((batch, start))
                    break
                self._with.sink.produce(outputs)
                unacknowledged += size
                if unacknowledged > MOST_BYTES_IN_FLIGHT:
                    self._with.sink.flush()
                    unacknowledged = 0
        return waiting

    def _outputs(
        self, topic_name: str, records: Sequence[Record], bench: "_Bench"
    ) -> tuple[list[Outgoing], int]:
        """What follows from records of one topic, and about how many bytes that is."""
        if topic_name == COMMAND:
            outputs = [output for record in records for output in self._obey_one(record, bench)]
            return outputs, sum(len(output.value or b"") for output in outputs)
        if topic_name in self._key_topics:
            return self._key_receipts(records), sum(len(record.value or b"") for record in records)
        judgements = bench.judge_all(records)
        if topic_name.startswith(f"{BUS}."):
            outputs = each(judgements, self._relay_all, self._writer.as_now)
        else:
            outputs = each(judgements, lambda some: self._admit(some, FIRST_ATTEMPT), self._writer.as_now)
        most = max((len(judgement.recipients) for judgement in judgements), default=0) + 2
        return outputs, most * sum(judgement.size for judgement in judgements)

    def _key_receipts(self, records: Sequence[Record]) -> list[Outgoing]:
        drafts = key_receipts(
            records,
            self._with.key_outcomes,
            self._with.catch_up_keys,
            self._receipts,
            keyring=self._with.keyring,
            now_ms=self._with.clock.now_ms(),
        )
        return self._receipts.written(drafts, self._halves.map)

    def _admit(self, judgements: Sequence[Judgement], attempt: int) -> list[Outgoing]:
        """Everything that follows from the judgements on an agency's records."""
        admissions = self._admissions(judgements, attempt)
        outputs = self._writer.write_all(zip(judgements, admissions, strict=True))
        receipts = []
        for judgement, admission in zip(judgements, admissions, strict=True):
            if judgement.admitted:
                outputs.extend(notices(judgement, admission))
            else:
                outputs.append(dead_letter_of(judgement, admission))
            receipts.append(receipt_of(judgement, admission, self._receipts))
        outputs.extend(self._receipts.written(receipts, self._halves.map))
        sendable(outputs)
        self.set_aside += sum(judgement.code == CODE for judgement in judgements)
        measured.judged(judgements)
        return outputs

    def _relay_all(self, judgements: Sequence[Judgement]) -> list[Outgoing]:
        return [output for judgement in judgements for output in self._relay(judgement)]

    def _relay(self, judgement: Judgement) -> list[Outgoing]:
        """What the bus itself says is delivered to those it names; nobody admits it."""
        if not judgement.admitted:
            return self._refuse_own(judgement)
        (admission,) = self._admissions([judgement], FIRST_ATTEMPT)
        outputs = list(sendable(list(notices(judgement, admission))))
        measured.judged([judgement])
        return outputs

    def _obey_one(self, record: Record, bench: "_Bench") -> list[Outgoing]:
        """Carries out a command; where that fails, it is answered as set aside."""
        back = self._writer.as_now()
        try:
            return self._obey(record, bench)
        except PASSED:
            raise
        except Exception as error:  # noqa: BLE001  of this record alone, which is set aside
            back()
            return self._refuse_own(unanswered(record, error))

    def _obey(self, record: Record, bench: "_Bench") -> list[Outgoing]:
        """Carries out a command; one that cannot be obeyed is answered by an admission that refuses it."""
        judgement = bench.judge_all([record], at_once=True)[0]
        if not judgement.admitted:
            return self._refuse_own(judgement)
        try:
            command = command_of(record, self._catalog, self._with.keyring())
            if isinstance(command, Redrive):
                return self._redrive(command, bench)
            if isinstance(command, Recompute | StepOver | DropPayload | EnterNotice):
                return []  # the reconciler reads bus.command itself; who ordered a drop carries it out
            if not self._with.clock.simulated:
                raise Refused(
                    "not-authorised",
                    "the clock of this bus is not simulated",
                    found="clock.set",
                    expected="real time",
                    remedy="start the bus with --simulated-clock",
                )
        except Refused as refused:
            return self._refuse_own(_refused(judgement, refused))
        return []  # the reader of bus.command has set the clock already

    def _redrive(self, command: Redrive, bench: "_Bench") -> list[Outgoing]:
        """Judges the original again. Raises Refused if there is none or it may not be driven again."""
        original = self._original(command.origin)
        judgement = bench.judge_all([original], at_once=True)[0]
        if judgement.code in SECRET_CODES:
            raise Refused(
                "not-authorised",
                "a record of which only digests are kept may not be driven again",
                found=f"{judgement.code} at {command.origin}",
                remedy="publish it anew without what must not travel",
            )
        log.info(
            "attempt %d at %s: %s %s", command.attempt, command.origin, judgement.verdict, judgement.code
        )
        return each([judgement], lambda some: self._admit(some, command.attempt), self._writer.as_now)

    def _original(self, origin: Origin) -> Record:
        place = topic(origin.topic, self._partitions)
        known = place is not None and place in agency_topics(self._partitions)
        if place is None or not known or not 0 <= origin.partition < place.partitions:
            raise Refused("misplaced", "not a place of an agency's records", found=str(origin)[:200])
        record = self._with.originals(origin)
        if record is None:
            raise Refused("misplaced", "no record there", found=str(origin))
        return record

    def _refuse_own(self, judgement: Judgement) -> list[Outgoing]:
        """The bus's own refused record shows as a refused admission: its operator and auditors read those."""
        record = judgement.record
        log.error(
            "the bus's own record at %s/%d/%d is refused: %s, %s",
            record.topic,
            record.partition,
            record.offset,
            judgement.code,
            judgement.detail,
        )
        measured.judged([judgement])
        (admission,) = self._admissions([judgement], FIRST_ATTEMPT)
        return self._writer.write_all([(judgement, admission)])

    def _admissions(self, judgements: Sequence[Judgement], attempt: int) -> list[Admission]:
        catalogue, keyring = self._catalog.version, self._with.keyring().version
        now_ms = self._with.clock.now_ms()
        return [
            admission_of(
                judgement, attempt=attempt, catalogue=catalogue, keyring=keyring, admitted_at_ms=now_ms
            )
            for judgement in judgements
        ]


class KeysWanted(Exception):
    """A record is signed with a key that is not among those read so far."""


class _Bench:
    """The judgements of one `handle`: the keyring is read anew at most once for a key nobody knew."""

    def __init__(self, surroundings: Surroundings, halves: Halves, catalog: Catalog, partitions: int) -> None:
        self._with = surroundings
        self._halves = halves
        self._catalog = catalog
        self._partitions = partitions
        self._asked = False
        self.refused: Counter[str] = Counter()
        self.named: list[dict[str, str | None]] = []
        """The first refused records: id of the event where it can be read, place, code."""

    def ask_for_keys(self) -> None:
        """Reads the key topics to their end; what is not known by then is refused."""
        self._asked = True
        try:
            self._with.catch_up_keys()
        except NotYet as error:
            log.warning("judged by the keys known so far: %s", error)

    def judge_all(self, records: Sequence[Record], *, at_once: bool = False) -> list[Judgement]:
        """Judgements of the records, in their order.

        Raises KeysWanted for a key nobody knows, which may have been announced just before, until
        `ask_for_keys`; with `at_once` it asks by itself. Everything in one `handle` was written before, so
        that one look is enough for all of it.
        """
        examined = self._examine_all(records)
        if not self._asked and any(one.before and one.before.code == "unknown-key" for one in examined):
            if not at_once:
                raise KeysWanted
            self.ask_for_keys()
            examined = self._examine_all(records)
        signed = self._halves.map(_has_right_signature, examined)
        judgements = [self._conclude(one, right) for one, right in zip(examined, signed, strict=True)]
        for judgement in judgements:
            if judgement.code:
                self.refused[judgement.code] += 1
                if len(self.named) < MOST_NAMED:
                    self.named.append(measured.named(judgement))
        return judgements

    def _examine_all(self, records: Sequence[Record]) -> list[Examined]:
        keyring, now_ms = self._with.keyring(), self._with.clock.now_ms()
        return [self._examine(record, keyring, now_ms) for record in records]

    def _examine(self, record: Record, keyring: Keyring, now_ms: int) -> Examined:
        try:
            return examine(record, self._catalog, keyring, self._partitions, now_ms)
        except PASSED:
            raise
        except Exception as error:  # noqa: BLE001  of this record alone, which is set aside
            return unexamined(record, self._catalog, error)

    def _conclude(self, examined: Examined, right: bool | Exception) -> Judgement:
        try:
            if isinstance(right, Exception):
                raise right
            return conclude(examined, right)
        except PASSED:
            raise
        except Exception as error:  # noqa: BLE001  of this record alone, which is set aside
            return conclude(unexamined(examined.record, self._catalog, error), False)


def _has_right_signature(examined: Examined) -> bool | Exception:
    try:
        return examined.needs_signature and examined.check_signature()
    except Exception as error:  # noqa: BLE001  of this record alone: `_conclude` sets it aside
        return error


def _refused(judgement: Judgement, refused: Refused) -> Judgement:
    return replace(judgement, verdict="refused", code=refused.code, detail=refused.detail, recipients=())
