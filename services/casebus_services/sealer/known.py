"""Heads of this ledger that stand in Kafka: what was published, and what witnesses have cosigned."""

import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from casebus_schemas.catalogue.topology import CHECKPOINT
from casebus_schemas.errors import StopService
from casebus_schemas.evidence.checkpoint import Checkpoint
from casebus_schemas.evidence.cosignature import cosigned_at
from casebus_schemas.evidence.signed_note import SignedNote, VerifierKey
from casebus_schemas.evidence.submission import Submission
from casebus_schemas.wire.records import Batch, Record

log = logging.getLogger(__name__)

RESTORED = (
    "the database is an older copy, or another ledger signs with this key: stop it, restore the newest copy "
    "or rebuild it from Kafka (casebus ledger rebuild --into); never delete what is known elsewhere"
)


class Seen(NamedTuple):
    """A head that this ledger's key has signed, and where it stands."""

    where: str
    size: int
    root: bytes


@dataclass(frozen=True, slots=True)
class Line:
    """A witness's line for a checkpoint. `timestamp` is seconds since 1970 UTC."""

    size: int
    root: bytes
    name: str
    key_id: bytes
    timestamp: int
    text: str


class KnownHeads:
    """Takes the records of bus.checkpoint and the cosignatures' topics; asked by the sealer's own thread.

    Only what the log's own key has signed counts: a made-up head must not be able to stop the sealer.
    `ignored` counts records that say nothing.
    """

    def __init__(self, key: VerifierKey, witnesses: Mapping[str, VerifierKey]) -> None:
        """`key` is the ledger's, `witnesses` are the keys whose lines are kept, by the witness's name."""
        self._key = key
        self._witnesses = tuple(witnesses.values())
        self._lock = threading.Lock()
        self._seen: list[Seen] = []
        self._lines: list[Line] = []
        self.published = 0
        """Size of the largest checkpoint on bus.checkpoint."""
        self.ignored = 0

    def take(self, batch: Batch) -> None:
        """One run of a topic; never raises for what it holds."""
        for record in batch.records:
            try:
                self._take(record)
            except ValueError as error:
                self.ignored += 1
                place = f"{record.topic}/{record.partition}/{record.offset}"
                log.warning("%s says nothing of this ledger: %s", place, str(error)[:200])

    def _take(self, record: Record) -> None:
        value = record.value or b""
        published = record.topic == CHECKPOINT
        note = Submission.parse(value).note if published else SignedNote.parse(value)
        said = Checkpoint.parse(note.text)
        if said.origin != self._key.name or not note.is_signed_by(self._key):
            raise ValueError(f"not signed by {self._key}")
        seen = Seen(f"{record.topic}/{record.partition}/{record.offset}", said.size, said.root)
        lines = [] if published else list(self._lines_of(note, said))
        with self._lock:
            self._seen.append(seen)
            self._lines += lines
            if published:
                self.published = max(self.published, said.size)

    def _lines_of(self, note: SignedNote, said: Checkpoint) -> list[Line]:
        found = []
        for line in note.signatures:
            for key in self._witnesses:
                at = cosigned_at(key, line, note.text)
                if at is not None:
                    found.append(Line(said.size, said.root, key.name, key.key_id, at, str(line)))
        return found

    def purposes(self) -> dict[bytes, str]:
        """The witnesses' public keys, and whose each is."""
        return {key.public: f"the key of the witness {key.name}" for key in self._witnesses}

    def new(self) -> tuple[list[Seen], list[Line]]:
        """What came since the last call of `forget`: heads to be compared, lines to be kept."""
        with self._lock:
            return list(self._seen), list(self._lines)

    def forget(self, seen: int, lines: int) -> None:
        """The first so many of each are dealt with."""
        with self._lock:
            del self._seen[:seen]
            del self._lines[:lines]


def agrees(seen: Seen, latest: int, root: bytes | None) -> None:
    """Raises StopService unless the head is one of this ledger, whose last epoch is `latest`.

    `root` is the ledger's own at that size.
    """
    if seen.size > latest:
        raise StopService(
            f"nothing is sealed: {seen.where} knows a larger head",
            found=f"{latest} epochs in the database",
            expected=f"at least {seen.size}",
            remedy=RESTORED,
        )
    if seen.root != root:
        raise StopService(
            f"nothing is sealed: {seen.where} knows another head of size {seen.size}",
            found=f"root {root.hex() if root else 'none'} in the database",
            expected=seen.root.hex(),
            remedy=RESTORED,
        )
