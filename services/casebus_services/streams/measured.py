"""What a stream worker tells of itself: records, batches, their age, lag, assigned partitions."""

import time
from collections.abc import Callable, Iterable, Sequence

from casebus_schemas.wire.records import Batch, TopicPartition
from casebus_services.metrics.named import counter, gauge, histogram

_RECORDS = counter("casebus_worker_records_total")
_BATCH = histogram("casebus_worker_batch_seconds")
_AGE = histogram("casebus_worker_record_age_seconds")
_PARTITIONS = gauge("casebus_worker_partitions")
_LAG = gauge("casebus_worker_lag_records")


class Measured:
    """The measures of one worker: called by its threads, each call short."""

    def __init__(self) -> None:
        self._next: dict[TopicPartition, int] = {}

    def assigned(self, places: Iterable[TopicPartition]) -> None:
        """These partitions are this worker's now, and no others."""
        kept = {TopicPartition(*place) for place in places}
        for gone in self._next.keys() - kept:
            del self._next[gone]
        _LAG.clear()
        _PARTITIONS.set(len(kept))

    def handled(self, batches: Sequence[Batch], seconds: float) -> None:
        """The effect of these batches is durable, and took so long."""
        now_ms = time.time() * 1000
        for batch in batches:
            self._next[TopicPartition(batch.topic, batch.partition)] = batch.next_offset
            if batch.records:
                _RECORDS.labels(topic=batch.topic).inc(len(batch.records))
                _AGE.observe(max(0.0, now_ms - batch.records[0].timestamp_ms) / 1000)
        _BATCH.observe(seconds)

    def look(
        self,
        places: Iterable[TopicPartition],
        begun: Callable[[TopicPartition], int | None],
        end: Callable[[TopicPartition], int | None],
    ) -> None:
        """Tells the lag of each partition: `begun` is where its reading began, `end` where it ends.

        None: not known, then nothing is told of it.
        """
        for place in places:
            at, last = self._next.get(place, begun(place)), end(place)
            if at is not None and last is not None:
                lag = _LAG.labels(topic=place.topic, partition=str(place.partition))
                lag.set(max(0, last - at))
