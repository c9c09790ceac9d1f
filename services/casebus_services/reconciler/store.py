"""The reconciler's SQL edge: what one transaction reads and writes of chains, streams and the outbox."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import cached_property, partial
from types import MappingProxyType
from typing import Any
from uuid import UUID

from casebus_schemas.agencies import agency_of_source
from casebus_schemas.case.chain import ChainEvent, Digest
from casebus_schemas.case.chain_keys import MOST_READ, Key, Linked, linked
from casebus_schemas.case.fold import fold
from casebus_schemas.case.shares import Shares
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.law.calendars import Calendars
from casebus_schemas.rules.finding import Finding
from casebus_schemas.times import to_datetime, to_moment
from casebus_schemas.wire.stream_head import Stream, StreamHead

from .accounts_database import Transaction
from .announce import Announced, Announcer, Said, event_id
from .arrivals import Arrival
from .book import ChainBook
from .chain_events import events_of
from .entered_notices import entered_calendars
from .fence import Fence
from .kin_store import enter_kin, note_kin
from .rows import (
    DUTIES,
    FINDINGS,
    NEW_KEYS,
    OF_KEY,
    OUTLINES,
    SAVE_CHAIN,
    SAVE_DUTY,
    SAVE_FINDING,
    SAVE_SET_ASIDE,
    SET_ASIDE,
    Entries,
    NewKey,
    Waiting,
    duty_entry,
    event_row,
    found_before,
    key_rows,
    known_event,
    new_key,
    outbox_row,
    set_aside_of,
    set_aside_row,
    told_agencies,
    waiting_row,
)
from .set_aside import SetAside

_CHAINS = 500
"""Chains that one query names: well below SQLite's 32,766 parameters."""


