"""Accounts, obligations and findings anew from what arrived, compared row for row with the grown ones."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple, cast
from uuid import UUID

from casebus_schemas.admission.verdict import Admission, Origin, Recipient, Role
from casebus_schemas.agencies import BUS
from casebus_schemas.case.chain import ChainEvent, Digest
from casebus_schemas.case.chain_keys import all_linked
from casebus_schemas.case.kin import KINDS, all_kin
from casebus_schemas.case.statements import Comparison, Heard, last_statements
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.law.calendars import Calendars
from casebus_schemas.rules.across import r66
from casebus_schemas.rules.chain import r09
from casebus_schemas.rules.finding import Finding
from casebus_schemas.rules.register import KEY_KINDS
from casebus_schemas.rules.running import run_kin, run_linked
from casebus_schemas.times import beijing_text, to_datetime, utc_text
from casebus_schemas.wire.headers import CONTENT_TYPE, EventHeaders
from casebus_schemas.wire.stream_head import Stream, StreamHead

from .accounts_database import Database, Transaction
from .arrivals import Arrival
from .book import ChainBook
from .compared import compared, looked_at, stated_until
from .entered_notices import entered_calendars
from .intake import Intake
from .kin_store import MOVED
from .rows import PUBLISHED, SET_ASIDE, STATED, finding_row, set_aside_of
from .set_aside import SetAside
from .shelf import Shelf

_STEP = 500
Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What a rebuild found: how much it read, and each row that is not as it should be.

    `set_aside` says of each chain that is set aside why, and whether this program can compute it. Its rows
    are not compared: they stand as they were.
    """

    chains: int
    events: int
    differences: tuple[str, ...]
    set_aside: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether the grown tables are what the arrivals give."""
        return not self.differences


def rebuild(database: Database, catalog: Catalog, arrivals: Iterable[Arrival] | None = None) -> Rebuilt:
    """Replays the admissions, stored ones or given ones (from Kafka), and compares. Writes and emits nothing.

    Given arrivals are those of bus.admission, each partition from its beginning in offset order.
    """
    with database.reading() as transaction:
        calendars = entered_calendars(transaction)
        ground = _Memory(calendars)
        for part in _parts(_stored(transaction) if arrivals is None else arrivals):
            intake = Intake(ground, catalog, Shelf(), calendars=calendars)
            intake.take(part)
            ground.keep(intake)
        told = transaction.rows("SELECT chain, bus_partition, told_ms FROM recon_chain")
        for chain, partition, told_ms in told:
            intake = Intake(ground, catalog, Shelf(), calendars=calendars)
            intake.pass_time([(partition, chain)], to_datetime(told_ms))
            ground.keep(intake)
        held = {row[0]: set_aside_of(row) for row in transaction.rows(SET_ASIDE)}
        ground.link()
        looked = {} if held or ground.set_aside else looked_at(transaction)
        ground.compare(looked, catalog)
        stated = {} if held or ground.set_aside else stated_until(transaction)
        ground.compare_statements(stated)
        keys = transaction.rows("SELECT DISTINCT kind, key FROM recon_chain_key WHERE looked = 0")
        ahead = {tuple(row) for row in (*keys, *transaction.rows(MOVED))}
        for chain in held:
            rows = transaction.rows("SELECT kind, key FROM recon_kin WHERE chain = ?", (chain,))
            ahead.update(tuple(row) for row in rows)
        ends = {PUBLISHED: looked, STATED: stated}
        differences = [
            line
            for table, columns in _TABLES.items()
            for line in _compare(
                table,
                _without(_rows(transaction, table, columns.order), columns, held.keys(), ahead, ends),
                _without(ground.rows[table].values(), columns, held.keys(), ahead, ends),
            )
        ]
    differences.extend(
        f"recon_chain {chain}: cannot be computed here: {aside.reason}"
        for chain, aside in sorted(ground.set_aside.items())
        if chain not in held
    )
    events = sum(ground.events.values())
    return Rebuilt(
        len(ground.events), events, tuple(differences), tuple(_aside(one, ground) for one in held.values())
    )


class _Columns(NamedTuple):
    """The order of a table's rows, which column names the chain, and which two the key across chains."""

    order: str
    chain: int
    link: slice = slice(0, 0)


_TABLES = {
    "recon_chain": _Columns("chain", 0),
    "recon_obligation": _Columns("id", 1),
    "recon_finding": _Columns("id", 1, slice(8, 10)),
}


def _without(
    rows: Iterable[Row],
    columns: _Columns,
    chains: Collection[str],
    keys: Collection[Row],
    looked: Mapping[str, Collection[int]],
) -> list[Row]:
    """The rows of other chains and keys than these, and without what is said of a chain as a whole.

    What was found of figures and statements is left out if nothing was `looked` at; it and what was found of
    kin where it is mended since: the events alone do not tell what stood in between.
    """
    return [row for row in rows if _compared(row, columns, chains, keys, looked)]


