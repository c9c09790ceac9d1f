"""Admissions are checked before they are taken: a partition stops at a record that is not the router's."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from casebus_schemas.admission.keyring import Keyring
from casebus_schemas.admission.proof import forged_admissions
from casebus_schemas.errors import Forged
from casebus_schemas.wire.records import Batch
from casebus_services.streams.patience import PATIENCE_S, patiently

from .arrivals import Arrival, arrival, forged

log = logging.getLogger(__name__)


class Keys(Protocol):
    """The bus's keys, and how to read on where one is not known yet."""

    def current(self) -> Keyring:
        """The keys as far as they were read."""

    def catch_up(self) -> None:
        """Reads to the end of bus.key."""


@dataclass(frozen=True, slots=True)
class Proven:
    """A run of admissions of one partition, all the router's, and the offset after them."""

    partition: int
    arrivals: list[Arrival]
    next_offset: int
    begin: int | None = None


class Proof:
    """Checks batches; a partition in which a forged record was met is stopped before it, the others go on.

    What has stopped stays so until the partition is assigned anew: then it is read again from the place where
    the database stands, and stops again as long as the record is there.
    """

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        self._stopped: dict[int, str] = {}

    def stopped(self) -> dict[int, str]:
        """Why each stopped partition stopped."""
        return dict(self._stopped)

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
        arrivals = []
        for record, problem in zip(records, problems, strict=True):
            try:
                if problem is not None:
                    raise forged(record, problem)
                arrivals.append(arrival(record))
            except Forged as error:
                self._stopped[batch.partition] = error.detail
                log.critical("partition %d of bus.admission stops: %s", batch.partition, error)
                return Proven(batch.partition, arrivals, record.offset, batch.begin)
        return Proven(batch.partition, arrivals, batch.next_offset, batch.begin)
