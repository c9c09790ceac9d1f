"""The reconciler's SQL edge of chains that are kin: their keys, which of them moved, what stands in them."""

import logging
from collections.abc import Collection, Iterable, Sequence
from typing import Any, NamedTuple

from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.case.fold import fold
from casebus_schemas.case.kin import (
    KIN_TYPES,
    KINDS,
    MOST_CHAINS,
    Kin,
    KinKey,
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

from .accounts_database import Transaction
from .arrivals import Arrival
from .chain_events import events_of
from .rows import EVENTS_TOLD, FINDINGS, found_before, stored_event
from .set_aside import reason_of

log = logging.getLogger(__name__)

KEYS_AT_ONCE = 200
"""Keys of a chain that one step looks through."""
_EARLIER = (
    "(excluded.since_ms < recon_kin.since_ms "
    "OR excluded.since_ms = recon_kin.since_ms AND excluded.digest < recon_kin.digest)"
)
SAVE_KIN = (
    "INSERT INTO recon_kin VALUES (?,?,?,?,?) ON CONFLICT (kind, key, chain) DO UPDATE SET "
    f"since_ms = CASE WHEN {_EARLIER} THEN excluded.since_ms ELSE recon_kin.since_ms END, "
    f"digest = CASE WHEN {_EARLIER} THEN excluded.digest ELSE recon_kin.digest END"
)
SAVE_MOVED = (
    "INSERT INTO recon_kin_chain VALUES (?,?,?,0) ON CONFLICT (chain) DO UPDATE SET "
    "lineage = CASE WHEN excluded.lineage > recon_kin_chain.lineage THEN excluded.lineage "
    "ELSE recon_kin_chain.lineage END, changed = recon_kin_chain.changed + excluded.changed"
)
MOVED = (
    "SELECT DISTINCT k.kind, k.key FROM recon_kin_chain c JOIN recon_kin k ON k.chain = c.chain "
    "WHERE c.changed <> c.looked"
)
"""Keys of chains in which something was said that nobody has looked at."""


class _Row(NamedTuple):
    """A chain of a key: since when, and by which event."""

    chain: str
    since_ms: int
    digest: bytes


class Place(NamedTuple):
    """How far the keys of a chain are looked through, of which it had moved so often when that began."""

    changed: int
    behind: tuple[int, str, str] = (-1, "", "")


class Keys(NamedTuple):
    """The next keys of a chain, and the place behind each; `more` says that there may be others."""

    found: list[tuple[KinKey, Place]]
    more: bool


def kin_rows(event: ChainEvent) -> Iterable[tuple[Any, ...]]:
    """The rows of recon_kin that an event brings."""
    since_ms = to_moment(event.admitted_at)
    for key, chains in kin_of(event):
        for chain in chains:
            yield (*key, chain, since_ms, event.digest)


def moved_rows(rows: Iterable[tuple[Any, ...]], own: Collection[str]) -> list[tuple[Any, ...]]:
    """The rows of recon_kin_chain beside these of recon_kin: the chains of one's `own` have moved."""
    lineage: dict[str, int] = {}
    for kind, _, chain, *_ in rows:
        lineage[chain] = max(lineage.get(chain, 0), int(KINDS[kind].moved_by is None))
    return [(chain, is_line, int(chain in own)) for chain, is_line in sorted(lineage.items())]


def note_kin(sql: Transaction, catalog: Catalog, arrivals: Sequence[Arrival]) -> None:
    """Keeps what makes chains kin, and that chains have moved: a row for each, however many keys it has."""
    rows: list[tuple[Any, ...]] = []
    types: dict[str, set[str]] = {}
    for arrived in arrivals:
        chain, type = arrived.event_headers.subject, arrived.event_headers.type
        types.setdefault(chain, set()).add(type)
        if type not in KIN_TYPES:
            continue
        try:
            rows.extend(kin_rows(arrived.event(catalog)))
        except (StopService, RetryLater):
            raise
        except Exception as error:  # noqa: BLE001 - its chain is set aside, and is entered once it is computed
            log.error("what makes %s kin is not read: %s", chain, reason_of(error))
    sql.many(SAVE_KIN, sorted(rows))
    sql.many(SAVE_MOVED, moved_rows(rows, types.keys()))
    moved = []
    for chain, of in sorted(types.items()):
        kinds = {kind for kind in KINDS for type in of if moves(kind, type)}
        if kinds:
            moved.append((chain, int(any(KINDS[kind].moved_by is not None for kind in kinds))))
    sql.many(
        "UPDATE recon_kin_chain SET changed = changed + 1 WHERE chain = ? AND (lineage = 1 OR ? = 1)", moved
    )


def enter_kin(sql: Transaction, chain: str, events: Iterable[ChainEvent]) -> None:
    """Enters what makes a chain kin that is computed again, and has it compared again."""
    rows = [row for event in events if event.type in KIN_TYPES for row in kin_rows(event)]
    sql.many(SAVE_KIN, sorted(rows))
    sql.many(SAVE_MOVED, moved_rows(rows, ()))
    sql.run("UPDATE recon_kin_chain SET changed = changed + 1 WHERE chain = ?", (chain,))


class KinWork:
    """What one transaction of the pass over kin reads and writes, under its fence."""

    def __init__(self, sql: Transaction, catalog: Catalog) -> None:
        self._sql = sql
        self._catalog = catalog

    def next_moved(self, after: str) -> str | None:
        """The next chain behind another that has moved, of all in a circle."""
        moved = "SELECT chain FROM recon_kin_chain WHERE changed <> looked"
        rows = self._sql.rows(f"{moved} AND chain > ? ORDER BY chain LIMIT 1", (after,))
        rows = rows or self._sql.rows(f"{moved} ORDER BY chain LIMIT 1")
        return rows[0][0] if rows else None

    def begin(self, chain: str) -> Place:
        """The place before the first key of a chain."""
        ((changed, looked),) = self._sql.rows(
            "SELECT changed, looked FROM recon_kin_chain WHERE chain = ?", (chain,)
        )
        if looked == 0:
            # Workers of other partitions that did not see these rows yet have ended once this is granted.
            self._sql.locked(
                "SELECT partition FROM recon_partition WHERE partition >= 0 ORDER BY partition", ()
            )
        return Place(changed)

    def keys(self, chain: str, place: Place) -> Keys:
        """The next keys of a chain, the longest held first: whoever names it later comes later."""
        rows = self._sql.rows(
            "SELECT since_ms, kind, key FROM recon_kin WHERE chain = ? AND (since_ms, kind, key) > (?,?,?) "
            "ORDER BY since_ms, kind, key LIMIT ?",
            (chain, *place.behind, KEYS_AT_ONCE),
        )
        found = [(KinKey(row[1], row[2]), place._replace(behind=tuple(row))) for row in rows]
        return Keys(found, len(rows) == KEYS_AT_ONCE)

    def looked(self, chain: str, place: Place) -> None:
        """Marks a chain as looked at, as often as it had moved when that began and no further."""
        self._sql.run("UPDATE recon_kin_chain SET looked = ? WHERE chain = ?", (place.changed, chain))

    def kin(self, key: KinKey) -> Kin | None:
        """The chains of a key, folded; None where nothing is to be compared."""
        rows = self._rows(key)
        if not rows or is_alone(key, (row.chain for row in rows), self._says):
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

    def _says(self, chain: str, types: Collection[str]) -> bool:
        """Whether a chain has an event of any of these types."""
        marks = ",".join("?" * len(types))
        select = f"SELECT 1 FROM recon_event WHERE chain = ? AND type IN ({marks}) LIMIT 1"
        return bool(self._sql.rows(select, (chain, *sorted(types))))

    def _rows(self, key: KinKey) -> list[_Row]:
        """The chains that came to a key first, and the one that it names."""
        select = "SELECT chain, since_ms, digest FROM recon_kin WHERE kind = ? AND key = ?"
        rows = self._sql.rows(f"{select} ORDER BY since_ms, digest, chain LIMIT ?", (*key, MOST_CHAINS + 2))
        root = self._sql.rows(f"{select} AND chain = ?", (*key, key.text))
        return list({row[0]: _Row(row[0], row[1], bytes(row[2])) for row in (*rows, *root)}.values())

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
