"""The reconciler's Kafka edge: batches of bus.admission in, one SQL transaction, announcements out."""

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Protocol

from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.catalogue.topology import ADMISSION
from casebus_schemas.errors import Gap, RetryLater
from casebus_schemas.law.calendars import EnteredNotice
from casebus_schemas.times import to_datetime
from casebus_schemas.wire.records import Batch, Outgoing, TopicPartition
from casebus_services.metrics.named import counter, histogram
from casebus_services.streams.faults import fault_point
from casebus_services.streams.patience import ASSIGNMENT_PATIENCE_S, PATIENCE_S, patiently

from .accounts_database import Database
from .announce import Announcer
from .arrivals import Arrival
from .entered_notices import enter, missing
from .fence import FIGURES, LINKS, Fence
from .intake import NO_LIMIT, Budget, Intake
from .kin_links import KinLinks
from .links import Links
from .proven import Keys, Proof, Proven
from .publications import Ends, Publications
from .rows import Waiting
from .set_aside import SetAside, program_of
from .shelf import Shelf
from .statements import Statements
from .stepped_over import SteppedOver
from .store import Work

log = logging.getLogger(__name__)

_TRANSACTION = histogram("casebus_reconciler_transaction_seconds")
_ANNOUNCED = counter("casebus_reconciler_announced_total")

_RELAYED_AT_ONCE = 1000
_CHAINS_AT_ONCE = 200
_LINKING = 0
"""The admission partition whose worker looks at what chains have in common and at published figures: there
is one at a time."""


class Sink(Protocol):
    """Where the outbox goes."""

    def send_all(self, outgoing: Iterable[Outgoing]) -> None:
        """Produces all and returns when each is acknowledged; raises RetryLater."""


