"""What a witness makes of what it reads: it follows bus.checkpoint, cosigns, keeps evidence. No Kafka."""

import logging
import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Sequence
from threading import RLock
from typing import NamedTuple

from casebus_schemas.evidence.checkpoint import Checkpoint
from casebus_schemas.evidence.cosignature import Cosigner, cosigned_times
from casebus_schemas.evidence.epoch import EpochLeaf, LogHead, read_epoch_headers
from casebus_schemas.evidence.leaf_run import leaf_run
from casebus_schemas.evidence.mirror import LogCopy, Mirror, Read
from casebus_schemas.evidence.signed_note import SignedNote
from casebus_schemas.evidence.submission import Submission
from casebus_schemas.evidence.trust_policy import TrustPolicy
from casebus_schemas.evidence.witness import (
    BAD_REQUEST,
    CONFLICT,
    NEVER,
    OK,
    Accepted,
    Declined,
    Head,
    LogKeys,
    decide,
    read_signed,
)
from casebus_schemas.wire.records import Record, TopicPartition

from .comparing import SPLIT, Comparing
from .state import ENROL, Cosigned, Evidence, KeyEnded, State, Tables

log = logging.getLogger(__name__)

UNAVAILABLE = 503
"""To who should ask again later: HTTP's own word, as the specification has none."""
INCONSISTENT, CONTRADICTION = "inconsistent", "contradiction"
FINAL = (SPLIT, CONTRADICTION)
"""Kinds of evidence that the log itself has signed: after one nothing is cosigned any more."""


class Answer(NamedTuple):
    """Of `add-checkpoint`: HTTP status, and the cosignature's line, the size held, or the reason."""

    status: int
    body: str


class _Epoch(NamedTuple):
    found: Accepted
    leaf: EpochLeaf
    changed: Sequence[LogHead]


