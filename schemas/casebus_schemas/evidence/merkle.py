"""RFC 6962 Merkle trees: compact ranges, tiles of 256, inclusion and consistency proofs.

Leaf hashes (SHA-256 of 00 | leaf, see leaf.py) go in; this file never sees a leaf. Indexes count from 0,
proofs are in RFC 6962 order, and a tree is cut into tiles as C2SP tlog-tiles cuts it: the tile (level, index)
holds the 256 hashes of height 8*level that begin at position 256*index. Only full tiles exist here.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256

HASH_LENGTH = 32
TILE_WIDTH = 256
TILE_HEIGHT = 8
EMPTY_ROOT = sha256(b"").digest()

Subtree = Callable[[int, int], bytes]
"""Gives the hash over leaves [begin, end); begin is a multiple of a power of two >= end - begin."""


def node_hash(left: bytes, right: bytes) -> bytes:
    """RFC 6962 interior hash: SHA-256(01 | left | right)."""
    return sha256(b"\1" + left + right).digest()


def root_of(leaf_hashes: Sequence[bytes]) -> bytes:
    """Root of the tree over these leaf hashes."""
    return Frontier().extend(leaf_hashes).root()


class Frontier:
    """The roots of the perfect subtrees that make up a tree, largest first (a compact range from 0).

    Enough to append and to say the root; `size` is the number of leaves, `nodes` has one hash for each bit
    set in it.
    """

    __slots__ = ("nodes", "size")

    def __init__(self, size: int = 0, nodes: Iterable[bytes] = ()) -> None:
        self.size = size
        self.nodes = list(nodes)
        if len(self.nodes) != size.bit_count() or any(len(node) != HASH_LENGTH for node in self.nodes):
            raise ValueError(
                f"{len(self.nodes)} nodes for a tree of {size}, expected {size.bit_count()} of 32 bytes"
            )

    @classmethod
    def from_bytes(cls, size: int, raw: bytes) -> "Frontier":
        """Reads what `to_bytes` wrote. Raises ValueError if the length does not fit `size`."""
        if len(raw) != HASH_LENGTH * size.bit_count():
            raise ValueError(
                f"{len(raw)} bytes for a tree of {size}, expected {HASH_LENGTH * size.bit_count()}"
            )
        return cls(size, (raw[at : at + HASH_LENGTH] for at in range(0, len(raw), HASH_LENGTH)))

    def to_bytes(self) -> bytes:
        """The nodes, largest subtree first, joined."""
        return b"".join(self.nodes)

    def copy(self) -> "Frontier":
        """An independent frontier of the same tree."""
        return Frontier(self.size, self.nodes)

    def append(self, leaf_hash: bytes) -> None:
        """Adds one leaf."""
        self.extend((leaf_hash,))

    def extend(self, leaf_hashes: Iterable[bytes]) -> "Frontier":
        """Adds leaves in order; returns itself."""
        nodes, size, digest = self.nodes, self.size, sha256
        for node in leaf_hashes:
            bits = size
            while bits & 1:
                node = digest(b"\1" + nodes.pop() + node).digest()
                bits >>= 1
            nodes.append(node)
            size += 1
        self.size = size
        return self

    def root(self) -> bytes:
        """The tree's root; of an empty tree SHA-256 of nothing."""
        if not self.nodes:
            return EMPTY_ROOT
        root = self.nodes[-1]
        for node in reversed(self.nodes[:-1]):
            root = node_hash(node, root)
        return root


@dataclass(frozen=True, slots=True)
class Tile:
    """A full tile: `hashes` are its 256 hashes joined (8,192 bytes), `root` is the hash over them."""

    level: int
    index: int
    root: bytes
    hashes: bytes


def tile_root(hashes: bytes) -> bytes:
    """Root over the hashes of a full tile. Raises ValueError unless they are 256."""
    if len(hashes) != TILE_WIDTH * HASH_LENGTH:
        raise ValueError(f"tile of {len(hashes)} bytes, expected {TILE_WIDTH * HASH_LENGTH}")
    return root_of([hashes[at : at + HASH_LENGTH] for at in range(0, len(hashes), HASH_LENGTH)])


def tiles_in(size: int, level: int) -> int:
    """How many full tiles of this level a tree of `size` leaves has."""
    return size >> (TILE_HEIGHT * (level + 1))


def open_width(size: int, level: int) -> int:
    """How many hashes the tile of this level that is still open holds in a tree of `size` leaves."""
    return (size >> (TILE_HEIGHT * level)) % TILE_WIDTH


