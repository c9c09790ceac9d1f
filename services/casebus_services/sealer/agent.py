"""Seals epochs: reads back, computes again, compares with all that is known, signs, publishes."""

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from casebus_schemas.catalogue.topology import CHECKPOINT
from casebus_schemas.errors import StopService
from casebus_schemas.evidence.epoch import LogHead, epoch_headers, epoch_of
from casebus_schemas.evidence.merkle import TiledTree
from casebus_schemas.evidence.signed_note import NoteSigner
from casebus_schemas.wire.records import Outgoing, TopicPartition
from casebus_services.metrics.named import gauge, histogram
from casebus_services.streams.faults import fault_point

from .head_log import HeadLog
from .high_water import HighWater
from .known import KnownHeads, Seen, agrees
from .purposes import check_purposes
from .recomputing import LogEnd, refused
from .store import SealedEpoch, SealerStore

log = logging.getLogger(__name__)

_EPOCH = gauge("casebus_sealer_epoch")
_SEALED_AT = gauge("casebus_sealer_sealed_timestamp_seconds")
_WAITING = gauge("casebus_sealer_waiting_entries")
_SEAL = histogram("casebus_sealer_seal_seconds")

Ends = Callable[[Iterable[TopicPartition]], Mapping[TopicPartition, int]]
"""Where Kafka's partitions end."""
Send = Callable[[Iterable[Outgoing]], None]
"""Returns when all are acknowledged."""


@dataclass(frozen=True, slots=True)
class Pace:
    """An epoch is sealed every `interval_s` seconds or `entries` entries, if any log grew.

    `idle_s` after the last one it is sealed though none did: that nothing came is provable up to then.
    """

    interval_s: float = 1.0
    entries: int = 5000
    idle_s: float = 3600.0