class Cosigning:
    """One witness of one ledger. Threads may share it.

    `readable` are the partitions that it reads itself, as a mirror; None for who is none. What `last` holds
    is on disk, and may leave. `waits` says why the newest epoch is not cosigned yet; `reread` that
    bus.checkpoint should be read from its beginning, as a checkpoint is missing.
    """

    def __init__(
        self,
        state: State,
        cosigner: Cosigner,
        policy: TrustPolicy,
        readable: Collection[TopicPartition] | None = None,
        now_s: Callable[[], int] = lambda: int(time.time()),
    ) -> None:
        self.state = state
        self.key = cosigner.key
        self.waits: str | None = None
        self.reread = False
        self._cosigner = cosigner
        self._ledger = policy.logs[0].key.name
        self._keys: LogKeys = {self._ledger: [one.key for one in policy.logs]}
        others = {name: one.key for name, one in policy.witnesses.items() if one.key != self.key}
        self._gossip = Comparing(self._keys, others)
        self._now_s = now_s
        self._lock = RLock()
        self._epochs: deque[_Epoch] = deque()
        self._read_to: dict[TopicPartition, int] = {}
        with state.transaction() as tables:
            self.evidence: Sequence[Evidence] = tables.evidence()
            self.last = tables.cosigned()
            self._mirror = None if readable is None else _mirror(tables, self._ledger, readable)

    @property
    def stopped(self) -> str | None:
        """Why this key cosigns nothing any more."""
        return next((f"{one.kind}: {one.detail}" for one in self.evidence if one.kind in FINAL), None)

    @property
    def starts(self) -> dict[TopicPartition, int]:
        """Where reading begins: topics of checkpoints and cosignatures, and of a mirror what it copies."""
        with self.state.transaction() as tables:
            found = {TopicPartition(topic, 0): at for topic, at in tables.positions().items()}
        if self._mirror is not None:
            found |= {place: copy.next_offset for place, copy in self._mirror.logs.items()}
        return found

    def check_own(self, notes: Iterable[SignedNote]) -> None:
        """Compares the state with what stands on the witness's own topic.

        Raises KeyEnded, and ends the key, if that is ahead of the state, or is another head of its size.
        """
        size = 0 if self.last is None else self.last.head.size
        for note in notes:
            try:
                if not cosigned_times(self.key, note):
                    continue
                own = Checkpoint.parse(note.text)
            except ValueError:
                continue  # not by this key: somebody else's line cannot end it
            with self.state.transaction() as tables:
                seen = tables.seen(own.size)
                if own.size <= size and (seen is None or seen[0] == own.root):
                    continue
                found = f"size {own.size} on its topic, {size} in its state"
                tables.end(found)
            raise KeyEnded(
                "the witness's state is lost or old: its key ends",
                found=found,
                expected="the newest state",
                remedy=ENROL,
            )

    def submit(self, raw: bytes) -> Answer:
        """Answers a body of `add-checkpoint`; what it cosigns is on disk when it returns."""
        with self._lock, self.state.transaction() as tables:
            cosigned = tables.cosigned()
            held = NEVER if cosigned is None else cosigned.head
            found = decide(raw, self._keys, {self._ledger: held})
            if isinstance(found, Declined):
                if found.checkpoint is not None and found.note is not None:
                    self._gossip.compare(tables, "add-checkpoint", Accepted(found.checkpoint, found.note))
                    self.evidence = tables.evidence()
                body = str(held.size) if found.status == CONFLICT else found.reason
                return Answer(found.status, f"{body}\n")
            if self.stopped is not None:
                return Answer(UNAVAILABLE, f"{self.stopped}\n")
            seen = tables.seen(found.checkpoint.size)
            if self._mirror is not None and (seen is None or seen[0] != found.checkpoint.root):
                return Answer(UNAVAILABLE, "a mirror cosigns when it has read the epoch's records\n")
            if cosigned is None or cosigned.head.size < found.checkpoint.size:
                cosigned = self._cosign(tables, found)
        self.last = cosigned
        return Answer(OK, f"{cosigned.line}\n")

    def read(self, records: Sequence[Record], checkpoints: str, cosignatures: Collection[str]) -> None:
        """Takes a run of records in: of bus.checkpoint, of cosignatures, of partitions that it copies."""
        with self._lock, self.state.transaction() as tables:
            newest: Accepted | None = None
            for record in records:
                if record.topic == checkpoints:
                    newest = self._follow(tables, record) or newest
                elif record.topic in cosignatures:
                    self._gossip.hear(tables, record.value or b"")
            if self.stopped is None:
                self._copy(records)
                newest = self._judge(tables) or newest
            kept = (checkpoints, *cosignatures)
            moved = {one.topic: one.offset + 1 for one in records if one.topic in kept}
            if self._epochs:
                moved.pop(checkpoints, None)  # to be read again after a restart
            tables.move(moved)
            self.evidence = tables.evidence()
            done = tables.cosigned()
            held = NEVER if done is None else done.head
            if newest is not None and self.stopped is None and newest.checkpoint.size > held.size:
                done = self._cosign(tables, newest)
        self.last = done

    # --- within a transaction ----------------------------------------------------------------------------

    def _follow(self, tables: Tables, record: Record) -> Accepted | None:
        """Follows one checkpoint; gives it if it may be cosigned at once."""
        try:
            found = read_signed(Submission.parse(record.value or b"").note, self._keys)
            epoch = None if self._mirror is None else read_epoch_headers(record.headers)
        except ValueError as error:
            found = Declined(BAD_REQUEST, str(error))
        if isinstance(found, Declined):
            log.warning("%s/%d: %s", record.topic, record.offset, found.reason)
            return None
        if self._gossip.compare(tables, record.topic, found):
            return None
        if self.stopped is not None:
            return None
        if epoch is not None:
            self._epochs.append(_Epoch(found, *epoch))
            return None
        return found if self._extends(tables, record.value or b"", found) else None

    def _extends(self, tables: Tables, raw: bytes, found: Accepted) -> bool:
        """Whether a checkpoint on bus.checkpoint extends the newest that was followed or cosigned."""
        cosigned = tables.cosigned()
        held = max(tables.followed() or NEVER, NEVER if cosigned is None else cosigned.head)
        if found.checkpoint.size < held.size:
            return False  # passed over by a call of add-checkpoint, whose proof covered it
        decided = decide(raw, self._keys, {self._ledger: held})
        if isinstance(decided, Declined):
            self._doubt(tables, f"size {found.checkpoint.size} after {held.size}: {decided.reason}", found)
            return False
        self.waits = None
        tables.see(found.checkpoint, found.note)
        tables.follow(found.checkpoint.size)
        self._gossip.reached(tables, found.checkpoint.size)
        return True

    def _judge(self, tables: Tables) -> Accepted | None:
        """Judges the epochs whose records are all there, in order; gives the newest that may be cosigned."""
        newest, mirror = None, self._mirror
        while self._epochs and mirror is not None:
            found, leaf_, changed = self._epochs[0]
            if leaf_.number > mirror.epochs.size + 1:
                self.waits = (
                    f"epochs {mirror.epochs.size + 1} to {leaf_.number - 1} are not on bus.checkpoint"
                )
                self.reread = True
                self._epochs.clear()
                break
            if leaf_.number == mirror.epochs.size + 1 and (awaited := mirror.awaited(changed)):
                place, have, want = awaited[0]
                self.waits = (
                    f"epoch {leaf_.number}: {have} of {want} records of {place.topic}/{place.partition}"
                )
                break
            self._epochs.popleft()
            if self._gossip.compare(tables, "bus.checkpoint", found):
                continue
            judged = mirror.judge(leaf_, changed, found.checkpoint)
            if judged.unproven is not None:
                self._doubt(tables, judged.unproven, found)
                self._epochs.clear()
                break
            if judged.contradictions:
                for problem in judged.contradictions:
                    tables.keep(CONTRADICTION, problem, None, found.note)
                self._epochs.clear()
                return None
            self.waits = "; ".join(judged.silences) or None
            newest = found if self.waits is None else None
            self._followed(tables, mirror, found, changed)
        return newest

    def _followed(self, tables: Tables, mirror: Mirror, found: Accepted, changed: Sequence[LogHead]) -> None:
        tables.see(found.checkpoint, found.note)
        tables.follow(found.checkpoint.size, mirror.epochs)
        rows = []
        for head in changed:
            place = mirror.place_of(head)
            copy = None if place is None else mirror.logs.get(place)
            rows.append((head, *((None, 0) if copy is None else (copy.frontier, copy.next_offset))))
        tables.copy(rows)
        self._gossip.reached(tables, found.checkpoint.size)

    def _doubt(self, tables: Tables, detail: str, found: Accepted) -> None:
        """Keeps a checkpoint that is not shown to extend the followed one: a later proof may show it."""
        followed = tables.followed() or NEVER
        ours = tables.seen(followed.size)
        self.waits = detail
        self.reread = True  # an older record may show two heads of one size, which nobody can explain away
        tables.keep(INCONSISTENT, detail, None if ours is None else ours[1], found.note)

    def _cosign(self, tables: Tables, found: Accepted) -> Cosigned:
        """Stores the head with its cosignature, which leaves after that only."""
        before = tables.cosigned()
        at = self._now_s() if before is None else max(self._now_s(), before.at)
        line = self._cosigner.cosign(found.note.text, at)
        tables.see(found.checkpoint, found.note)
        tables.cosign(found.checkpoint, found.note, line, at)
        return Cosigned(Head(found.checkpoint.size, found.checkpoint.root), found.note, line, at)

    def _copy(self, records: Sequence[Record]) -> None:
        """Adds records of the partitions that are mirrored, each once."""
        if self._mirror is None:
            return
        runs: dict[TopicPartition, list[Record]] = {}
        for record in records:
            place = TopicPartition(record.topic, record.partition)
            if place in self._mirror.logs and record.offset >= self._read_to.get(
                place, self._mirror.logs[place].next_offset
            ):
                self._read_to[place] = record.offset + 1
                runs.setdefault(place, []).append(record)
        for place, run in runs.items():
            hashes = leaf_run(run).hashes
            read = (
                Read(one.offset, one.timestamp_ms, digest) for one, digest in zip(run, hashes, strict=True)
            )
            self._mirror.add(place, read)


def _mirror(tables: Tables, ledger: str, readable: Collection[TopicPartition]) -> Mirror:
    copies = tables.copies()
    mirror = Mirror(ledger, readable, tables.epochs(), [head for head, _, _ in copies])
    for head, tree, next_offset in copies:
        place = mirror.place_of(head)
        if place is not None and place in mirror.logs and tree is not None:
            mirror.logs[place] = LogCopy(tree, next_offset)
    return mirror