class ReconcilerAgent:
    """Functions for a StreamWorker over bus.admission; used by its one thread.

    `now_ms` is the bus's clock, real or simulated (None while that is not set). `incarnation` begins the
    streams of partitions that the database does not know yet. What is announced is signed and put into the
    outbox in the transaction that moves the next offsets, and relayed after it; a partition's outbox moves
    with it. `keys` are the bus's: an admission that is not signed by one of them stops its partition, in
    which neither events nor time are taken any more. `orders` gives chains that the operator wants computed
    again, each with the offset of the order, those read since it was last asked, `stepped_over` the forged
    admissions behind which he wants it to go on. `budget` is what a chain or a transaction may take of
    processor time, `ends` where bus.admission ends now, `notices` the notices on holidays that were entered.
    """

    def __init__(
        self,
        database: Database,
        catalog: Catalog,
        announcer: Announcer,
        sink: Sink,
        now_ms: Callable[[], int | None],
        keys: Keys,
        incarnation: int,
        orders: Callable[[], Mapping[str, int]] = dict,
        budget: Budget = NO_LIMIT,
        stepped_over: Callable[[], SteppedOver] = dict,
        ends: Ends | None = None,
        notices: Callable[[], Sequence[EnteredNotice]] = tuple,
    ) -> None:
        self._database = database
        self._catalog = catalog
        self._announcer = announcer
        self._sink = sink
        self._now_ms = now_ms
        self._incarnation = incarnation
        self._links = Links(database, catalog, announcer, incarnation)
        self._kin = KinLinks(database, catalog, announcer, incarnation)
        self._statements = Statements(database, catalog, announcer, incarnation, ends)
        self._publications = Publications(database, catalog, announcer, incarnation, ends)
        self._proof = Proof(keys, stepped_over)
        self._read_orders = orders
        self._read_notices = notices
        self._entered_notices = 0
        self._budget = budget
        self._orders: dict[str, int] = {}
        self._look_at_set_aside = False
        self._shelf = Shelf()
        self._own: frozenset[int] = frozenset()
        self._unsent: set[int] = set()
        # What this worker has just put into an outbox that was empty: it need not be read again.
        self._fresh: dict[int, list[Waiting]] = {}

    # --- assignment -----------------------------------------------------------------------------------

    def next_offsets(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        """Where the database says to go on."""
        wanted = [TopicPartition(*partition) for partition in partitions]
        return patiently(lambda: self._next_offsets(wanted), ASSIGNMENT_PATIENCE_S)

    def assigned(self, partitions: Iterable[TopicPartition]) -> None:
        """These partitions are this worker's now: books are read afresh, outboxes looked through."""
        self._own = frozenset(partition for _, partition in partitions)
        self._proof.forget()
        self._shelf.keep_only(())
        self._unsent = self._outboxes()
        self._look_at_set_aside = True
        self._fresh.clear()

    def revoked(self, partitions: Iterable[TopicPartition]) -> None:
        """These partitions belong to another worker now."""
        self._own -= {partition for _, partition in partitions}
        self._proof.forget(partition for _, partition in partitions)
        self._shelf.keep_only(self._own)
        self._unsent &= self._outboxes()
        self._fresh.clear()

    def stopped(self) -> dict[str, str]:
        """Partitions that have stopped at a record that is not the router's, and why."""
        return {f"{ADMISSION}/{partition}": why for partition, why in sorted(self._proof.stopped().items())}

    # --- work -----------------------------------------------------------------------------------------

    def handle(self, batches: list[Batch]) -> None:
        """Takes the batches and relays what they made the bus say. Durable and idempotent when it returns.

        Raises StopService at once, RetryLater after `PATIENCE_S`.
        """
        self._take_notices()
        ours = self._proof.of(batch for batch in batches if batch.topic == ADMISSION)
        if ours:
            while patiently(lambda: self._take(ours), PATIENCE_S):
                self.relay()
            fault_point("reconciler.after-commit", sum(len(run.arrivals) for run in ours))
        self.relay()

    def tick(self, partitions: Iterable[TopicPartition] | None = None) -> None:
        """Lets the clock's time pass in the chains of this worker's partitions, and relays.

        Before that chains are computed again that another program set aside, or that the operator orders;
        after it the worker of partition 0 looks at what chains have in common, and at published figures.
        Raises RetryLater where an order frees a partition that has stopped: started anew, the service reads
        it from there.
        """
        if self._proof.is_freed():
            raise RetryLater(
                "a forged admission is to be stepped over",
                found="the operator's order",
                remedy="none: the service starts anew and reads on behind it",
            )
        assigned = self._own if partitions is None else {partition for _, partition in partitions}
        own = sorted(assigned - self._proof.stopped().keys())
        self._take_notices()
        self._drive_again(own)
        now_ms = self._now_ms() if own else None
        if now_ms is not None:
            while self._time_passes(own, to_datetime(now_ms)):
                pass
        if _LINKING in assigned:
            if self._links.look() | self._kin.look() | self._statements.look():
                self._unsent.add(LINKS)
            if self._publications.look():
                self._unsent.add(FIGURES)
        self.relay()

    def _outboxes(self) -> set[int]:
        """The outboxes that this worker relays."""
        return {*self._own, LINKS, FIGURES} if _LINKING in self._own else set(self._own)

    def _take_notices(self) -> None:
        """Stores notices that were entered since, before any event or time is taken behind them."""
        entered = self._read_notices()
        if len(entered) != self._entered_notices:
            patiently(lambda: self._store_notices(entered), PATIENCE_S)
            self._entered_notices = len(entered)

    def _store_notices(self, entered: Sequence[EnteredNotice]) -> None:
        with self._database.reading() as transaction:
            if not missing(transaction, entered):
                return
        with self._database.writing() as transaction:
            work = Work(transaction, self._catalog)
            known = [row[0] for row in transaction.rows("SELECT partition FROM recon_partition")]
            fences = work.fences(known, self._incarnation) if known else {}
            enter(transaction, missing(transaction, entered))
            work.release(fences.values())
        self._forget()  # what is kept in memory does not know them

    def _drive_again(self, own: list[int]) -> None:
        if orders := self._read_orders():
            self._orders.update(orders)
            self._look_at_set_aside = True
        if self._look_at_set_aside and own:
            self._look_at_set_aside = False
            for held in patiently(lambda: self._set_aside(own), PATIENCE_S):
                patiently(lambda: self._compute_again(held), PATIENCE_S)  # noqa: B023

    def _set_aside(self, own: list[int]) -> list[SetAside]:
        """The chains that are to be computed again."""
        program = program_of(self._catalog)
        with self._database.reading() as transaction:
            found = Work(transaction, self._catalog).set_aside(own)
        ordered = [(one, self._orders.get(one.chain, one.ordered)) for one in found]
        return [
            one._replace(ordered=max(order, one.ordered))
            for one, order in ordered
            if order > one.ordered or one.program != program
        ]

    def _time_passes(self, own: list[int], now: datetime) -> bool:
        return patiently(lambda: self._pass_time(own, now), PATIENCE_S)

    def relay(self) -> None:
        """Sends what waits in the outboxes of this worker's partitions, in order, and marks it sent.

        What was sent but not marked is sent again, byte for byte: readers drop repeats by event digest.
        """
        while self._unsent and self._relay_some(sorted(self._unsent)):
            pass
        self._unsent.clear()

    def _relay_some(self, own: list[int]) -> bool:
        """Relays one run of outbox rows; whether more may wait."""
        known = all(partition in self._fresh for partition in own)
        fresh, self._fresh = self._fresh, {}
        if known:
            rows = [row for partition in own for row in fresh[partition]]
        else:
            rows = patiently(lambda: self._waiting(own), PATIENCE_S)
        if rows:
            patiently(lambda: self._sink.send_all([row.record for row in rows]), PATIENCE_S)
            for kind, number in Counter(_type_of(row.record) for row in rows).items():
                _ANNOUNCED.labels(type=kind).inc(number)
            fault_point("reconciler.after-publish", len(rows))
            patiently(lambda: self._mark(rows), PATIENCE_S)
        return not known and len(rows) >= _RELAYED_AT_ONCE

    # --- transactions ---------------------------------------------------------------------------------

    def _next_offsets(self, wanted: list[TopicPartition]) -> dict[TopicPartition, int]:
        with self._database.reading() as transaction:
            known = dict(
                tuple(row) for row in transaction.rows("SELECT partition, next_offset FROM recon_partition")
            )
        return {place: known.get(place.partition, 0) for place in wanted}

    @_TRANSACTION.time()
    def _take(self, runs: list[Proven]) -> bool:
        """Whether some were left for another transaction, since this one has used up its time."""
        left: Sequence[Arrival] = ()

        def take(intake: Intake) -> None:
            nonlocal left
            left = intake.take(arrivals)
            for arrived in reversed(left):
                fences[arrived.partition].next_offset = arrived.offset

        try:
            with self._database.writing() as transaction:
                work = Work(transaction, self._catalog)
                fences = work.fences((run.partition for run in runs), self._incarnation)
                arrivals = [found for run in runs for found in _new(run, fences[run.partition])]
                self._enter(work, fences, take)
                fault_point("reconciler.before-commit", len(arrivals) - len(left))
        except BaseException:
            self._forget()  # books may have moved on without the database
            raise
        self._own |= fences.keys()
        return bool(left)

    def _pass_time(self, own: list[int], now: datetime) -> bool:
        with self._database.reading() as transaction:
            if not Work(transaction, self._catalog).waking(own, now, 1):
                return False
        try:
            with self._database.writing() as transaction:
                work = Work(transaction, self._catalog)
                fences = work.fences(own, self._incarnation)
                waking = work.waking(own, now, _CHAINS_AT_ONCE)
                self._enter(work, fences, lambda intake: intake.pass_time(waking, now))
                fault_point("reconciler.before-commit", len(waking))
        except BaseException:
            self._forget()
            raise
        return bool(waking)

    def _compute_again(self, held: SetAside) -> None:
        log.info("chain %s, set aside since %s, is computed again", held.chain, held.since)
        try:
            with self._database.writing() as transaction:
                work = Work(transaction, self._catalog)
                fences = work.fences([held.partition], self._incarnation)
                if work.held([held.chain]):
                    events, known = partial(work.events, held.chain), work.findings(held.chain)
                    self._enter(work, fences, lambda intake: intake.compute_again(held, events, known))
        except BaseException:
            self._forget()
            raise

    def _forget(self) -> None:
        self._shelf.clear()
        self._fresh.clear()

    def _enter(self, work: Work, fences: dict[int, Fence], step: Callable[[Intake], None]) -> None:
        """One step of intake under the fences: entries, announcements and offsets go together."""
        self._shelf.check(fences.values())
        intake = Intake(work, self._catalog, self._shelf, self._budget, work.calendars)
        step(intake)
        work.take_back(intake.taken_back)
        work.save(intake.entries)
        work.put_aside(intake.set_aside.values())
        for partition, said in intake.said.items():
            rows = work.say(fences[partition], self._announcer, said, intake.traces)
            if not rows:
                continue
            if partition in self._unsent:
                self._fresh.pop(partition, None)  # others wait before these
            else:
                self._fresh[partition] = rows
            self._unsent.add(partition)
        work.release(fences.values())
        self._shelf.written(fences.values())

    def _waiting(self, own: list[int]) -> list[Waiting]:
        with self._database.reading() as transaction:
            return Work(transaction, self._catalog).waiting(own, _RELAYED_AT_ONCE)

    def _mark(self, rows: list[Waiting]) -> None:
        with self._database.writing() as transaction:
            Work(transaction, self._catalog).sent(rows)


def _type_of(record: Outgoing) -> str:
    return next((value.decode() for name, value in record.headers if name == "ce_type" and value), "")


def _new(run: Proven, fence: Fence) -> list[Arrival]:
    """The records behind the fence's next offset, which moves over them. Raises Gap if some are missing.

    Offsets that a run passes over are Kafka's own, of markers of transactions.
    """
    found: list[Arrival] = []
    read_on = run.begin is not None and run.begin <= fence.next_offset
    for arrived in run.arrivals:
        if arrived.offset < fence.next_offset:
            continue
        while fence.next_offset in run.stepped_over:
            fence.next_offset += 1
        if arrived.offset > fence.next_offset and not found and not read_on:
            raise Gap(
                "records of bus.admission are missing",
                found=f"offset {arrived.offset}",
                expected=f"offset {fence.next_offset}",
                remedy="compare the topic with the accounts database, then run casebus rebuild",
                topic=ADMISSION,
                partition=run.partition,
                offset=arrived.offset,
            )
        found.append(arrived)
        fence.next_offset = arrived.offset + 1
    fence.next_offset = max(fence.next_offset, run.next_offset)
    return found
