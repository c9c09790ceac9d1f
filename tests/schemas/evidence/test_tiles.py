"""Tiles for other programs: paths of the specification, what a tree has, and every hash from tiles alone."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casebus_schemas.evidence.leaf import leaf_hash
from casebus_schemas.evidence.merkle import LeafHashes, consistency_proof, inclusion_proof, root_of
from casebus_schemas.evidence.tiles import (
    TileHashes,
    TilePlace,
    bundles_of,
    entry_bundle,
    read_entry_bundle,
    tiles_of,
)

LEAVES = [leaf_hash(number.to_bytes(8, "big")) for number in range(70_000)]


def tile(place: TilePlace) -> list[bytes]:
    """A tile's hashes as the specification defines them: MTH over 256**level leaves each."""
    span = 256 ** (place.level or 0)
    first = place.number * 256
    return [root_of(LEAVES[at * span : (at + 1) * span]) for at in range(first, first + place.width)]


def test_paths_of_the_specification(vectors: Path) -> None:
    """The specification's example has its path; Go's paths, less the height, are read alike."""
    cases = json.loads((vectors / "transcribed/tile_paths.json").read_bytes())
    example = cases["c2sp_example"]
    assert TilePlace(0, example["index"]).path() == f"tile/0/{example['path']}"
    for path, (height, level, index, width) in cases["go_paths"]:
        ours = path.replace(f"tile/{height}/", "tile/", 1)
        full = width == 1 << height
        assert TilePlace.parse(ours) == TilePlace(level, index, 256 if full else width)
        assert TilePlace.parse(ours).path() == ours
    for path in cases["invalid"]:
        with pytest.raises(ValueError, match="expected"):
            TilePlace.parse(path.replace("tile/3/", "tile/", 1))


def test_tree_of_the_specification(vectors: Path) -> None:
    """A tree of 70,000 has the tiles that the specification counts; one of 256 a partial one above."""
    example = json.loads((vectors / "transcribed/tile_paths.json").read_bytes())["c2sp_example"]["size_70000"]
    places = list(tiles_of(70_000))
    by_level = [[place for place in places if place.level == level] for level in range(3)]
    full = [sum(place.width == 256 for place in level) for level in by_level]
    partial = [[place.width for place in level if place.width < 256] for level in by_level]
    assert full == [example["level0_full"], example["level1_full"], 0]
    assert partial == [
        [example["level0_partial_width"]],
        [example["level1_partial_width"]],
        [example["level2_partial_width"]],
    ]
    assert len(places) == sum(map(len, by_level))
    assert list(tiles_of(256)) == [TilePlace(0, 0, 256), TilePlace(1, 0, 1)]
    assert list(tiles_of(0)) == []
    assert len(list(bundles_of(70_000))) == 274
    assert list(bundles_of(257)) == [TilePlace(None, 0, 256), TilePlace(None, 1, 1)]


@pytest.mark.parametrize(
    "path",
    [
        "tile/0/1",
        "tile/0/0001",
        "tile/00/001",
        "tile/64/001",
        "tile/0/001/002",
        "tile/0/x000/001",
        "tile/0/x001/x002",
        "tile/0/001.p/0",
        "tile/0/001.p/256",
        "tile/0/001.p/07",
        "tile/0/001.p/300",
        "tile/0/001.p",
        "tile/entry/001",
        "tile/0/００１",
        "/tile/0/001",
        "tile/0/001\n",
    ],
)
def test_other_paths(path: str) -> None:
    """A tile has one path only."""
    with pytest.raises(ValueError, match="expected"):
        TilePlace.parse(path)


@given(st.one_of(st.none(), st.integers(0, 63)), st.integers(0, 10**13), st.integers(1, 256))
def test_paths_round_trip(level: int | None, index: int, width: int) -> None:
    """Every place is read from its path."""
    place = TilePlace(level, index, width)
    assert TilePlace.parse(place.path()) == place


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 511, 513, 65_535, 65_536, 65_537, 70_000])
def test_proofs_from_tiles_alone(size: int) -> None:
    """Proofs made of full and partial tiles are those made of all leaf hashes, at every size."""
    source = LeafHashes(LEAVES[:size])
    fetched: list[TilePlace] = []

    def fetch(place: TilePlace) -> list[bytes]:
        fetched.append(place)
        return tile(place)

    for index in {0, size // 2, size - 1}:
        fetched.clear()
        assert inclusion_proof(index, size, TileHashes(size, fetch)) == inclusion_proof(index, size, source)
        assert len(fetched) <= 5
        old = index + 1
        assert consistency_proof(old, size, TileHashes(size, fetch)) == consistency_proof(old, size, source)
    assert set(fetched) <= set(tiles_of(size))


def test_hashes_beyond_the_tree() -> None:
    """No hash is made up beyond the tree's size."""
    for begin, end in ((0, 258), (257, 258), (3, 3), (-1, 1)):
        with pytest.raises(ValueError, match="not in a tree of 257"):
            TileHashes(257, tile)(begin, end)


@given(st.lists(st.binary(max_size=300), max_size=20))
def test_bundles_round_trip(entries: list[bytes]) -> None:
    """A bundle is each entry's length in two bytes and the entry."""
    raw = entry_bundle(entries)
    assert read_entry_bundle(raw) == entries
    assert len(raw) == sum(2 + len(entry) for entry in entries)


@pytest.mark.parametrize("raw", [b"\0", b"\0\1", b"\0\0\0", b"\0\2a"])
def test_bundles_cut_short(raw: bytes) -> None:
    """Bytes that end within an entry are no bundle; an entry that is too long is not bundled."""
    with pytest.raises(ValueError, match="expected"):
        read_entry_bundle(raw)
    with pytest.raises(ValueError, match="65535"):
        entry_bundle([bytes(65_536)])
