"""Merkle trees against the public vectors and against the definition in RFC 6962."""

import base64
import json
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casebus_schemas.evidence.leaf import leaf_hash
from casebus_schemas.evidence.merkle import (
    EMPTY_ROOT,
    TILE_WIDTH,
    Frontier,
    LeafHashes,
    Tile,
    TiledTree,
    consistency_proof,
    inclusion_proof,
    node_hash,
    root_of,
    tile_root,
    tiles_in,
    verify_consistency,
    verify_inclusion,
)

LOOSE_ROOTS = "sizes-are-equal-one-and-proof-is-empty.json"
"""The one vector whose 12-byte "roots" its authors accept; a verifier that insists on 32 bytes refuses it."""


def hashes(count: int) -> list[bytes]:
    """Distinct leaf hashes."""
    return [leaf_hash(number.to_bytes(8, "big")) for number in range(count)]


def defined_root(leaves: Sequence[bytes]) -> bytes:
    """The root as RFC 6962 2.1 defines it, recursively."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return node_hash(defined_root(leaves[:split]), defined_root(leaves[split:]))


def decoded(vector: dict[str, str], name: str) -> bytes:
    """A base64 field of a vector."""
    return base64.b64decode(vector[name])


def test_inclusion_vectors(vectors: Path) -> None:
    """Every public inclusion proof is judged as its authors judge it."""
    files = sorted((vectors / "merkle/inclusion").rglob("*.json"))
    assert len(files) == 98
    for file in files:
        vector = json.loads(file.read_bytes())
        accepted = verify_inclusion(
            decoded(vector, "leafHash"),
            vector["leafIdx"],
            vector["treeSize"],
            [base64.b64decode(item) for item in vector["proof"] or ()],
            decoded(vector, "root"),
        )
        assert accepted == (not vector["wantErr"]), file.name


def test_consistency_vectors(vectors: Path) -> None:
    """Every public consistency proof is judged as its authors judge it, roots of 12 bytes being refused."""
    files = sorted((vectors / "merkle/consistency").rglob("*.json"))
    assert len(files) == 98
    for file in files:
        vector = json.loads(file.read_bytes())
        accepted = verify_consistency(
            vector["size1"],
            vector["size2"],
            [base64.b64decode(item) for item in vector["proof"] or ()],
            decoded(vector, "root1"),
            decoded(vector, "root2"),
        )
        assert accepted == (not vector["wantErr"] and file.name != LOOSE_ROOTS), file.name


def test_classic_tree_vectors(vectors: Path) -> None:
    """The classic eight leaves give the published node hashes and roots."""
    vector = json.loads((vectors / "transcribed/rfc6962_leaves_nodes_roots.json").read_bytes())
    leaves = [leaf_hash(bytes.fromhex(text)) for text in vector["leaf_inputs_hex"]]
    assert [item.hex() for item in leaves] == vector["node_hashes_by_level"][0]
    for height, level in enumerate(vector["node_hashes_by_level"]):
        width = 1 << height
        assert [root_of(leaves[at * width : (at + 1) * width]).hex() for at in range(len(level))] == level
    assert [root_of(leaves[:size]).hex() for size in range(1, 9)] == vector["roots_by_size_1_to_8"]
    assert vector["empty_root"] == EMPTY_ROOT.hex() == root_of([]).hex()


@given(st.integers(0, 600), st.lists(st.integers(0, 600), max_size=4))
def test_frontier_in_runs(size: int, cuts: list[int]) -> None:
    """However leaves are cut into runs, also across a save and reload, the root is the defined one."""
    leaves = hashes(size)
    frontier, at = Frontier(), 0
    for cut in [*sorted(cut for cut in cuts if cut <= size), size]:
        frontier.extend(leaves[at:cut])
        frontier = Frontier.from_bytes(cut, frontier.to_bytes())
        at = cut
    assert frontier.root() == defined_root(leaves)
    assert len(frontier.to_bytes()) == 32 * size.bit_count()


@pytest.mark.parametrize(("size", "raw"), [(1, b""), (0, bytes(32)), (3, bytes(63)), (4, bytes(64))])
def test_frontier_of_wrong_length(size: int, raw: bytes) -> None:
    """A saved frontier whose length does not fit its size is refused."""
    with pytest.raises(ValueError, match="expected"):
        Frontier.from_bytes(size, raw)


@given(st.integers(0, 1500), st.lists(st.integers(1, 700), max_size=6))
def test_tiles(size: int, runs: list[int]) -> None:
    """Whatever the runs, exactly the full tiles come out once, with their leaf hashes and roots."""
    leaves = hashes(size)
    tree, tiles, at = TiledTree(), list[Tile](), 0
    for run in [*runs, size]:
        part = leaves[at : at + run]
        tiles += tree.extend(part)
        at += len(part)
        tree = TiledTree(tree.size, tree.open)
        assert tree.root() == defined_root(leaves[:at])
        assert tree.frontier.to_bytes() == Frontier().extend(leaves[:at]).to_bytes()
    expected = [leaves[at : at + TILE_WIDTH] for at in range(0, size - TILE_WIDTH + 1, TILE_WIDTH)]
    assert tiles == [Tile(0, i, defined_root(part), b"".join(part)) for i, part in enumerate(expected)]
    assert len(tiles) == tiles_in(size, 0)


def test_tiles_of_tiles() -> None:
    """65,536 leaves close the first tile of level 1, whose hashes are the roots below it."""
    leaves = hashes(TILE_WIDTH**2 + 300)
    tree = TiledTree()
    tiles = [tile for at in range(0, len(leaves), 1000) for tile in tree.extend(leaves[at : at + 1000])]
    low = [tile for tile in tiles if tile.level == 0]
    high = [tile for tile in tiles if tile.level == 1]
    assert high == [Tile(1, 0, root_of(leaves[: TILE_WIDTH**2]), b"".join(tile.root for tile in low[:256]))]
    assert [tile.root for tile in tiles] == [tile_root(tile.hashes) for tile in tiles]
    assert tree.root() == root_of(leaves)
    resumed = TiledTree(tree.size, tree.open)
    assert resumed.frontier.to_bytes() == tree.frontier.to_bytes()


def test_tree_resumed_with_wrong_open_tiles() -> None:
    """A tree is not resumed from open tiles that do not fit its size."""
    for size, tiles in ((1, [[]]), (257, [hashes(1), []]), (256, [[], hashes(2)]), (2, [hashes(1)])):
        with pytest.raises(ValueError, match="expected"):
            TiledTree(size, tiles)


@given(st.data())
def test_proofs(data: st.DataObject) -> None:
    """Every proof made is accepted, and refused once a hash, its length, index or size is altered."""
    size = data.draw(st.integers(1, 300))
    index = data.draw(st.integers(0, size - 1))
    old = data.draw(st.integers(1, size))
    leaves = hashes(size)
    source, root, old_root = LeafHashes(leaves), root_of(leaves), root_of(leaves[:old])
    path = inclusion_proof(index, size, source)
    assert verify_inclusion(leaves[index], index, size, path, root)
    growth = consistency_proof(old, size, source)
    assert verify_consistency(old, size, growth, old_root, root)

    for broken in altered(path, data):
        assert not verify_inclusion(leaves[index], index, size, broken, root)
    for broken in altered(growth, data):
        assert not verify_consistency(old, size, broken, old_root, root)
    other = data.draw(st.integers(0, size - 1).filter(lambda i: i != index)) if size > 1 else 1
    assert not verify_inclusion(leaves[index], other, size, path, root)
    assert not verify_inclusion(leaves[index][:-1], index, size, path, root)
    if old < size:
        assert not verify_consistency(old, size, growth, root, old_root)
        assert not verify_consistency(size, old, growth, root, old_root)


def altered(path: list[bytes], data: st.DataObject) -> list[list[bytes]]:
    """The proof lengthened, shortened, and with one bit changed."""
    broken = [[*path, bytes(32)], [bytes(32), *path]]
    if path:
        at = data.draw(st.integers(0, len(path) - 1))
        flipped = bytes([path[at][0] ^ 1]) + path[at][1:]
        broken += [
            path[:-1],
            path[1:],
            [*path[:at], flipped, *path[at + 1 :]],
            [*path[:at], b"", *path[at + 1 :]],
        ]
    return broken


@pytest.mark.parametrize(("index", "size"), [(-1, 1), (0, 0), (1, 1), (8, 8)])
def test_no_inclusion_proof_outside(index: int, size: int) -> None:
    """No proof is made for an index outside the tree."""
    with pytest.raises(ValueError, match="not in a tree"):
        inclusion_proof(index, size, LeafHashes(hashes(max(size, 0))))


@pytest.mark.parametrize(("old", "new"), [(0, 1), (0, 0), (2, 1), (-1, 3)])
def test_no_consistency_proof_outside(old: int, new: int) -> None:
    """No proof is made from an empty tree or to a smaller one."""
    with pytest.raises(ValueError, match="sizes must be"):
        consistency_proof(old, new, LeafHashes(hashes(max(new, 0))))
