"""Checks the tiles of one log against the hashes that its entries give."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from casebus_schemas.evidence.merkle import HASH_LENGTH, TILE_WIDTH, root_of, tile_root
from casebus_services.ledger.appending import TileRow

from .damage import VerifyReport
from .ledger_rows import LedgerRows

Hashes = list[bytes | None]
"""Hashes in order; None where the row that should give it is missing or damaged."""


@dataclass(frozen=True, slots=True)
class Suspect:
    """An entry that gives another hash than the tile; which of them is wrong shows the batch's root."""

    index: int
    by_entry: bytes
    by_tile: bytes


class LevelCheck:
    """Tiles of one level in order, each against the hashes below it; names missing and superfluous ones."""

    def __init__(self, rows: LedgerRows, log_id: int, origin: str, level: int, report: VerifyReport) -> None:
        self._stored: Iterator[TileRow] = rows.tiles(log_id, level)
        self._origin = origin
        self._level = level
        self._report = report
        self._held: TileRow | None = None
        self._next = 0
        self.roots: Hashes = []
        """Roots of the tiles so far: the hashes of the level above."""

    def close(self, hashes: Sequence[bytes | None]) -> list[Suspect]:
        """The next tile must hold these 256 hashes; gives those in which it differs."""
        index, self._next = self._next, self._next + 1
        known = [value for value in hashes if value is not None]
        whole = len(known) == TILE_WIDTH
        root = root_of(known) if whole else None
        stored = self._take(index)
        suspects = []
        if stored is None:
            self._note(index, "no row", f"a tile of root {root.hex() if root else 'that cannot be computed'}")
        else:
            self._report.tiles += 1
            if not whole or root != stored.root or b"".join(known) != stored.hashes:
                suspects = self._compare(stored, hashes)
                # The tile is a second witness for what entries no longer say, unless they contradict it.
                root = None if suspects else root or stored.root
        self.roots.append(root)
        return suspects

    def finish(self) -> None:
        """Any tile that is left has no entries under it."""
        while (stored := self._take(None)) is not None:
            self._note(stored.idx, "a row", "none: the log is too short for it")

    def blame(self, suspect: Suspect) -> None:
        """It is the tile that is wrong."""
        index, position = divmod(suspect.index, TILE_WIDTH)
        self._note(
            index,
            f"{suspect.by_tile.hex()} at position {position}",
            f"{suspect.by_entry.hex()} by what is below",
        )

    def _compare(self, stored: TileRow, hashes: Sequence[bytes | None]) -> list[Suspect]:
        suspects = []
        if len(stored.hashes) != TILE_WIDTH * HASH_LENGTH:
            self._note(stored.idx, f"{len(stored.hashes)} bytes of hashes", str(TILE_WIDTH * HASH_LENGTH))
            return []
        for position, value in enumerate(hashes):
            held = stored.hashes[position * HASH_LENGTH : (position + 1) * HASH_LENGTH]
            if value is not None and held != value:
                suspects.append(Suspect(stored.idx * TILE_WIDTH + position, value, held))
        own = tile_root(stored.hashes)
        if own != stored.root and not suspects:
            self._note(stored.idx, f"root {stored.root.hex()}", f"{own.hex()} by its hashes")
        return suspects

    def _take(self, index: int | None) -> TileRow | None:
        """The stored row of that index (None: the next one, whichever); rows before it are superfluous."""
        if self._held is None:
            self._held = next(self._stored, None)
        if self._held is None or (index is not None and self._held.idx > index):
            return None
        stored, self._held = self._held, None
        return stored

    def _note(self, index: int, found: str, expected: str) -> None:
        self._report.add(
            "tile", self._origin, f"level {self._level} index {index}", found=found, expected=expected
        )


def check_upper_levels(
    rows: LedgerRows, log_id: int, origin: str, lower: LevelCheck, report: VerifyReport
) -> None:
    """Tiles from level 1 on, each level against the roots of the one below."""
    level, hashes = 1, lower.roots
    while hashes or level < rows.tile_levels(log_id):
        check = LevelCheck(rows, log_id, origin, level, report)
        for at in range(0, len(hashes) - TILE_WIDTH + 1, TILE_WIDTH):
            for suspect in check.close(hashes[at : at + TILE_WIDTH]):
                check.blame(suspect)
        check.finish()
        level, hashes = level + 1, check.roots
