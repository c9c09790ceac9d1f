"""The regulator's statement of account of the planted year, in which some chains are left out."""

from collections.abc import Iterable
from datetime import datetime
from hashlib import sha256
from random import Random

from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.times import BEIJING

from .matter import Matter, Paper, chain_of, digest_of

STATED = datetime(2026, 11, 25, 9, tzinfo=BEIJING)
WHO = "csrc"


def statement(number: int, dice: Random, matters: Iterable[Matter], left_out: Iterable[int]) -> Matter:
    """What the regulator holds of every chain: its own events, those told to it, and their digests.

    The digest is SHA-256 of the sorted digests of all of them (docs/records.md).
    """
    catalog = Catalog.load()
    held: dict[str, list[tuple[bool, bytes]]] = {}
    for matter in matters:
        for paper in matter.papers:
            own = paper.agency == WHO
            if (own or WHO in _told(paper, catalog)) and (paper.admitted or paper.at) < STATED:
                chain = matter.chain if paper.chain is None else chain_of(paper.chain)
                held.setdefault(chain, []).append((own, digest_of(matter.number, paper.label)))
    gone = {chain_of(one) for one in left_out}
    lines = [
        {
            "chain": chain,
            "sent": sum(own for own, _ in of),
            "received": sum(not own for own, _ in of),
            "digest": sha256(b"".join(sorted(digest for _, digest in of))).hexdigest(),
        }
        for chain, of in held.items()
        if chain not in gone
    ]
    said = Matter(number, "statement", dice, STATED)
    said.say("statement.account", WHO, "", as_of=STATED.isoformat(), chains=lines)
    return said


def _told(paper: Paper, catalog: Catalog) -> set[str]:
    named = {address.partition("/")[0] for address in (*paper.to, *paper.cc)}
    return named | set(catalog.types[paper.type].by_law)
