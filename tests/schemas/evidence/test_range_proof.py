"""Proofs of ranges: what they show, how short they are, and that nothing else passes."""

from math import ceil, log2

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from casebus_schemas.evidence.leaf import leaf_hash
from casebus_schemas.evidence.merkle import LeafHashes, inclusion_proof, root_of
from casebus_schemas.evidence.range_proof import range_proof, ranges_of, verify_ranges

LEAVES = [leaf_hash(number.to_bytes(8, "big")) for number in range(700)]


def proven(indexes: set[int], size: int) -> tuple[list[tuple[int, int]], list[bytes], list[bytes], bytes]:
    """Ranges, leaf hashes, proof and root."""
    ranges = ranges_of(indexes)
    source = LeafHashes(LEAVES[:size])
    return (
        ranges,
        [LEAVES[at] for at in sorted(indexes)],
        range_proof(ranges, size, source),
        root_of(LEAVES[:size]),
    )


@given(st.integers(1, 700), st.data())
def test_any_set_of_leaves(size: int, data: st.DataObject) -> None:
    """Any leaves of any tree are proven together, and not with one of them changed or at another size."""
    indexes = data.draw(st.sets(st.integers(0, size - 1), min_size=1, max_size=30))
    ranges, leaves, proof, root = proven(indexes, size)
    assert verify_ranges(ranges, leaves, size, proof, root)
    at = data.draw(st.integers(0, len(leaves) - 1))
    assert not verify_ranges(ranges, [*leaves[:at], bytes(32), *leaves[at + 1 :]], size, proof, root)
    assert not verify_ranges(ranges, leaves, size, [*proof, root], root)
    assert not verify_ranges(ranges, leaves, size, proof, bytes(32))


@given(st.integers(1, 700), st.data())
def test_mutated_proofs(size: int, data: st.DataObject) -> None:
    """A proof with a hash changed, left out, doubled or moved does not hold."""
    indexes = data.draw(st.sets(st.integers(0, size - 1), min_size=1, max_size=8))
    ranges, leaves, proof, root = proven(indexes, size)
    assume(proof)
    at = data.draw(st.integers(0, len(proof) - 1))
    for changed in (
        [*proof[:at], bytes(32), *proof[at + 1 :]],
        [*proof[:at], proof[at][:-1], *proof[at + 1 :]],
        [*proof[:at], *proof[at + 1 :]],
        [*proof[:at], proof[at], *proof[at:]],
    ):
        assert not verify_ranges(ranges, leaves, size, changed, root)
    if len(proof) > 1:
        assert not verify_ranges(ranges, leaves, size, proof[::-1], root)


@given(st.integers(1, 700), st.data())
def test_leaves_elsewhere(size: int, data: st.DataObject) -> None:
    """The same leaves claimed one place further do not hold."""
    begin = data.draw(st.integers(0, size - 1))
    end = data.draw(st.integers(begin + 1, size))
    assume(end < size)
    ranges, leaves, proof, root = proven(set(range(begin, end)), size)
    assert verify_ranges(ranges, leaves, size, proof, root)
    assert not verify_ranges([(begin + 1, end + 1)], leaves, size, proof, root)
    assert not verify_ranges([(begin, end + 1)], leaves, size, proof, root)
    assert not verify_ranges([(begin, end - 1)], leaves[:-1], size, proof, root)


@given(st.integers(2, 700), st.data())
def test_length_of_a_contiguous_range(size: int, data: st.DataObject) -> None:
    """One range needs at most two hashes a level of the tree."""
    begin = data.draw(st.integers(0, size - 1))
    end = data.draw(st.integers(begin + 1, size))
    assert len(proven(set(range(begin, end)), size)[2]) <= 2 * ceil(log2(size))


def test_one_leaf_and_all_leaves() -> None:
    """Of one leaf the hashes are those of its audit path, of all leaves there are none."""
    for index in (0, 1, 300, 698, 699):
        path = inclusion_proof(index, 700, LeafHashes(LEAVES))
        assert sorted(proven({index}, 700)[2]) == sorted(path)
    assert proven(set(range(700)), 700)[2] == []


def test_by_hand() -> None:
    """Of seven leaves, those at 2, 3 and 5: beside them lie the nodes over 0-1, 4 and 6, in this order."""
    ranges, leaves, proof, root = proven({2, 3, 5}, 7)
    assert ranges == [(2, 4), (5, 6)]
    assert proof == [root_of(LEAVES[:2]), LEAVES[4], LEAVES[6]]
    assert verify_ranges(ranges, leaves, 7, proof, root)


@pytest.mark.parametrize(
    "ranges",
    [[], [(2, 2)], [(3, 2)], [(-1, 2)], [(0, 8)], [(0, 2), (2, 3)], [(3, 4), (0, 1)], [(0, 3), (2, 4)]],
)
def test_ranges_that_are_none(ranges: list[tuple[int, int]]) -> None:
    """Ranges that are empty, overlap, touch, fall or leave the tree are neither proven nor accepted."""
    with pytest.raises(ValueError, match="leaves"):
        range_proof(ranges, 7, LeafHashes(LEAVES[:7]))
    count = sum(max(0, end - begin) for begin, end in ranges)
    assert not verify_ranges(ranges, LEAVES[:count], 7, [], root_of(LEAVES[:7]))
