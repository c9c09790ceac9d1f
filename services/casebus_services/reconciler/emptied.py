"""Chains whose accounts a change of the tables emptied, until they are computed again."""

from collections.abc import Sequence

from .accounts_database import Transaction

_FILLED = (
    "DELETE FROM recon_emptied WHERE chain = ? AND ("
    "EXISTS (SELECT 1 FROM recon_chain c WHERE c.chain = recon_emptied.chain) OR "
    "EXISTS (SELECT 1 FROM recon_set_aside s WHERE s.chain = recon_emptied.chain))"
)


def emptied(transaction: Transaction, partitions: Sequence[int], limit: int) -> list[tuple[int, str]]:
    """(admission partition, chain) of such chains, at most `limit`."""
    marks = ",".join("?" * len(partitions))
    rows = transaction.rows(
        "SELECT bus_partition, chain FROM recon_emptied "
        f"WHERE bus_partition IN ({marks}) ORDER BY chain LIMIT ?",
        (*partitions, limit),
    )
    return [(row[0], row[1]) for row in rows]


def filled(transaction: Transaction, chains: Sequence[tuple[int, str]]) -> None:
    """Those of these chains that have accounts again, or are set aside, are named no longer."""
    transaction.many(_FILLED, [(chain,) for _, chain in chains])
