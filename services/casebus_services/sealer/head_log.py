"""The head log's rows: what one epoch adds, whether it is sealed now or made again from its record."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, text

from casebus_schemas.evidence.checkpoint import Checkpoint
from casebus_schemas.evidence.epoch import EpochLeaf, LogHead
from casebus_schemas.evidence.leaf import encode_headers
from casebus_schemas.evidence.merkle import Tile, TiledTree
from casebus_schemas.evidence.signed_note import SignedNote
from casebus_services.ledger.appending import BatchRow, EntryColumns, NewRows, tile_row
from casebus_services.ledger.ledger_database import Database

NO_HEADERS = encode_headers(())


@dataclass(slots=True)
class HeadLog:
    """The head log as its rows give it. `heads` are those of its last epoch, by log number."""

    log_id: int | None
    tree: TiledTree
    heads: dict[int, LogHead]

    @property
    def size(self) -> int:
        """Number of epochs."""
        return self.tree.size


def append_epoch(
    database: Database,
    connection: Connection,
    origin: str,
    before: HeadLog,
    leaf: EpochLeaf,
    changed: Mapping[int, LogHead],
    sign: Callable[[Checkpoint], SignedNote],
    writer: str,
) -> HeadLog:
    """Adds an epoch in the caller's transaction; `before.tree` grows by its leaf.

    The rows go in before anything is signed: whoever would seal the same size waits for their fence.
    """
    now_ms = time.time_ns() // 1_000_000
    log_id, tree = before.log_id, before.tree
    if log_id is None:
        log_id = int(connection.execute(_NEW_LOG, {"origin": origin, "now": now_ms}).scalar_one())
    full = tree.extend([leaf.hash()])
    with database.inserting(connection) as insert:
        insert(_rows(log_id, leaf, tree, full, writer, now_ms))
    if changed:  # an epoch of silence has the heads of the one before
        connection.execute(_ADD_HEAD, [_head_row(leaf.number, *item) for item in changed.items()])
    note = sign(Checkpoint(origin, leaf.number, tree.root()))
    values = {"size": leaf.number, "root": tree.root(), "note": str(note)}
    connection.execute(_ADD_CHECKPOINT, values)
    return HeadLog(log_id, tree, before.heads | dict(changed))


def _rows(
    log_id: int, leaf: EpochLeaf, tree: TiledTree, full: Sequence[Tile], writer: str, now_ms: int
) -> NewRows:
    idx = leaf.number - 1
    entries = EntryColumns(
        [log_id], [idx], [idx], [None], [None], [NO_HEADERS], [None], [leaf.pack()], [leaf.hash()]
    )
    frontier = tree.frontier.to_bytes()
    batch = BatchRow(log_id, idx, idx + 1, idx, idx, idx + 1, tree.root(), frontier, writer, now_ms)
    return NewRows([batch], entries, tiles=[tile_row(log_id, tile) for tile in full])


def _head_row(epoch: int, log_id: int, head: LogHead) -> dict[str, object]:
    return {
        "epoch": epoch,
        "log_id": log_id,
        "size": head.size,
        "root": head.root,
        "next_offset": head.next_offset,
        "end_offset": head.end_offset,
    }


_NEW_LOG = text(
    "INSERT INTO log (origin, kind, generation, hash_alg, created) "
    "VALUES (:origin, 'head', 1, 'sha256', :now) RETURNING log_id"
)
_ADD_HEAD = text(
    "INSERT INTO epoch_head (epoch, log_id, size, root, next_offset, end_offset) "
    "VALUES (:epoch, :log_id, :size, :root, :next_offset, :end_offset)"
)
_ADD_CHECKPOINT = text("INSERT INTO checkpoint (head_size, root, note) VALUES (:size, :root, :note)")