def _compared(
    row: Row,
    columns: _Columns,
    chains: Collection[str],
    keys: Collection[Row],
    looked: Mapping[str, Collection[int]],
) -> bool:
    link = row[columns.link]
    if link and link[0] in looked:
        return bool(looked[link[0]]) and row[5] != "closed"
    if any(link):
        return link not in keys and not (link[0] in KINDS and row[5] == "closed")
    chain = row[columns.chain]
    return chain not in chains and row[0] != str(r09.set_aside_id(chain))


def _aside(held: SetAside, ground: "_Memory") -> str:
    here = ground.set_aside.get(held.chain)
    now = "can be computed now: redrive it" if here is None else f"cannot be computed here: {here.reason}"
    return f"{held.chain}: set aside since {beijing_text(held.since)}, {held.reason}; {now}"


class _Memory:
    """The ground of a rebuild."""

    def __init__(self, calendars: Calendars) -> None:
        self._calendars = calendars
        self.rows: dict[str, dict[str, Row]] = {table: {} for table in _TABLES}
        self.set_aside: dict[str, SetAside] = {}
        self.events: Counter[str] = Counter()
        self._books: dict[str, ChainBook] = {}
        self._outlines: dict[Digest, ChainEvent] = {}
        self._told: dict[Digest, frozenset[str]] = {}
        self._places: dict[Digest, tuple[int, int]] = {}
        self._seen: set[tuple[Origin, int]] = set()
        self._heads: dict[Stream, StreamHead] = {}
        self._refused: set[tuple[str, int, Digest]] = set()

    def add_admissions(self, arrivals: Sequence[Arrival]) -> list[Arrival]:
        first = []
        for arrived in arrivals:
            admission = arrived.admission
            key = (admission.origin, admission.attempt)
            if key in self._seen:
                continue
            self._seen.add(key)
            first.append(arrived)
            if not admission.admitted and arrived.digest:
                self._refused.add((admission.origin.topic, admission.origin.partition, arrived.digest))
        return first

    def leave_admissions(self, arrivals: Sequence[Arrival]) -> None:
        raise AssertionError("a rebuild takes its time")

    def add_events(self, arrivals: Sequence[Arrival]) -> None:
        for arrived in arrivals:
            outline = arrived.outline()
            self._outlines[outline.digest] = outline
            self._places[outline.digest] = (arrived.partition, arrived.offset)
            self._told[outline.digest] = frozenset(told.agency for told in arrived.admission.recipients)
            self.events[outline.chain] += 1

    def was_refused(self, stream: Stream, digest: Digest) -> bool:
        return (stream.topic, stream.partition, digest) in self._refused

    def heads(self, streams: Iterable[Stream]) -> dict[Stream, StreamHead]:
        return {stream: self._heads[stream] for stream in streams if stream in self._heads}

    def save_heads(self, heads: dict[Stream, StreamHead]) -> None:
        self._heads.update(heads)

    def held(self, chains: Sequence[str]) -> set[str]:
        return {chain for chain in chains if chain in self.set_aside}

    def books(self, chains: Sequence[str]) -> dict[str, Callable[[], ChainBook]]:
        return {chain: partial(self._book, chain) for chain in chains}

    def _book(self, chain: str) -> ChainBook:
        return self._books[chain] if chain in self._books else self._new(chain)

    def _new(self, chain: str) -> ChainBook:
        return ChainBook(chain, calendars=self._calendars)

    def known_event(self, digest: Digest) -> ChainEvent | None:
        return self._outlines.get(digest)

    def has_finding(self, finding: Finding) -> bool:
        return str(finding.id) in self.rows["recon_finding"]

    def agencies(self, chain: str) -> set[str]:
        return {event.agency for event in self._outlines.values() if event.chain == chain}

    def last_event(self, chain: str) -> Digest:
        return [digest for digest, event in self._outlines.items() if event.chain == chain][-1]

    def link(self) -> None:
        """Enters what the events of several chains show together."""
        events = (replace(event, told=self._told[event.digest]) for event in self._outlines.values())
        for sharing in all_linked(events, KEY_KINDS):
            for finding in run_linked(sharing):
                self.rows["recon_finding"][str(finding.id)] = finding_row(finding, sharing.key)
        folded = {chain: book.folded for chain, book in self._books.items()}
        for kin in all_kin(folded, self.events):
            for finding in run_kin(kin):
                self.rows["recon_finding"][str(finding.id)] = finding_row(finding, kin.key)

    def compare(self, looked: Mapping[int, int], catalog: Catalog) -> None:
        """Enters what is found of published figures by the events up to there."""
        if not looked:
            return
        folded = [book.folded for book in self._books.values()]
        chains = [
            [*map(each.repeats.as_said, each.by_digest.values()), *each.repeats.said.values()]
            for each in folded
        ]
        until = [[event for event in chain if self._stands(event, looked)] for chain in chains]
        for finding in compared(until, catalog):
            self.rows["recon_finding"][str(finding.id)] = finding_row(finding, (PUBLISHED, finding.chain))

    def compare_statements(self, looked: Mapping[int, int]) -> None:
        """Enters what is found of statements of account by the events up to there."""
        events = [event for book in self._books.values() for event in book.folded.events]
        comparison = Comparison(last_statements(e for e in events if self._stands(e, looked)))
        if not comparison.statements:
            return
        for event in sorted(self._outlines.values(), key=lambda event: event.chain):
            if event.agency != BUS and self._stands(event, looked):
                told = self._told[event.digest]
                one = Heard(event.digest, event.agency, told, event.admitted_at)
                comparison.take(event.chain, one)
        for finding in r66.compared(comparison.finish()):
            self.rows["recon_finding"][str(finding.id)] = finding_row(finding, (STATED, finding.chain))

    def _stands(self, event: ChainEvent, looked: Mapping[int, int]) -> bool:
        partition, offset = self._places[event.digest]
        return offset < looked.get(partition, 0)

    def keep(self, intake: Intake) -> None:
        self.set_aside.update(intake.set_aside)
        for _, book in intake.books():
            if isinstance(book, ChainBook):
                self._books[book.chain] = book
            else:
                self._books.pop(book.chain, None)
        for entries in intake.entries:
            if entries.chain is not None:
                self.rows["recon_chain"][entries.chain[0]] = entries.chain
            self.rows["recon_obligation"].update((row[0], row) for row in entries.duties)
            self.rows["recon_finding"].update((row[0], row) for row in entries.findings)


