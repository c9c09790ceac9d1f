"""A log's tree as its rows give it: to go on from a size, now or in the past."""

from sqlalchemy import Connection, text

from casebus_schemas.evidence.merkle import TILE_HEIGHT, TILE_WIDTH, Subtree, TiledTree, node_hash, root_of


def tree_at(connection: Connection, log_id: int, size: int) -> TiledTree:
    """The tree of a log at this size, which may be any that it has had; reads at most 255 rows a level.

    Raises ValueError if rows are missing. What the rows say is for the caller to compare with a root.
    """
    open_tiles = [_open_leaves(connection, log_id, size)]
    while size >> (8 * len(open_tiles)):
        open_tiles.append(_open_roots(connection, log_id, size, len(open_tiles)))
    return TiledTree(size, open_tiles)


def subtrees(connection: Connection, log_id: int) -> Subtree:
    """Hashes over parts of a log, from the roots of its full tiles and below them from its entries.

    Raises ValueError if rows are missing.
    """

    def perfect(begin: int, width: int) -> bytes:
        level = (width.bit_length() - 1) // TILE_HEIGHT
        first, count = begin >> (TILE_HEIGHT * level), width >> (TILE_HEIGHT * level)
        place = {"log_id": log_id, "level": level - 1, "begin": first, "end": first + count}
        hashes = list(connection.execute(_ROOTS if level else _LEAVES, place).scalars())
        if len(hashes) != count:
            raise ValueError(f"{len(hashes)} hashes at level {level} from {first}, expected {count}")
        return root_of(hashes)

    def subtree(begin: int, end: int) -> bytes:
        nodes = []
        while begin < end:
            width = 1 << ((end - begin).bit_length() - 1)
            nodes.append(perfect(begin, width))
            begin += width
        root = nodes.pop()
        for node in reversed(nodes):
            root = node_hash(node, root)
        return root

    return subtree


_LEAVES = text(
    "SELECT leaf_hash FROM entry WHERE log_id = :log_id AND idx >= :begin AND idx < :end ORDER BY idx"
)
_ROOTS = text(
    "SELECT root FROM tile WHERE log_id = :log_id AND level = :level AND idx >= :begin AND idx < :end "
    "ORDER BY idx"
)


def _open_leaves(connection: Connection, log_id: int, size: int) -> list[bytes]:
    place = {"log_id": log_id, "begin": size - size % TILE_WIDTH, "end": size}
    return list(connection.execute(_LEAVES, place).scalars())


def _open_roots(connection: Connection, log_id: int, size: int, level: int) -> list[bytes]:
    """Hashes of the open tile of a level from 1 on: the roots of the full tiles below it."""
    complete = size >> (8 * level)
    place = {"log_id": log_id, "level": level - 1}
    place |= {"begin": complete - complete % TILE_WIDTH, "end": complete}
    return list(connection.execute(_ROOTS, place).scalars())
