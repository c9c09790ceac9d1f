"""What is read back is computed again before it is signed, and what does not fit is named. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import NamedTuple

from casebus_schemas.errors import StopService
from casebus_schemas.evidence.merkle import TILE_WIDTH, Tile, TiledTree

VERIFY = "run casebus ledger verify: it names the damaged rows; nothing is sealed until they are restored"


class ReadBack(NamedTuple):
    """What the sealer reads of entries, column by column: a value for each would cost more than its hash."""

    idx: Sequence[int]
    leaf: Sequence[bytes]
    leaf_hash: Sequence[bytes]


class StoredTile(NamedTuple):
    """What it reads of a tile."""

    level: int
    idx: int
    root: bytes
    hashes: bytes


@dataclass(frozen=True, slots=True)
class LogEnd:
    """A partition's log as its last batch row states it."""

    log_id: int
    topic: str
    partition: int
    generation: int
    start: int
    size: int
    root: bytes
    frontier: bytes
    next_offset: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}"


class Recheck:
    """Adds entries that were read back to a log's tree and compares all with what the log states of itself.

    `tree` is as it was last sealed. Every method raises StopService that names the first row that does not
    fit; the tree is worthless then.
    """

    def __init__(self, log: LogEnd, tree: TiledTree) -> None:
        self._log = log
        self._tree = tree

    def add(self, entries: ReadBack) -> list[Tile]:
        """The next entries in order; gives the tiles that became full."""
        digest = sha256
        hashes = tuple([digest(b"\0" + leaf).digest() for leaf in entries.leaf])
        # Compared as whole columns: this stands before every signature.
        if tuple(entries.leaf_hash) != hashes:
            rows = zip(entries.idx, entries.leaf_hash, hashes, strict=True)
            idx, stored, made = next(row for row in rows if row[1] != row[2])
            raise refused(self._log, f"entry {idx}: leaf_hash {stored.hex()}", f"{made.hex()} by its leaf")
        indexes = range(self._tree.size, self._tree.size + len(hashes))
        if tuple(entries.idx) != tuple(indexes):
            pairs = zip(entries.idx, indexes, strict=True)
            found, expected = next(pair for pair in pairs if pair[0] != pair[1])
            raise refused(self._log, f"entry {found}", f"entry {expected} at its place")
        return self._tree.extend(hashes)

    def compare(self, full: Sequence[Tile], stored: Iterable[StoredTile]) -> None:
        """The tiles that became full with those that are stored."""
        there = {(tile.level, tile.idx): tile for tile in stored}
        for tile in full:
            where = f"tile level {tile.level} index {tile.index}"
            found = there.get((tile.level, tile.index))
            if found is None:
                raise refused(self._log, f"{where}: no row", f"root {tile.root.hex()}")
            if found.hashes != tile.hashes:
                differ = (n for n in range(TILE_WIDTH) if _hash(found.hashes, n) != _hash(tile.hashes, n))
                at = next(differ, 0)
                wrong = f"{where}: {_hash(found.hashes, at).hex()} at position {at}"
                raise refused(self._log, wrong, f"{_hash(tile.hashes, at).hex()} by what is below")
            if found.root != tile.root:
                raise refused(self._log, f"{where}: root {found.root.hex()}", f"{tile.root.hex()}")

    def finish(self) -> None:
        """All entries were added: the tree must be the one of the log's last batch row."""
        log, tree = self._log, self._tree
        if tree.size != log.size:
            raise refused(log, f"entries up to {tree.size - 1}", f"up to {log.size - 1} by batch {log.start}")
        if tree.root() != log.root or tree.frontier.to_bytes() != log.frontier:
            which = "root" if tree.root() != log.root else "frontier"
            found = f"batch {log.start}: {which} of root {log.root.hex()}"
            raise refused(log, found, f"{tree.root().hex()} by the entries up to {log.size - 1}")


def _hash(hashes: bytes, position: int) -> bytes:
    return hashes[32 * position : 32 * position + 32]


def refused(log: object, found: str, expected: str) -> StopService:
    """Why nothing is sealed: a row of this log is not what it must be."""
    return StopService(
        f"nothing is sealed: the rows of {log} do not fit", found=found, expected=expected, remedy=VERIFY
    )
