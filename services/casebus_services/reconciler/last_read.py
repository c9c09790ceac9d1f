"""The last admission that the database holds of each partition, by which the log is known again."""

from collections.abc import Iterable
from functools import partial
from typing import Any

from casebus_schemas.admission.verdict import Origin, split_admission
from casebus_schemas.catalogue.topology import ADMISSION
from casebus_schemas.errors import BusError
from casebus_schemas.wire.records import Record, TopicPartition
from casebus_services.streams.same_log import Known

from .accounts_database import Database

_LAST = (
    "SELECT bus_partition, bus_offset, topic, a.partition, koffset, attempt, admitted_ms "
    "FROM recon_partition p JOIN recon_admission a ON a.bus_partition = p.partition AND a.bus_offset = "
    "(SELECT max(bus_offset) FROM recon_admission b WHERE b.bus_partition = p.partition)"
)


def last_read(database: Database, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, Known]:
    """What stands last in the database of these partitions of bus.admission."""
    wanted = set(partitions)
    with database.reading() as transaction:
        found = {TopicPartition(ADMISSION, row[0]): tuple(row) for row in transaction.rows(_LAST)}
    return {place: Known(row[1], partial(_is_it, row[2:])) for place, row in found.items() if place in wanted}


def _is_it(row: tuple[Any, ...], record: Record) -> bool:
    try:
        admission, _ = split_admission(record)
    except BusError:
        return False
    origin: Origin = admission.origin
    return row == (origin.topic, origin.partition, origin.offset, admission.attempt, admission.admitted_at_ms)