class Sealer:
    """One sealer. Blocking, for one thread; several on one database fence each other.

    Every method raises StopService where evidence is at risk, naming the row or the place that disagrees:
    nothing is signed then. RetryLater: database or Kafka is away, or another sealer was faster.
    """

    def __init__(
        self,
        store: SealerStore,
        signer: NoteSigner,
        high_water: HighWater,
        known: KnownHeads,
        *,
        ends: Ends,
        send: Send,
        catch_up: Callable[[], None] = lambda: None,
        pace: Pace | None = None,
        writer: str = "sealer",
    ) -> None:
        """`catch_up` returns when `known` has all that stands in Kafka now."""
        self._store = store
        self._signer = signer
        self._high_water = high_water
        self._known = known
        self._ends = ends
        self._send = send
        self._catch_up = catch_up
        self._pace = pace or Pace()
        self._writer = writer
        self._trees: dict[int, TiledTree] = {}
        self._sizes: dict[int, int] = {}
        self._sealed_at = 0.0
        self._purposes = {signer.key.public: "the key of the ledger's checkpoints", **known.purposes()}
        self._has_seen_keys = False
        self.epoch = 0
        """Number of the last epoch."""
        self.sealed_at_ms = 0
        """When it was sealed, milliseconds since 1970 UTC."""
        self.waiting = 0
        """Entries that no epoch had when it last looked."""

    def start(self) -> None:
        """Looks at everything that is known, and publishes what a crash has left."""
        self._catch_up()
        with self._store.reading() as connection:
            self._has_seen_keys = check_purposes(connection, self._purposes)
            head = self._store.head_log(connection)
            self._agree(connection, head)
            self._note(connection, head)
        self._publish_missing()
        self._keep_lines()

    def turn(self) -> bool:
        """Seals an epoch if it is time; whether it did. Called several times a second, cheap where idle."""
        self._publish_missing()
        self._keep_lines()
        sizes = self._store.sizes()
        self.waiting = sum(sizes.values()) - sum(self._sizes.values())
        self._measure()
        if sizes == self._sizes:
            idle = self.epoch > 0 and time.time() * 1000 >= self.sealed_at_ms + self._pace.idle_s * 1000
            return idle and self.seal(silent=True) is not None
        waited = time.monotonic() - self._sealed_at
        if self.waiting < self._pace.entries and waited < self._pace.interval_s:
            return False
        return self.seal() is not None

    def seal(self, *, silent: bool = False) -> int | None:
        """Seals an epoch over the heads as they are; gives its number.

        None if no log grew, unless it is to be sealed over `silent` ones, too.
        """
        begun = time.monotonic()
        self._catch_up()
        try:
            with self._store.reading() as connection:
                if not self._has_seen_keys:  # a new ledger had none when this began
                    self._has_seen_keys = check_purposes(connection, self._purposes)
                head = self._store.head_log(connection)
                self._agree(connection, head)
                logs = self._store.ends(connection)
                grown = self._read_back(connection, head, logs)
                self._note(connection, head)
                before = self.sealed_at_ms
            if not grown and not silent:
                return None
            heads = self._heads(logs)
            changed = {log_id: now for log_id, now in heads.items() if head.heads.get(log_id) != now}
            at_ms = max(before, time.time_ns() // 1_000_000)
            leaf = epoch_of(head.size + 1, head.tree.root(), heads.values(), at_ms)
            after, note = self._store.add_epoch(head, leaf, changed, self._signer, self._writer)
        except BaseException:
            # The trees in memory may be ahead of what was sealed.
            self._trees.clear()
            raise
        fault_point("sealer.after-commit", len(grown))
        self._sizes = {log_id: one.size for log_id, one in after.heads.items()}
        self.epoch, self.sealed_at_ms, self._sealed_at = leaf.number, at_ms, time.monotonic()
        self.waiting = 0
        _SEAL.observe(time.monotonic() - begun)
        self._measure()
        self._high_water.write(str(note))
        fault_point("sealer.before-publish", len(grown))
        self._publish_missing()
        return leaf.number

    def _measure(self) -> None:
        _EPOCH.set(self.epoch)
        _SEALED_AT.set(self.sealed_at_ms / 1000)
        _WAITING.set(self.waiting)

    def _note(self, connection: Connection, head: HeadLog) -> None:
        self.epoch = head.size
        self._sizes = {log_id: one.size for log_id, one in head.heads.items()}
        if head.log_id is not None:
            self.sealed_at_ms = self._store.leaf(connection, head.log_id, head.size).sealed_at_ms

    def _agree(self, connection: Connection, head: HeadLog) -> None:
        """Compares the head log with its own last checkpoint, the high-water file and what is in Kafka."""
        latest = self._store.latest(connection)
        if latest != head.size:
            raise refused("checkpoint", f"the last of size {latest}", f"{head.size} as the head log")
        if latest:
            self._store.checkpoint(connection, latest, self._signer.key)
            if self._store.root(connection, latest) != head.tree.root():
                root = self._store.root(connection, latest) or b""
                raise refused("checkpoint", f"root {root.hex()} of size {latest}", head.tree.root().hex())
        mark = self._high_water.read()
        if mark is not None:
            own = Seen(str(self._high_water.file), mark.size, mark.root)
            agrees(own, latest, self._store.root(connection, mark.size))
        self._hear(connection, latest)

    def _read_back(self, connection: Connection, head: HeadLog, logs: list[LogEnd]) -> list[LogEnd]:
        """Checks every log that grew; gives these."""
        gone = head.heads.keys() - {one.log_id for one in logs}
        if gone:
            raise refused(head.heads[min(gone)].origin, "no batch row", "the log that was sealed")
        grown = []
        for one in logs:
            sealed = head.heads.get(one.log_id)
            if sealed is not None and one.size < sealed.size:
                raise refused(
                    one, f"{one.size} entries by its last batch", f"at least {sealed.size} as sealed"
                )
            if sealed is not None and one.size == sealed.size:
                if one.root != sealed.root:
                    raise refused(one, f"batch {one.start}: root {one.root.hex()}", sealed.root.hex())
                continue
            tree = self._trees.get(one.log_id)
            if tree is None or tree.size != (sealed.size if sealed else 0):
                tree = self._store.tree(connection, one, sealed)
            self._store.read_back(connection, one, tree)
            self._trees[one.log_id] = tree
            grown.append(one)
        return grown

    def _heads(self, logs: list[LogEnd]) -> dict[int, LogHead]:
        places = {one.log_id: TopicPartition(one.topic, one.partition) for one in logs}
        ends = self._ends(places.values())
        heads = {}
        for one in logs:
            end = ends[places[one.log_id]]
            if end < one.next_offset:
                raise StopService(
                    f"nothing is sealed: Kafka ends before the ledger in {one}",
                    found=f"end at offset {end}",
                    expected=f"at least {one.next_offset}",
                    remedy="put back what Kafka lost (docs/how-to/put-kafka-back.md)",
                    topic=one.topic,
                    partition=one.partition,
                )
            heads[one.log_id] = self._store.head_of(one, end)
        return heads

    def _publish_missing(self) -> None:
        """Sends every epoch that bus.checkpoint does not have; a repeat has the same bytes."""
        while self._known.published < self.epoch:
            number = self._known.published + 1
            with self._store.reading() as connection:
                sealed = self._store.epoch(connection, number, self._signer.key)
            self._send([record_of(sealed, self._store.origin)])
            fault_point("sealer.after-publish")
            self._known.published = max(self._known.published, number)

    def _hear(self, connection: Connection, latest: int) -> None:
        """Compares heads that came from Kafka with this ledger's."""
        seen, _ = self._known.new()
        for one in seen:
            agrees(one, latest, self._store.root(connection, one.size))
        self._known.forget(len(seen), 0)

    def _keep_lines(self) -> None:
        """Stores what witnesses have cosigned, once it agrees with this ledger."""
        seen, lines = self._known.new()
        if seen:
            with self._store.reading() as connection:
                self._hear(connection, self._store.latest(connection))
        if lines:
            self._store.add_cosignatures(lines)
            self._known.forget(0, len(lines))


def record_of(sealed: SealedEpoch, origin: str) -> Outgoing:
    """An epoch's record on bus.checkpoint."""
    headers = epoch_headers(sealed.leaf, sealed.changed)
    return Outgoing(CHECKPOINT, 0, origin.encode(), sealed.submission.to_bytes(), headers)
