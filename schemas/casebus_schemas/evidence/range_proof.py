"""Proofs of many entries at once: the hashes of an RFC 6962 tree that lie beside some ranges of leaves.

One contiguous range of a tree of n needs at most 2*log2(n) hashes; a path an entry would be log2(n) each.
The hashes are those of the largest subtrees without a leaf of the ranges, from left to right.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import pairwise

from .merkle import HASH_LENGTH, Subtree, node_hash, root_of, split_point

Range = tuple[int, int]
"""Leaves [begin, end) of a tree, counted from 0."""


def ranges_of(indexes: Iterable[int]) -> list[Range]:
    """The fewest ranges that hold these indexes, in order; an index may come twice."""
    ranges: list[Range] = []
    for index in sorted(set(indexes)):
        if ranges and ranges[-1][1] == index:
            ranges[-1] = (ranges[-1][0], index + 1)
        else:
            ranges.append((index, index + 1))
    return ranges


def check_ranges(ranges: Sequence[Range], size: int) -> None:
    """Raises ValueError unless there is a range, none is empty, and they lie apart, in order, in the tree."""
    if not ranges or any(begin >= end for begin, end in ranges):
        raise ValueError("ranges of leaves must not be empty")
    if ranges[0][0] < 0 or ranges[-1][1] > size:
        raise ValueError(f"leaves {ranges[0][0]} to {ranges[-1][1]} are not in a tree of {size}")
    if any(before[1] >= after[0] for before, after in pairwise(ranges)):
        raise ValueError("ranges of leaves must rise, with a leaf between them")


def range_proof(ranges: Sequence[Range], size: int, subtree: Subtree) -> list[bytes]:
    """The hashes beside these ranges in the tree of `size` leaves. Raises ValueError as `check_ranges`."""
    check_ranges(ranges, size)
    ends = [end for _, end in ranges]
    proof: list[bytes] = []

    def walk(begin: int, end: int) -> None:
        kind = _meets(ranges, ends, begin, end)
        if kind == _BESIDE:
            proof.append(subtree(begin, end))
        elif kind == _ACROSS:
            middle = begin + split_point(end - begin)
            walk(begin, middle)
            walk(middle, end)

    walk(0, size)
    return proof


def verify_ranges(
    ranges: Sequence[Range], leaf_hashes: Sequence[bytes], size: int, proof: Sequence[bytes], root: bytes
) -> bool:
    """Whether `proof` shows these leaf hashes, in order, at the ranges of the tree of this size and root.

    Every hash must have 32 bytes, and there must be exactly as many as ranges and size demand.
    """
    try:
        check_ranges(ranges, size)
    except ValueError:
        return False
    if len(leaf_hashes) != sum(end - begin for begin, end in ranges):
        return False
    if any(len(value) != HASH_LENGTH for given in (leaf_hashes, proof, (root,)) for value in given):
        return False
    ends = [end for _, end in ranges]
    # What of the leaf hashes lies before each range.
    before = [0]
    for begin, end in ranges:
        before.append(before[-1] + end - begin)
    at = 0

    def walk(begin: int, end: int) -> bytes:
        nonlocal at
        kind = _meets(ranges, ends, begin, end)
        if kind == _BESIDE:
            if at == len(proof):
                raise _TooShort
            at += 1
            return proof[at - 1]
        if kind == _INSIDE:
            number = bisect_left(ends, end)
            first = before[number] + begin - ranges[number][0]
            return root_of(leaf_hashes[first : first + end - begin])
        middle = begin + split_point(end - begin)
        left = walk(begin, middle)
        return node_hash(left, walk(middle, end))

    try:
        found = walk(0, size)
    except _TooShort:
        return False
    return found == root and at == len(proof)


class _TooShort(Exception):
    """The proof has fewer hashes than it needs."""


_BESIDE, _INSIDE, _ACROSS = range(3)


def _meets(ranges: Sequence[Range], ends: Sequence[int], begin: int, end: int) -> int:
    """How the leaves [begin, end) lie to the ranges: beside all, inside one, or across a border."""
    number = bisect_left(ends, begin + 1)
    if number == len(ranges) or ranges[number][0] >= end:
        return _BESIDE
    first, last = ranges[number]
    return _INSIDE if first <= begin and end <= last else _ACROSS
