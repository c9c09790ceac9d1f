"""The reconciler's SQL edge of chains that are kin: their keys, which of them moved, what stands in them."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.case.fold import fold
from casebus_schemas.case.kin import (
    KIN_TYPES,
    KINDS,
    MOST_CHAINS,
    Kin,
    KinKey,
    KinKind,
    fitting,
    is_alone,
    kin_of,
    moves,
)
from casebus_schemas.case.shares import computed
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.errors import RetryLater, StopService
from casebus_schemas.rules.finding import Finding
from casebus_schemas.times import to_datetime, to_moment

from .arrivals import Arrival
from .chain_events import events_of
from .database import Transaction
from .rows import EVENTS_TOLD, FINDINGS, found_before, stored_event
from .set_aside import reason_of

log = logging.getLogger(__name__)

_CHAINS = 500
_LOOKED_AT_ONCE = 1000
"""Chains of one key that are marked as looked at together: the rest waits for the next look."""
_EARLIER = (
    "(excluded.since_ms < recon_kin.since_ms "
    "OR excluded.since_ms = recon_kin.since_ms AND excluded.digest < recon_kin.digest)"
)
SAVE_KIN = (
    "INSERT INTO recon_kin VALUES (?,?,?,?,?,1,0) ON CONFLICT (kind, key, chain) DO UPDATE SET "
    "changed = recon_kin.changed + 1, "
    f"since_ms = CASE WHEN {_EARLIER} THEN excluded.since_ms ELSE recon_kin.since_ms END, "
    f"digest = CASE WHEN {_EARLIER} THEN excluded.digest ELSE recon_kin.digest END"
)
MOVED = "SELECT DISTINCT kind, key FROM recon_kin WHERE changed <> looked"
"""Keys of chains in which something was said that nobody has looked at."""


class _Row(NamedTuple):
    """A chain of a key: since when, by which event, and how often it has moved."""

    chain: str
    since_ms: int
    digest: bytes
    changed: int


def kin_rows(event: ChainEvent) -> Iterable[tuple[Any, ...]]:
    """The rows of recon_kin that an event brings."""
    since_ms = to_moment(event.admitted_at)
    for key, chains in kin_of(event):
        for chain in chains:
            yield (*key, chain, since_ms, event.digest)


def note_kin(sql: Transaction, catalog: Catalog, arrivals: Sequence[Arrival]) -> None:
    """Keeps what makes chains kin, and that chains which are kin have moved."""
    rows: list[tuple[Any, ...]] = []
    for arrived in arrivals:
        if arrived.event_headers.type in KIN_TYPES:
            try:
                rows.extend(kin_rows(arrived.event(catalog)))
            except (StopService, RetryLater):
                raise
            except Exception as error:  # noqa: BLE001 - its chain is set aside, and is entered once it is computed
                log.error(
                    "what makes %s kin is not read: %s", arrived.event_headers.subject, reason_of(error)
                )
    sql.many(SAVE_KIN, sorted(rows))
    said: dict[str, set[str]] = {}
    for arrived in arrivals:
        said.setdefault(arrived.event_headers.subject, set()).add(arrived.event_headers.type)
    moved = [
        (chain, kind)
        for chain, kind in _kinds_of(sql, sorted(said))
        if any(moves(kind, type) for type in said[chain])
    ]
    sql.many("UPDATE recon_kin SET changed = changed + 1 WHERE chain = ? AND kind = ?", sorted(moved))


def _kinds_of(sql: Transaction, chains: Sequence[str]) -> Iterable[tuple[str, KinKind]]:
    for start in range(0, len(chains), _CHAINS):
        part = chains[start : start + _CHAINS]
        marks = ",".join("?" * len(part))
        for chain, kind in sql.rows(
            f"SELECT DISTINCT chain, kind FROM recon_kin WHERE chain IN ({marks})", part
        ):
            if kind in KINDS:
                yield chain, kind


def enter_kin(sql: Transaction, chain: str, events: Iterable[ChainEvent]) -> None:
    """Enters what makes a chain kin that is computed again, and has it compared again."""
    rows = [row for event in events if event.type in KIN_TYPES for row in kin_rows(event)]
    sql.many(SAVE_KIN, sorted(rows))
    sql.run("UPDATE recon_kin SET changed = changed + 1 WHERE chain = ?", (chain,))


class KinWork:
    """What one transaction of the pass over kin reads and writes, under its fence."""

    def __init__(self, sql: Transaction, catalog: Catalog) -> None:
        self._sql = sql
        self._catalog = catalog

    def next_moved(self, after: KinKey | None) -> KinKey | None:
        """The next key behind another in which something moved, of all in a circle."""
        where = "SELECT kind, key FROM recon_kin WHERE changed <> looked"
        in_order = "ORDER BY kind, key LIMIT 1"
        rows = []
        if after is not None:
            behind = f"{where} AND (kind > ? OR kind = ? AND key > ?) {in_order}"
            rows = self._sql.rows(behind, (after.kind, after.kind, after.text))
        rows = rows or self._sql.rows(f"{where} {in_order}")
        return KinKey(rows[0][0], rows[0][1]) if rows else None

    def moved(self, key: KinKey) -> Mapping[str, int]:
        """The chains of a key that have moved, each with how often it had when this was read."""
        rows = self._sql.rows(
            "SELECT chain, changed, looked FROM recon_kin WHERE kind = ? AND key = ? AND changed <> looked "
            "ORDER BY chain LIMIT ?",
            (*key, _LOOKED_AT_ONCE),
        )
        if any(row[2] == 0 for row in rows):
            # Workers of other partitions that did not see these rows yet have ended once this is granted.
            self._sql.locked(
                "SELECT partition FROM recon_partition WHERE partition >= 0 ORDER BY partition", ()
            )
        return {row[0]: row[1] for row in rows}

    def looked(self, key: KinKey, moved: Mapping[str, int]) -> None:
        """Marks what was read as looked at, and nothing that came since."""
        self._sql.many(
            "UPDATE recon_kin SET looked = ? WHERE kind = ? AND key = ? AND chain = ?",
            [(changed, *key, chain) for chain, changed in sorted(moved.items())],
        )

    def kin(self, key: KinKey) -> Kin | None:
        """The chains of a key, folded; None where nothing is to be compared."""
        rows = self._rows(key)
        if not rows or is_alone(key, (row.chain for row in rows)):
            return None
        counted = self._counted([row.chain for row in rows])
        since = [(to_datetime(row.since_ms), row.digest, row.chain) for row in rows]
        fits = fitting(key, since, lambda chain: counted.get(chain, 0))
        first = self._sql.rows(f"{EVENTS_TOLD} WHERE digest = ?", (min(since)[1],))
        folded = {
            chain: fold(computed(events_of(self._sql, self._catalog, chain)))
            for chain in fits.chains
            if counted.get(chain)
        }
        return Kin(key, stored_event(self._catalog, first[0]), folded, fits.left_out)

    def _rows(self, key: KinKey) -> list[_Row]:
        """The chains that came to a key first, and the one that it names."""
        select = "SELECT chain, since_ms, digest, changed FROM recon_kin WHERE kind = ? AND key = ?"
        rows = self._sql.rows(f"{select} ORDER BY since_ms, digest, chain LIMIT ?", (*key, MOST_CHAINS + 2))
        root = self._sql.rows(f"{select} AND chain = ?", (*key, key.text))
        return [_Row(row[0], row[1], bytes(row[2]), row[3]) for row in {tuple(r) for r in (*rows, *root)}]

    def _counted(self, chains: Sequence[str]) -> dict[str, int]:
        marks = ",".join("?" * len(chains))
        rows = self._sql.rows(
            f"SELECT chain, count(*) FROM recon_event WHERE chain IN ({marks}) GROUP BY chain", chains
        )
        return {row[0]: row[1] for row in rows}

    def open_findings(self, key: KinKey) -> list[Finding]:
        """What was found of a key and is not closed."""
        where = "WHERE link_kind = ? AND link_key = ? AND state <> 'closed'"
        return [found_before(row) for row in self._sql.rows(f"{FINDINGS} {where}", key)]
