"""Admissions are checked before they are taken: a partition stops at a record that is not the router's."""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from casebus_schemas.admission.keyring import Keyring
from casebus_schemas.admission.proof import forged_admissions
from casebus_schemas.errors import Forged
from casebus_schemas.wire.records import Batch, Record
from casebus_services.streams.patience import PATIENCE_S, patiently

from .arrivals import Arrival, arrival, forged
from .stepped_over import SteppedOver, is_stepped_over

log = logging.getLogger(__name__)


class Keys(Protocol):
    """The bus's keys, and how to read on where one is not known yet."""

    def current(self) -> Keyring:
        """The keys as far as they were read."""

    def catch_up(self) -> None:
        """Reads to the end of bus.key."""


@dataclass(frozen=True, slots=True)
class Proven:
    """A run of admissions of one partition, all the router's, and the offset after them.

    `stepped_over` are the offsets between them at which an order says to go on behind a forged record.
    """

    partition: int
    arrivals: list[Arrival]
    next_offset: int
    begin: int | None = None
    stepped_over: frozenset[int] = frozenset()


class _Stop(NamedTuple):
    """Where a partition has stopped, and why."""

    record: Record
    why: str


class Proof:
    """Checks batches; a partition in which a forged record was met is stopped before it, the others go on.

    What has stopped stays so until the partition is assigned anew: then it is read again from the place where
    the database stands, and stops again as long as the record is there and no order says to step over it.
    """

    def __init__(self, keys: Keys, orders: Callable[[], SteppedOver] = dict) -> None:
        self._keys = keys
        self._orders = orders
        self._stopped: dict[int, _Stop] = {}

    def stopped(self) -> dict[int, str]:
        """Why each stopped partition stopped."""
        return {partition: stop.why for partition, stop in self._stopped.items()}

    def is_freed(self) -> bool:
        """Whether an order names a record at which a partition has stopped."""
        stopped = self._stopped.values()
        return bool(stopped) and any(is_stepped_over(stop.record, self._orders()) for stop in stopped)

    def forget(self, partitions: Iterable[int] | None = None) -> None:
        """These partitions, or all, begin anew."""
        for partition in list(self._stopped) if partitions is None else partitions:
            self._stopped.pop(partition, None)

    def of(self, batches: Iterable[Batch]) -> list[Proven]:
        """Of each batch what stands before its first forged record. Raises RetryLater without the keys."""
        return [self._proven(batch) for batch in batches if batch.partition not in self._stopped]

    def _proven(self, batch: Batch) -> Proven:
        records = batch.records
        problems = forged_admissions(records, self._keys.current())
        if any(problems):
            # The router's key may have been announced just before.
            patiently(self._keys.catch_up, PATIENCE_S)
            problems = forged_admissions(records, self._keys.current())
        arrivals: list[Arrival] = []
        over: set[int] = set()
        for record, problem in zip(records, problems, strict=True):
            try:
                if problem is not None:
                    raise forged(record, problem)
                arrivals.append(arrival(record))
            except Forged as error:
                if is_stepped_over(record, self._orders()):
                    log.warning("stepped over by order: %s", error)
                    over.add(record.offset)
                    continue
                self._stopped[batch.partition] = _Stop(record, error.detail)
                log.critical("partition %d of bus.admission stops: %s", batch.partition, error)
                return Proven(batch.partition, arrivals, record.offset, batch.begin, frozenset(over))
        return Proven(batch.partition, arrivals, batch.next_offset, batch.begin, frozenset(over))