class TiledTree:
    """A growing tree that hands out each tile as it becomes full.

    Besides the frontier it keeps, for each level, the hashes of the open tile (at most 255 a level).
    """

    __slots__ = ("frontier", "open")

    def __init__(self, size: int = 0, open_tiles: Sequence[Sequence[bytes]] = ()) -> None:
        """Resumes a tree of `size` leaves from the hashes of its open tiles, level 0 first.

        Raises ValueError if a level has not the number of hashes that `size` demands.
        """
        nodes: list[bytes] = []
        self.open = [list(hashes) for hashes in open_tiles] or [[]]
        while size >> (TILE_HEIGHT * len(self.open)):
            self.open.append([])
        for level, hashes in enumerate(self.open):
            if len(hashes) != open_width(size, level):
                expected = open_width(size, level)
                raise ValueError(f"{len(hashes)} hashes open at level {level}, expected {expected}")
            nodes = Frontier().extend(hashes).nodes + nodes
        self.frontier = Frontier(size, nodes)

    @property
    def size(self) -> int:
        """Number of leaves."""
        return self.frontier.size

    def root(self) -> bytes:
        """The tree's root."""
        return self.frontier.root()

    def extend(self, leaf_hashes: Sequence[bytes]) -> list[Tile]:
        """Adds leaves in order and returns the tiles that became full, lower levels first."""
        full: list[Tile] = []
        lowest, at = self.open[0], 0
        while at < len(leaf_hashes):
            run = leaf_hashes[at : at + TILE_WIDTH - 1 - len(lowest)]
            lowest.extend(run)
            self.frontier.extend(run)
            at += len(run)
            if at < len(leaf_hashes):
                self._close(leaf_hashes[at], full)
                at += 1
        return full

    def _close(self, last: bytes, full: list[Tile]) -> None:
        """Adds the leaf that fills the lowest tile, and fills the tiles above as far as they become full."""
        frontier, level, node = self.frontier, 0, last
        frontier.size += 1
        while len(self.open[level]) == TILE_WIDTH - 1:
            hashes = b"".join(self.open[level]) + node
            self.open[level].clear()
            for _ in range(TILE_HEIGHT):
                node = node_hash(frontier.nodes.pop(), node)
            level += 1
            full.append(Tile(level - 1, (frontier.size >> (TILE_HEIGHT * level)) - 1, node, hashes))
            if level == len(self.open):
                self.open.append([])
        position = len(self.open[level])
        self.open[level].append(node)
        while position & 1:
            node = node_hash(frontier.nodes.pop(), node)
            position >>= 1
        frontier.nodes.append(node)


@dataclass(frozen=True, slots=True)
class LeafHashes:
    """All leaf hashes of a tree in memory, as a source of subtree hashes for small trees and tests."""

    hashes: Sequence[bytes]

    def __call__(self, begin: int, end: int) -> bytes:
        """Hash of the subtree over leaves [begin, end)."""
        return root_of(self.hashes[begin:end])


def split_point(count: int) -> int:
    """Where a tree of `count` > 1 leaves parts: the largest power of two below it."""
    return 1 << ((count - 1).bit_length() - 1)


def inclusion_proof(index: int, size: int, subtree: Subtree) -> list[bytes]:
    """Audit path of the leaf at `index` in the tree of `size` leaves (RFC 6962 2.1.1).

    Raises ValueError unless 0 <= index < size.
    """
    if not 0 <= index < size:
        raise ValueError(f"index {index} is not in a tree of {size}")
    path: list[bytes] = []
    begin, end = 0, size
    while end - begin > 1:
        middle = begin + split_point(end - begin)
        if index < middle:
            path.append(subtree(middle, end))
            end = middle
        else:
            path.append(subtree(begin, middle))
            begin = middle
    path.reverse()
    return path


def consistency_proof(old: int, new: int, subtree: Subtree) -> list[bytes]:
    """Proof that the tree of `new` leaves extends that of `old` (RFC 6962 2.1.2).

    Raises ValueError unless 0 < old <= new.
    """
    if not 0 < old <= new:
        raise ValueError(f"no consistency proof from {old} to {new}: sizes must be 0 < old <= new")
    path: list[bytes] = []
    begin, end = 0, new
    while end != old:
        middle = begin + split_point(end - begin)
        if old <= middle:
            path.append(subtree(middle, end))
            end = middle
        else:
            path.append(subtree(begin, middle))
            begin = middle
    if begin:
        path.append(subtree(begin, end))
    path.reverse()
    return path


def _are_hashes(*hashes: bytes) -> bool:
    return all(len(value) == HASH_LENGTH for value in hashes)


def verify_inclusion(leaf_hash: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether `proof` shows the leaf at `index` in the tree of `size` leaves of this root (RFC 9162 2.1.3.2).

    Every hash must have 32 bytes and the proof exactly the length that index and size demand.
    """
    if not 0 <= index < size or not _are_hashes(leaf_hash, root, *proof):
        return False
    position, last, node = index, size - 1, leaf_hash
    for sibling in proof:
        if not last:
            return False
        if position & 1 or position == last:
            node = node_hash(sibling, node)
            while not position & 1 and position:
                position >>= 1
                last >>= 1
        else:
            node = node_hash(node, sibling)
        position >>= 1
        last >>= 1
    return last == 0 and node == root


def verify_consistency(old: int, new: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes) -> bool:
    """Whether `proof` shows that the tree (new, new_root) extends (old, old_root) (RFC 9162 2.1.4.2).

    A proof from the empty tree says nothing and is refused, also for equal sizes.
    """
    if not 0 < old <= new or not _are_hashes(old_root, new_root, *proof):
        return False
    if old == new:
        return not proof and old_root == new_root
    if not proof:
        return False
    path = list(proof)
    if old & (old - 1) == 0:
        path.insert(0, old_root)
    position, last = old - 1, new - 1
    while position & 1:
        position >>= 1
        last >>= 1
    old_node = new_node = path[0]
    for sibling in path[1:]:
        if not last:
            return False
        if position & 1 or position == last:
            old_node = node_hash(sibling, old_node)
            new_node = node_hash(sibling, new_node)
            while not position & 1 and position:
                position >>= 1
                last >>= 1
        else:
            new_node = node_hash(new_node, sibling)
        position >>= 1
        last >>= 1
    return last == 0 and old_node == old_root and new_node == new_root