class Work:
    """One transaction of the reconciler; the caller holds the fences of the partitions it touches."""

    def __init__(self, transaction: Transaction, catalog: Catalog) -> None:
        self._sql = transaction
        self._catalog = catalog

    # --- fences ---------------------------------------------------------------------------------------

    def fences(self, partitions: Iterable[int], incarnation: int) -> dict[int, Fence]:
        """Locks the partitions' rows; `incarnation` begins the streams of partitions never seen before."""
        wanted = sorted(set(partitions))
        self._sql.many(
            "INSERT INTO recon_partition VALUES (?, 0, 0, ?, 0) ON CONFLICT DO NOTHING",
            [(partition, incarnation) for partition in wanted],
        )
        marks = ",".join("?" * len(wanted))
        rows = self._sql.locked(
            "SELECT partition, next_offset, revision, incarnation, next_no FROM recon_partition "
            f"WHERE partition IN ({marks}) ORDER BY partition",
            wanted,
        )
        return {row[0]: Fence(*row) for row in rows}

    @cached_property
    def calendars(self) -> Calendars:
        """Which calendar is in force from when; under a fence nobody adds to it."""
        return entered_calendars(self._sql)

    def release(self, fences: Iterable[Fence]) -> None:
        """Writes the fences' new offsets and numbers, one revision on."""
        rows = []
        for fence in fences:
            fence.revision += 1
            rows.append((fence.next_offset, fence.revision, fence.next_no, fence.partition))
        self._sql.many(
            "UPDATE recon_partition SET next_offset = ?, revision = ?, next_no = ? WHERE partition = ?", rows
        )

    # --- what arrived ---------------------------------------------------------------------------------

    def add_admissions(self, arrivals: Sequence[Arrival]) -> list[Arrival]:
        """Stores the admissions and gives those that are the first of their origin and attempt, in order."""
        first: dict[tuple[str, int, int, int], Arrival] = {}
        for arrived in arrivals:
            admission = arrived.admission
            origin = admission.origin
            first.setdefault((origin.topic, origin.partition, origin.offset, admission.attempt), arrived)
        rows = [
            (
                *key,
                arrived.partition,
                arrived.offset,
                arrived.admission.verdict,
                arrived.admission.code,
                arrived.digest,
                arrived.headers.producer if arrived.headers else None,
                arrived.admission.admitted_at_ms,
                ",".join(f"{told.agency}:{told.role}" for told in arrived.admission.recipients),
            )
            for key, arrived in first.items()
        ]
        new = self._sql.insert_new("INSERT INTO recon_admission", rows, "topic, partition, koffset, attempt")
        keys = {tuple(row) for row in new}
        return [arrived for key, arrived in first.items() if key in keys]

    def leave_admissions(self, arrivals: Sequence[Arrival]) -> None:
        """Takes back admissions that this transaction has just added."""
        self._sql.many(
            "DELETE FROM recon_admission WHERE bus_partition = ? AND bus_offset = ?",
            [(arrived.partition, arrived.offset) for arrived in arrivals],
        )

    def add_events(self, arrivals: Sequence[Arrival]) -> None:
        """Stores admitted events that are new, and their keys."""
        self._sql.many(
            "INSERT INTO recon_event VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT DO NOTHING",
            [event_row(arrived) for arrived in arrivals],
        )
        self._sql.many(
            "INSERT INTO recon_chain_key VALUES (?,?,?,?,?,?) ON CONFLICT DO NOTHING",
            [row for arrived in arrivals for row in key_rows(arrived)],
        )
        note_kin(self._sql, self._catalog, arrivals)

    def was_refused(self, stream: Stream, digest: Digest) -> bool:
        """Whether a refused record with this digest stands on the stream's topic and partition."""
        found = self._sql.rows(
            "SELECT 1 FROM recon_admission WHERE digest = ? AND topic = ? AND partition = ? "
            "AND verdict = 'refused' LIMIT 1",
            (digest, stream.topic, stream.partition),
        )
        return bool(found)

    def heads(self, streams: Iterable[Stream]) -> dict[Stream, StreamHead]:
        """The last admitted event of each of the agencies' streams."""
        found = {}
        for stream in streams:
            for row in self._sql.rows(
                "SELECT seq, digest FROM recon_stream WHERE producer = ? AND topic = ? AND partition = ?",
                stream,
            ):
                found[stream] = StreamHead(row[0], bytes(row[1]))
        return found

    def save_heads(self, heads: Mapping[Stream, StreamHead]) -> None:
        """Moves the heads of the agencies' streams."""
        self._sql.many(
            "INSERT INTO recon_stream VALUES (?,?,?,?,?) ON CONFLICT (producer, topic, partition) "
            "DO UPDATE SET seq = excluded.seq, digest = excluded.digest",
            [(*stream, *head) for stream, head in heads.items()],
        )

    # --- chains ---------------------------------------------------------------------------------------

    def held(self, chains: Sequence[str]) -> set[str]:
        """Those of these chains that are set aside."""
        return set(self._of_chains("SELECT chain, 1 FROM recon_set_aside", chains))

    def books(self, chains: Sequence[str]) -> dict[str, Callable[[], ChainBook]]:
        """What opens the books of these chains as last saved; of an unknown chain an empty one."""
        told = self._of_chains("SELECT chain, told_ms FROM recon_chain", chains)
        events = self._of_chains("SELECT chain, count(*) FROM recon_event", chains, " GROUP BY chain")
        return {chain: partial(self._book, chain, told.get(chain), events.get(chain, 0)) for chain in chains}

    def _of_chains(self, select: str, chains: Sequence[str], end: str = "") -> dict[str, int]:
        found: dict[str, int] = {}
        for start in range(0, len(chains), _CHAINS):
            part = chains[start : start + _CHAINS]
            marks = ",".join("?" * len(part))
            found.update(map(tuple, self._sql.rows(f"{select} WHERE chain IN ({marks}){end}", part)))
        return found

    def events(self, chain: str) -> list[ChainEvent]:
        """The chain's events in the order of their admission, of each agency a few more than are computed."""
        return events_of(self._sql, self._catalog, chain)

    def _book(self, chain: str, told_ms: int | None, events: int) -> ChainBook:
        if told_ms is None:
            book = ChainBook(chain, calendars=self.calendars)
            # Taken before and emptied since, by a new version of these tables: entered again without a word.
            for event in self.events(chain) if events else ():
                book.take(event)
            return book
        duties = self._sql.rows(f"{DUTIES} WHERE chain = ?", (chain,))
        shares = Shares()
        return ChainBook(
            chain,
            fold([event for event in self.events(chain) if shares.takes(event)]),
            to_datetime(told_ms),
            {entry.duty.id: entry for entry in map(duty_entry, duties)},
            {finding.id: finding for finding in self.findings(chain)},
            shares,
            self.calendars,
        )

    def save(self, entries: Iterable[Entries]) -> None:
        """Writes chains, and what was entered of duties and findings."""
        chains: list[tuple[Any, ...]] = []
        duties: list[tuple[Any, ...]] = []
        findings: list[tuple[Any, ...]] = []
        for of_chain in entries:
            if of_chain.chain is not None:
                chains.append(of_chain.chain)
            duties.extend(of_chain.duties)
            findings.extend(of_chain.findings)
        self._sql.many(SAVE_CHAIN, chains)
        self._sql.many(SAVE_DUTY, duties)
        self._sql.many(SAVE_FINDING, findings)

    # --- chains that are set aside --------------------------------------------------------------------

    def put_aside(self, held: Iterable[SetAside]) -> None:
        """Sets chains aside: no time passes in them either."""
        rows = [set_aside_row(one) for one in held]
        self._sql.many(SAVE_SET_ASIDE, rows)
        self._sql.many("UPDATE recon_chain SET wake_ms = NULL WHERE chain = ?", [(row[0],) for row in rows])

    def set_aside(self, partitions: Sequence[int]) -> list[SetAside]:
        """The chains of these partitions that are set aside."""
        marks = ",".join("?" * len(partitions))
        rows = self._sql.rows(f"{SET_ASIDE} WHERE bus_partition IN ({marks}) ORDER BY chain", partitions)
        return [set_aside_of(row) for row in rows]

    def take_back(self, chains: Sequence[str]) -> None:
        """Ends that chains are set aside: what was computed of them before is dropped for what is now."""
        for table in ("recon_set_aside", "recon_chain", "recon_obligation", "recon_finding"):
            own = " AND link_kind IS NULL" if table == "recon_finding" else ""
            self._sql.many(f"DELETE FROM {table} WHERE chain = ?{own}", [(chain,) for chain in chains])
        for chain in chains:
            enter_kin(self._sql, chain, self.events(chain))

    def findings(self, chain: str) -> list[Finding]:
        """The findings of a chain by itself, as last entered."""
        rows = self._sql.rows(f"{FINDINGS} WHERE chain = ? AND link_kind IS NULL", (chain,))
        return [found_before(row) for row in rows]

    # --- what chains have in common -------------------------------------------------------------------

    def new_keys(self, limit: int) -> list[NewKey]:
        """Keys of events that nobody has looked at."""
        return [new_key(row) for row in self._sql.rows(NEW_KEYS, (limit,))]

    def linked(self, key: Key) -> Linked | None:
        """The events of a key, without what they say, if they stand in several chains."""
        return linked(key, map(known_event, self._sql.rows(OF_KEY, (*key, MOST_READ + 1))))

    def looked(self, keys: Iterable[NewKey]) -> None:
        """Marks these as looked at, and none that others have written since."""
        self._sql.many(
            "UPDATE recon_chain_key SET looked = 1 "
            "WHERE kind = ? AND key = ? AND admitted_ms = ? AND digest = ?",
            [(*new.key, new.admitted_ms, new.digest) for new in keys],
        )

    def found_before(self, ids: Iterable[UUID]) -> dict[UUID, Finding]:
        """Those of these findings that are entered."""
        rows = [row for id in ids for row in self._sql.rows(f"{FINDINGS} WHERE id = ?", (str(id),))]
        return {found.id: found for found in map(found_before, rows)}

    def save_links(self, rows: Sequence[tuple[Any, ...]]) -> None:
        """Enters what was found across chains."""
        self._sql.many(SAVE_FINDING, rows)

    # --- chains as they stand -------------------------------------------------------------------------

    def known_event(self, digest: Digest) -> ChainEvent | None:
        """A stored event as its headers show it."""
        rows = self._sql.rows(f"{OUTLINES} WHERE digest = ?", (digest,))
        return known_event(rows[0]) if rows else None

    def has_finding(self, finding: Finding) -> bool:
        """Whether the finding is entered."""
        return bool(self._sql.rows("SELECT 1 FROM recon_finding WHERE id = ?", (str(finding.id),)))

    def agencies(self, chain: str) -> set[str]:
        """Who spoke in a chain or was told of an event of it."""
        spoke = self._sql.rows("SELECT DISTINCT source FROM recon_event WHERE chain = ?", (chain,))
        told = self._sql.rows(
            "SELECT DISTINCT a.recipients FROM recon_event e JOIN recon_admission a "
            "ON a.bus_partition = e.bus_partition AND a.bus_offset = e.bus_offset WHERE e.chain = ?",
            (chain,),
        )
        return {agency_of_source(row[0]) for row in spoke}.union(*(told_agencies(row[0]) for row in told))

    def last_event(self, chain: str) -> Digest:
        """The event of a chain that was admitted last."""
        rows = self._sql.rows(
            "SELECT digest FROM recon_event WHERE chain = ? ORDER BY bus_offset DESC LIMIT 1", (chain,)
        )
        return bytes(rows[0][0])

    def waking(self, partitions: Sequence[int], now: datetime, limit: int) -> list[tuple[int, str]]:
        """(admission partition, chain) of chains in which time has something to change by now."""
        marks = ",".join("?" * len(partitions))
        rows = self._sql.rows(
            "SELECT bus_partition, chain FROM recon_chain "
            f"WHERE bus_partition IN ({marks}) AND wake_ms <= ? ORDER BY wake_ms, chain LIMIT ?",
            (*partitions, to_moment(now), limit),
        )
        return [(row[0], row[1]) for row in rows]

    # --- what is said ---------------------------------------------------------------------------------

    def bus_heads(self, producer: str) -> dict[Stream, StreamHead]:
        """The heads of one of our producers' streams."""
        rows = self._sql.rows(
            "SELECT topic, partition, seq, prev FROM recon_bus_stream WHERE producer = ?", (producer,)
        )
        return {Stream(producer, row[0], row[1]): StreamHead(row[2], bytes(row[3])) for row in rows}

    def save_bus_heads(self, heads: Mapping[Stream, StreamHead]) -> None:
        """Moves the heads of our streams."""
        self._sql.many(
            "INSERT INTO recon_bus_stream VALUES (?,?,?,?,?) ON CONFLICT (producer, topic, partition) "
            "DO UPDATE SET seq = excluded.seq, prev = excluded.prev",
            [(*stream, *head) for stream, head in heads.items()],
        )

    def say(
        self,
        fence: Fence,
        announcer: Announcer,
        all_said: Sequence[Said],
        traces: Mapping[Digest, str] = MappingProxyType({}),
    ) -> list[Waiting]:
        """Signs those that were never made and appends them to the outbox; gives what now waits.

        `traces` are the trace contexts of the events that cause them, as far as they had any.
        """
        new = self.not_said(all_said)
        heads = self.bus_heads(fence.producer) if new else {}
        waiting = self.put_out(fence, [announcer.compose(one, fence.producer, heads, traces) for one in new])
        self.save_bus_heads(heads)
        return waiting

    def not_said(self, all_said: Sequence[Said]) -> list[Said]:
        """Enters the announcements and gives those that were never made, in order."""
        first: dict[bytes, Said] = {}
        for one in all_said:
            first.setdefault(event_id(one.announcement).bytes, one)
        new = self._sql.insert_new("INSERT INTO recon_said", [(id,) for id in first], "event_id")
        ids = {bytes(row[0]) for row in new}
        return [one for id, one in first.items() if id in ids]

    def put_out(self, fence: Fence, announced: Sequence[Announced]) -> list[Waiting]:
        """Appends signed events to the partition's outbox; gives what now waits."""
        rows, waiting = [], []
        for event in announced:
            rows.append(outbox_row(fence.partition, fence.next_no, event))
            waiting.append(Waiting(fence.partition, fence.next_no, event.record))
            fence.next_no += 1
        self._sql.many("INSERT INTO recon_outbox VALUES (?,?,?,?,?,?,?,?,?,?,?,0)", rows)
        return waiting

    def waiting(self, partitions: Sequence[int], limit: int) -> list[Waiting]:
        """Outbox rows not known to be sent, of each partition in order."""
        found: list[Waiting] = []
        for partition in partitions:
            rows = self._sql.rows(
                "SELECT bus_partition, no, topic, partition, key, payload, headers FROM recon_outbox "
                "WHERE bus_partition = ? AND sent = 0 ORDER BY no LIMIT ?",
                (partition, limit),
            )
            found.extend(waiting_row(row) for row in rows)
        return found

    def sent(self, rows: Iterable[Waiting]) -> None:
        """Marks outbox rows as acknowledged by Kafka: of each partition all that waited up to its last."""
        spans: dict[int, tuple[int, int]] = {}
        for row in rows:
            first, last = spans.get(row.partition, (row.no, row.no))
            spans[row.partition] = (min(first, row.no), max(last, row.no))
        self._sql.many(
            "UPDATE recon_outbox SET sent = 1 WHERE bus_partition = ? AND no BETWEEN ? AND ?",
            [(partition, *span) for partition, span in spans.items()],
        )
