"""Tiles as other programs read them (C2SP tlog-tiles): paths, partial tiles, bundles of entries, hashes."""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from .merkle import TILE_WIDTH, node_hash, open_width, root_of, split_point, tiles_in

LONGEST_ENTRY = 2**16 - 1
_HEIGHT = 8
_MAX_LEVEL = 63
_PATH = re.compile(
    r"tile/(entries|0|[1-9][0-9]?)/((?:x[0-9]{3}/)*)([0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?", re.ASCII
)


class TilePlace(NamedTuple):
    """Which tile: `level` (None for a bundle of entries), number in it, count of hashes or entries."""

    level: int | None
    number: int
    width: int = TILE_WIDTH

    def path(self) -> str:
        """Its path below the log's prefix, as `tile/1/x001/x234/067.p/17`."""
        digits = f"{self.number % 1000:03}"
        rest = self.number // 1000
        while rest:
            digits = f"x{rest % 1000:03}/{digits}"
            rest //= 1000
        level = "entries" if self.level is None else self.level
        return f"tile/{level}/{digits}" + ("" if self.width == TILE_WIDTH else f".p/{self.width}")

    @classmethod
    def parse(cls, path: str) -> "TilePlace":
        """Reads a path. Raises ValueError unless it is the one path of a tile that can be."""
        found = _PATH.fullmatch(path)
        if found is None:
            raise ValueError(f"{path[:80]!r}, expected a path as tile/0/x001/234 or tile/entries/067.p/17")
        level, above, last, width = found.groups()
        index = int(above.replace("x", "").replace("/", "") + last)
        place = cls(None if level == "entries" else int(level), index, int(width or TILE_WIDTH))
        if place.path() != path or place.width > TILE_WIDTH or (place.level or 0) > _MAX_LEVEL:
            raise ValueError(
                f"{path[:80]!r}, expected {place.path()!r}, up to level 63 and 255 of a partial tile"
            )
        return place


def tiles_of(size: int) -> Iterator[TilePlace]:
    """All tiles of a tree of this size, full and partial, level by level, without bundles of entries."""
    level = 0
    while size >> (_HEIGHT * level):
        for index in range(tiles_in(size, level)):
            yield TilePlace(level, index)
        if width := open_width(size, level):
            yield TilePlace(level, tiles_in(size, level), width)
        level += 1


def bundles_of(size: int) -> Iterator[TilePlace]:
    """All bundles of entries of a tree of this size: those of its tiles of level 0."""
    for place in tiles_of(size):
        if place.level != 0:
            return
        yield place._replace(level=None)


def entry_bundle(entries: Sequence[bytes]) -> bytes:
    """Entries as tlog-tiles bundles them: u16 length and bytes each. Raises ValueError for a longer one."""
    if any(len(entry) > LONGEST_ENTRY for entry in entries):
        raise ValueError(f"an entry of {max(map(len, entries))} bytes, expected at most {LONGEST_ENTRY}")
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def read_entry_bundle(raw: bytes) -> list[bytes]:
    """Reads what `entry_bundle` wrote. Raises ValueError if the bytes end within an entry."""
    entries: list[bytes] = []
    at = 0
    step = 2 + int.from_bytes(raw[:2], "big")
    length, count = raw[:2], len(raw) // step
    if count * step == len(raw) and raw[::step] == length[:1] * count and raw[1::step] == length[1:] * count:
        return [raw[at + 2 : at + step] for at in range(0, len(raw), step)]  # all of one length
    while at < len(raw):
        end = at + 2 + int.from_bytes(raw[at : at + 2], "big")
        if end > len(raw) or at + 2 > len(raw):
            raise ValueError(f"{len(raw)} bytes, expected the end of entry {len(entries)} at {end}")
        entries.append(raw[at + 2 : end])
        at = end
    return entries


FetchTile = Callable[[TilePlace], Sequence[bytes]]
"""Gives the hashes of a tile, exactly as many as its place says."""


class TileHashes:
    """Subtree hashes of a tree of some size, from its tiles, each of which is fetched once."""

    def __init__(self, size: int, fetch: FetchTile) -> None:
        self.size = size
        self._fetch = fetch
        self._tiles: dict[tuple[int, int], Sequence[bytes]] = {}

    def __call__(self, begin: int, end: int) -> bytes:
        """Hash over leaves [begin, end), a node of the tree. Raises ValueError beyond the tree."""
        count = end - begin
        if not 0 <= begin < end <= self.size:
            raise ValueError(f"leaves {begin} to {end} are not in a tree of {self.size}")
        if count & (count - 1):
            middle = begin + split_point(count)
            return node_hash(self(begin, middle), self(middle, end))
        # A perfect subtree lies within one tile of the level that its height falls into.
        level, rest = divmod(count.bit_length() - 1, _HEIGHT)
        position = begin >> (_HEIGHT * level)
        index, first = divmod(position, TILE_WIDTH)
        return root_of(self._tile(level, index)[first : first + (1 << rest)])

    def _tile(self, level: int, index: int) -> Sequence[bytes]:
        if (level, index) not in self._tiles:
            full = index < tiles_in(self.size, level)
            place = TilePlace(level, index, TILE_WIDTH if full else open_width(self.size, level))
            self._tiles[level, index] = self._fetch(place)
        return self._tiles[level, index]
