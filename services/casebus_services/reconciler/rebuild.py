"""Accounts, obligations and findings anew from what arrived, compared row for row with the grown ones."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from casebus_schemas.admission.verdict import Admission, Origin
from casebus_schemas.case.chain import Digest
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.times import to_datetime, utc_text
from casebus_schemas.wire.headers import CONTENT_TYPE, EventHeaders
from casebus_schemas.wire.stream_head import Stream, StreamHead

from .arrivals import Arrival
from .book import ChainBook
from .database import Database, Transaction
from .intake import Intake, Shelf
from .rows import chain_row, duty_row, finding_row

_STEP = 500


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What a rebuild found: how much it read, and each row that is not as it should be."""

    chains: int
    events: int
    differences: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether the grown tables are what the arrivals give."""
        return not self.differences


def rebuild(database: Database, catalog: Catalog, arrivals: Iterable[Arrival] | None = None) -> Rebuilt:
    """Replays the admissions, stored ones or given ones (from Kafka), and compares. Writes and emits nothing.

    Given arrivals are those of bus.admission, each partition from its beginning in offset order.
    """
    ground = _Memory()
    with database.reading() as transaction:
        for part in _parts(_stored(transaction) if arrivals is None else arrivals):
            intake = Intake(ground, catalog, Shelf())
            intake.take(part)
            ground.keep(intake.touched())
        told = {
            row[0]: to_datetime(row[1]) for row in transaction.rows("SELECT chain, told_ms FROM recon_chain")
        }
        for chain, (_, book) in ground.shelf.items():
            if chain in told:
                book.advance(told[chain])
        differences = [
            *_compare("recon_chain", _rows(transaction, "recon_chain", "chain"), ground.chain_rows()),
            *_compare("recon_obligation", _rows(transaction, "recon_obligation", "id"), ground.duty_rows()),
            *_compare("recon_finding", _rows(transaction, "recon_finding", "id"), ground.finding_rows()),
        ]
    events = sum(len(book.folded.order) for _, book in ground.shelf.values())
    return Rebuilt(len(ground.shelf), events, tuple(differences))


class _Memory:
    """The ground of a rebuild."""

    def __init__(self) -> None:
        self.shelf: dict[str, tuple[int, ChainBook]] = {}
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

    def add_events(self, arrivals: Sequence[Arrival]) -> None:
        pass

    def was_refused(self, stream: Stream, digest: Digest) -> bool:
        return (stream.topic, stream.partition, digest) in self._refused

    def heads(self, streams: Iterable[Stream]) -> dict[Stream, StreamHead]:
        return {stream: self._heads[stream] for stream in streams if stream in self._heads}

    def save_heads(self, heads: dict[Stream, StreamHead]) -> None:
        self._heads.update(heads)

    def books(self, chains: Iterable[str]) -> dict[str, ChainBook]:
        return {chain: self.shelf[chain][1] if chain in self.shelf else ChainBook(chain) for chain in chains}

    def keep(self, books: Iterable[tuple[int, ChainBook]]) -> None:
        self.shelf.update((book.chain, (partition, book)) for partition, book in books)

    def chain_rows(self) -> list[tuple[Any, ...]]:
        return [chain_row(partition, book) for partition, book in self.shelf.values()]

    def duty_rows(self) -> list[tuple[Any, ...]]:
        return [duty_row(e) for _, book in self.shelf.values() for e in book.duties.values()]

    def finding_rows(self) -> list[tuple[Any, ...]]:
        return [finding_row(e) for _, book in self.shelf.values() for e in book.findings.values()]


def _stored(transaction: Transaction) -> Iterator[Arrival]:
    rows = transaction.rows(
        "SELECT a.topic, a.partition, a.koffset, a.attempt, a.bus_partition, a.bus_offset, a.verdict, "
        "a.digest, a.admitted_ms, e.chain, e.event_id, e.type, e.source, e.time_ms, e.producer, e.seq, "
        "e.prev, e.value "
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
        recipients=(),
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


def _parts(arrivals: Iterable[Arrival]) -> Iterator[list[Arrival]]:
    part: list[Arrival] = []
    for arrived in arrivals:
        part.append(arrived)
        if len(part) == _STEP:
            yield part
            part = []
    if part:
        yield part


def _rows(transaction: Transaction, table: str, order: str) -> list[tuple[Any, ...]]:
    rows = transaction.rows(f"SELECT * FROM {table} ORDER BY {order}")
    return [tuple(bytes(v) if isinstance(v, memoryview) else v for v in row) for row in rows]


def _compare(table: str, grown: list[tuple[Any, ...]], anew: list[tuple[Any, ...]]) -> Iterator[str]:
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
