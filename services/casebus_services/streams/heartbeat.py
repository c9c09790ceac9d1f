"""A service's sign of life: a small file that the supervisor and the status page read."""

import json
import logging
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from casebus_schemas.wire.records import Batch, TopicPartition
from casebus_services.metrics.named import gauge

log = logging.getLogger(__name__)

_BEAT = gauge("casebus_worker_beat_timestamp_seconds")
_STOPPED = gauge("casebus_worker_stopped_partitions")


class Heartbeat:
    """Writes `heartbeat.json` into the service's folder while it has partitions.

    Give `beat` to the worker as `on_assigned` and `tick`, and tell `handled` of every batch. A service that
    hangs in its database does not beat: the file says that work goes on, not that a process exists.
    `stopped` gives the partitions that have stopped because evidence is at risk, and why; `counts` what else
    a person should know of, by its name, since the start; `ignored_keys` the last records of key topics that
    changed nothing, and why; `key_terms` the keys that end soon (`text`, `over`); `passed`
    the offsets behind its last record at which Kafka holds none; `sealed` the last epoch.
    """

    def __init__(
        self,
        folder: Path,
        stopped: Callable[[], Mapping[str, str]] = dict,
        counts: Callable[[], Mapping[str, int]] = dict,
        ignored_keys: Callable[[], Sequence[str]] = tuple,
        key_terms: Callable[[], Sequence[Mapping[str, object]]] = tuple,
        passed: Callable[[], Mapping[str, tuple[int, int]]] = dict,
        sealed: Callable[[], Mapping[str, int]] = dict,
    ) -> None:
        self._stopped = stopped
        self._counts = counts
        self._ignored_keys = ignored_keys
        self._key_terms = key_terms
        self._passed = passed
        self._sealed = sealed
        self._file = folder / "heartbeat.json"
        self._records = 0
        self._last_at: float | None = None
        self._last_records: int | None = None
        self._assigned: frozenset[TopicPartition] = frozenset()
        self._unwritten = False

    def handled(self, batches: Iterable[Batch]) -> None:
        """These batches are done. The first ones are told at once: they show that the service is back."""
        first = self._last_at is None
        self._last_records = sum(len(batch.records) for batch in batches)
        self._records += self._last_records
        self._last_at = time.time()
        if first:
            self.beat(self._assigned)

    def beat(self, assigned: frozenset[TopicPartition]) -> None:
        """Writes the file anew, so that a reader always finds a whole one."""
        self._assigned = assigned
        state = {
            "at": time.time(),
            "pid": os.getpid(),
            "partitions": len(assigned),
            "records": self._records,
            "last_batch_at": self._last_at,
            "last_batch_records": self._last_records,
            "stopped": dict(self._stopped()),
            "counts": dict(self._counts()),
            "ignored_keys": list(self._ignored_keys()),
            "key_terms": list(self._key_terms()),
            "passed": dict(self._passed()),
            "sealed": dict(self._sealed()),
        }
        _BEAT.set_to_current_time()
        _STOPPED.set(len(self._stopped()))
        fresh = self._file.with_suffix(".new")
        try:
            fresh.write_text(json.dumps(state), encoding="utf-8")
            fresh.replace(self._file)
        except OSError as error:
            # On a full disk the work goes on as far as it can; the file, growing old, says that it is ill.
            if not self._unwritten:
                log.warning("no sign of life can be written: %s", error)
            self._unwritten = True
        else:
            self._unwritten = False
