"""Kafka's own copies of records: removed by its administrator, always all of a partition up to an offset."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kafka import TopicPartition
from kafka.admin import OffsetSpec

from casebus_schemas.admission.verdict import Origin
from casebus_schemas.connection import Connection
from casebus_schemas.errors import Refused

from .cluster_admin import cluster_admin

# The marker that ends a transaction reaches each partition by itself: a reader may see the router's verdict
# shortly before the group's committed offset moves.
_COMMITTED_WITHIN_S = 10.0


class KafkaCopies:
    """What a partition still holds, for an administrator who may remove it.

    `patience_s`: seconds to wait for the router's committed offset to pass a record.
    """

    def __init__(self, admin: Any, patience_s: float = _COMMITTED_WITHIN_S) -> None:
        self._admin = admin
        self._patience_s = patience_s

    def count_to(self, origin: Origin) -> int:
        """How many records go when this one goes: all from the partition's beginning to it.

        Raises Refused if the router has not judged all of them within the patience.
        """
        place = TopicPartition(origin.topic, origin.partition)
        deadline = time.monotonic() + self._patience_s
        while not self._judged(place, origin.offset):
            if time.monotonic() >= deadline:
                raise Refused("misplaced", "the router has not judged all of these records yet")
            time.sleep(0.05)
        spec = {place: OffsetSpec.EARLIEST}
        begins = self._admin.list_partition_offsets(spec)[place].offset
        return max(0, origin.offset + 1 - int(begins))

    def _judged(self, place: TopicPartition, offset: int) -> bool:
        committed = self._admin.list_group_offsets({"router": [place]})["router"].get(place)
        return committed is not None and committed.offset > offset

    def remove_to(self, origin: Origin) -> None:
        """Removes the record and all before it in its partition, for good."""
        self._admin.delete_records({TopicPartition(origin.topic, origin.partition): origin.offset + 1})


@contextmanager
def kafka_copies(connection: Connection, file: Path) -> Iterator[KafkaCopies]:
    """The copies of a cluster of ours: the embedded one, or one whose administrator the environment names.

    Raises UsageError if the cluster has no administrator of ours, RetryLater if it does not do it.
    """
    why = "Kafka's copies can be removed only where the cluster is ours"
    with cluster_admin(connection, file, why) as admin:
        yield KafkaCopies(admin)
