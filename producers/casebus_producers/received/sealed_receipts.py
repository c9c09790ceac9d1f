"""In which epoch an agency's own entries were sealed: of each the bus signs one message on bus.checkpoint."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.catalogue.topology import CHECKPOINT
from casebus_schemas.evidence.checkpoint import Checkpoint
from casebus_schemas.evidence.epoch import read_epoch_headers
from casebus_schemas.evidence.submission import Submission
from casebus_schemas.times import to_moment, utc_text
from casebus_schemas.wire.codec import decode
from casebus_schemas.wire.records import Record, TopicPartition

from ..config import KafkaLogin
from ..outbox.outbox import Outbox
from ..topic_reader import TopicReader

MOST_AT_ONCE = 10_000
"""Entries that are looked for in one walk over the epochs, the oldest first."""
# Receipts come in the order of the ledger: behind the last one whose epoch is known few wait for theirs.
_WAITING = """
SELECT r.seq, r.log, r.idx, r.value FROM receipt r LEFT JOIN sealed s ON s.log = r.log AND s.idx = r.idx
WHERE r.stage = 'ledgered' AND r.seq >= 0 AND s.log IS NULL
AND r.seq > (SELECT coalesce(max(receipt), -1) FROM sealed) - ? ORDER BY r.seq LIMIT ?
"""
_ADD = "INSERT OR IGNORE INTO sealed (receipt, log, idx, epoch, sealed_at_ms, root) VALUES (?, ?, ?, ?, ?, ?)"
_OF = "SELECT epoch, sealed_at_ms, root FROM sealed WHERE log = ? AND idx = ?"
_EARLIER_MS = 60_000


@dataclass(frozen=True, slots=True)
class Waiting:
    """An entry of the agency of which no epoch is known, by its receipt; `at_ms` is when it was appended."""

    receipt: int
    log: str
    index: int
    at_ms: int


def waiting_for_epochs(outbox: Outbox, catalog: Catalog) -> list[Waiting]:
    """The agency's entries, by the receipts that it kept, of which it knows no epoch."""
    with outbox.reading() as connection:
        rows = connection.execute(_WAITING, (MOST_AT_ONCE, MOST_AT_ONCE)).fetchall()
    return [Waiting(row[0], row[1], row[2], _appended_ms(catalog, bytes(row[3]))) for row in rows]


def note_epochs(login: KafkaLogin, outbox: Outbox, catalog: Catalog) -> int:
    """Looks on bus.checkpoint for the epochs of entries that wait for one, and keeps them; how many it found.

    Reads from the oldest such entry on, nothing where none waits. What it keeps is what the bus says;
    `casebus receipts --prove` proves it. Raises RetryLater if the broker is away.
    """
    waiting = waiting_for_epochs(outbox, catalog)
    if not waiting:
        return 0
    place = TopicPartition(CHECKPOINT, 0)
    with TopicReader(login, [CHECKPOINT]) as reader:
        ends = reader.ends()
        start = reader.offsets_at(min(one.at_ms for one in waiting) - _EARLIER_MS)[place]
        reader.seek({place: start})
        found = list(epochs_of(reader.read_to(ends) if start < ends[place] else (), waiting))
    with outbox.transaction() as connection:
        connection.executemany(_ADD, found)
    return len(found)


def epochs_of(records: Iterable[Record], waiting: Iterable[Waiting]) -> Iterator[tuple[Any, ...]]:
    """Receipt, log, index, epoch, its time, the checkpoint's root of entries that these epochs hold first."""
    left: dict[str, dict[int, int]] = {}
    for one in waiting:
        left.setdefault(one.log, {})[one.index] = one.receipt
    for record in records:
        if not left:
            return
        try:
            epoch, changed = read_epoch_headers(record.headers)
            checkpoint = Checkpoint.parse(Submission.parse(record.value or b"").note.text)
        except ValueError:
            continue
        for head in changed:
            log = head.origin.removeprefix(f"{checkpoint.origin}/").rpartition("/")[0]
            for index in sorted(one for one in left.get(log, ()) if one < head.size):
                receipt = left[log].pop(index)
                yield receipt, log, index, epoch.number, epoch.sealed_at_ms, checkpoint.root
            if log in left and not left[log]:
                del left[log]


def with_epoch(outbox: Outbox, said: dict[str, Any]) -> dict[str, Any]:
    """A receipt's JSON, with `sealed` where it is the ledger's and the epoch is known."""
    if said.get("stage") != "ledgered" or said.get("forged"):
        return said
    with outbox.reading() as connection:
        row = connection.execute(_OF, (said["log"], said["index"])).fetchone()
    if row is None:
        return said
    checkpoint = {"size": row[0], "root": bytes(row[2]).hex()}
    return {**said, "sealed": {"epoch": row[0], "at": utc_text(row[1]), "checkpoint": checkpoint}}


def _appended_ms(catalog: Catalog, value: bytes) -> int:
    return to_moment(decode(catalog, value)[1]["appended_at"])