def _stored(transaction: Transaction) -> Iterator[Arrival]:
    rows = transaction.rows(
        "SELECT a.topic, a.partition, a.koffset, a.attempt, a.bus_partition, a.bus_offset, a.verdict, "
        "a.digest, a.admitted_ms, e.chain, e.event_id, e.type, e.source, e.time_ms, e.producer, e.seq, "
        "e.prev, e.value, a.recipients "
        "FROM recon_admission a LEFT JOIN recon_event e ON e.digest = a.digest AND a.verdict = 'admitted' "
        "ORDER BY a.bus_partition, a.bus_offset"
    )
    for row in rows:
        yield _stored_arrival(row)


def _stored_arrival(row: Sequence[Any]) -> Arrival:
    digest = None if row[7] is None else bytes(row[7])
    admission = Admission(
        origin=Origin(row[0], row[1], row[2]),
        attempt=row[3],
        verdict=row[6],
        code=None,
        detail=None,
        digest=digest,
        recipients=_recipients(row[18]),
        catalogue="",
        keyring="",
        admitted_at_ms=row[8],
    )
    headers = None
    if row[9] is not None:
        headers = EventHeaders(
            id=UUID(row[10]),
            type=row[11],
            source=row[12],
            time_ms=row[13],
            time=utc_text(row[13]),
            subject=row[9],
            fingerprint=b"",
            content_type=CONTENT_TYPE,
            traceparent=None,
            producer=row[14],
            seq=row[15],
            prev=bytes(row[16]),
            sig=b"",
        )
    return Arrival(admission, row[4], row[5], headers, digest, None if row[17] is None else bytes(row[17]))


def _recipients(text: str | None) -> tuple[Recipient, ...]:
    """Whom an admission told; the notices' own ids are not kept."""
    named = (entry.partition(":") for entry in (text or "").split(",") if entry)
    return tuple(Recipient(agency, cast(Role, role), UUID(int=0)) for agency, _, role in named)


def _parts(arrivals: Iterable[Arrival]) -> Iterator[list[Arrival]]:
    part: list[Arrival] = []
    for arrived in arrivals:
        part.append(arrived)
        if len(part) == _STEP:
            yield part
            part = []
    if part:
        yield part


def _rows(transaction: Transaction, table: str, order: str) -> list[Row]:
    rows = transaction.rows(f"SELECT * FROM {table} ORDER BY {order}")
    return [tuple(bytes(v) if isinstance(v, memoryview) else v for v in row) for row in rows]


def _compare(table: str, grown: list[Row], anew: list[Row]) -> Iterator[str]:
    """One line for each row that is missing, too many or different, by its first column."""
    before, after = {row[0]: row for row in grown}, {row[0]: row for row in anew}
    for key in sorted(before.keys() | after.keys()):
        if key not in before:
            yield f"{table} {key}: the row is missing"
        elif key not in after:
            yield f"{table} {key}: nothing that arrived gives this row"
        elif before[key] != after[key]:
            columns = [i for i, (a, b) in enumerate(zip(before[key], after[key], strict=True)) if a != b]
            yield f"{table} {key}: columns {columns} are not what the arrivals give"
