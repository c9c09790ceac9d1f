"""What a run of records adds to a log: pure, the same for every database."""

import re
from binascii import unhexlify
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, NamedTuple

from casebus_schemas.errors import Divergence, Gap, RetryLater
from casebus_schemas.evidence.leaf import leaf, leaf_hash
from casebus_schemas.evidence.leaf_run import leaf_run
from casebus_schemas.evidence.merkle import Tile, TiledTree
from casebus_schemas.wire.records import Batch, Headers, Record

ORIGIN = "casebus/{topic}/{partition}"
"""Name of a log for outsiders; the first generation of a topic carries no number."""

_UUID = re.compile(rb"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")


class Fenced(RetryLater):
    """Another writer has extended the log since this one last read it: read it again."""


@dataclass(slots=True)
class EntryColumns:
    """Rows of table `entry`, column by column in the table's order, as databases take them.

    A row for each entry would be made only to be taken apart. `event_id` is the header `ce_id` where it is a
    UUID, else None.
    """

    log_id: list[int] = field(default_factory=list)
    idx: list[int] = field(default_factory=list)
    koffset: list[int] = field(default_factory=list)
    event_id: list[bytes | None] = field(default_factory=list)
    key: list[bytes | None] = field(default_factory=list)
    headers: list[bytes] = field(default_factory=list)
    value_sha256: list[bytes | None] = field(default_factory=list)
    leaf: list[bytes] = field(default_factory=list)
    leaf_hash: list[bytes] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.idx)

    def rows(self) -> Iterator[tuple[Any, ...]]:
        """Row by row."""
        columns = (self.log_id, self.idx, self.koffset, self.event_id, self.key)
        return zip(*columns, self.headers, self.value_sha256, self.leaf, self.leaf_hash, strict=True)


class BatchRow(NamedTuple):
    """A row of table `batch`: the log's state after an append, and its fence (log_id, start_index)."""

    log_id: int
    start_index: int
    end_index: int
    first_offset: int
    last_offset: int
    next_offset: int
    root: bytes
    frontier: bytes
    writer: str
    committed_at: int


class TileRow(NamedTuple):
    """A row of table `tile`: a full tile."""

    log_id: int
    level: int
    idx: int
    root: bytes
    hashes: bytes


@dataclass(frozen=True, slots=True)
class BatchResult:
    """What an append did to one log: entries [start, end), the root over `end`, how many were repeats."""

    topic: str
    partition: int
    start: int
    end: int
    root: bytes
    repeats: int = 0


@dataclass(slots=True)
class LogState:
    """A log as its writer knows it: its tree, and the Kafka offset that comes next."""

    log_id: int
    tree: TiledTree
    next_offset: int


@dataclass(slots=True)
class NewRows:
    """Rows to be stored next, of one or several logs. Payloads by value digest."""

    batches: list[BatchRow] = field(default_factory=list)
    entries: EntryColumns = field(default_factory=EntryColumns)
    payloads: dict[bytes, bytes] = field(default_factory=dict)
    tiles: list[TileRow] = field(default_factory=list)


Insert = Callable[[NewRows], None]
"""Stores rows within the caller's transaction."""


def merge_runs(batches: Sequence[Batch]) -> list[Batch]:
    """One batch for each topic-partition, runs of the same one joined in order.

    Raises Divergence if offsets do not rise.
    """
    runs: dict[tuple[str, int], list[Batch]] = {}
    for batch in batches:
        runs.setdefault((batch.topic, batch.partition), []).append(batch)
    merged = []
    for (topic, partition), parts in runs.items():
        first = parts[0]
        records = first.records if len(parts) == 1 else [r for part in parts for r in part.records]
        offsets = [record.offset for record in records]
        if any(later <= sooner for sooner, later in pairwise(offsets)):
            raise Divergence(
                "offsets of a fetched run do not rise",
                found=offsets[:20],
                topic=topic,
                partition=partition,
                remedy="this cannot come from Kafka: report it with the log of the worker",
            )
        merged.append(Batch(topic, partition, records, parts[-1].next_offset, first.begin))
    return merged


def split_repeats(batch: Batch, next_offset: int) -> tuple[Sequence[Record], Sequence[Record]]:
    """Records below the log's next offset, and the rest."""
    records = batch.records
    if not records or records[0].offset >= next_offset:
        return (), records
    at = next((i for i, record in enumerate(records) if record.offset >= next_offset), len(records))
    return records[:at], records[at:]


def check_repeats(repeats: Sequence[Record], stored: dict[int, bytes]) -> None:
    """Compares repeated records with the leaf hashes stored at their offsets.

    Raises Divergence if a record differs or none was recorded at its offset: dropping it as a repeat would
    hide that the topic was re-created, or a broker lost records and gave their offsets to others.
    """
    for record in repeats:
        found, expected = leaf_hash(leaf(record)), stored.get(record.offset)
        if found != expected:
            raise Divergence(
                "Kafka holds another record than the ledger at the same offset",
                found=f"leaf hash {found.hex()}",
                expected=f"leaf hash {expected.hex()}" if expected else "no record at this offset",
                topic=record.topic,
                partition=record.partition,
                offset=record.offset,
                remedy="keep both; find out whether the topic was re-created or a broker lost data",
            )


def check_contiguous(run: Batch, first: Record, next_offset: int, confirmed: int | None) -> None:
    """A run must begin at the log's next offset, or at the offset that Kafka confirmed to follow it.

    Holes inside a fetched run, and between where its reading began and its first record, are Kafka's own
    (markers of transactions, what was aborted); one before it may be a lost run. Raises Gap.
    """
    read_on = run.begin is not None and run.begin <= next_offset
    if not read_on and first.offset not in (next_offset, confirmed):
        raise Gap(
            "records between the ledger and the received run are missing",
            found=f"offset {first.offset}",
            expected=f"offset {next_offset}",
            topic=first.topic,
            partition=first.partition,
            offset=first.offset,
            remedy="if Kafka has deleted them (retention, DeleteRecords) restore the topic; never skip them",
        )


def grow(state: LogState, records: Sequence[Record], rows: NewRows) -> None:
    """Adds records to the log's tree and, as entries, payloads and full tiles, to `rows`."""
    made = leaf_run(records)
    start, entries = state.tree.size, rows.entries
    entries.log_id.extend([state.log_id] * len(records))
    entries.idx.extend(range(start, start + len(records)))
    entries.koffset.extend([record.offset for record in records])
    entries.event_id.extend([event_id(record.headers) for record in records])
    entries.key.extend([record.key for record in records])
    entries.headers.extend(made.headers)
    entries.value_sha256.extend(made.value_digests)
    entries.leaf.extend(made.leaves)
    entries.leaf_hash.extend(made.hashes)
    for digest, record in zip(made.value_digests, records, strict=True):
        if digest is not None and record.value is not None:
            rows.payloads[digest] = record.value
    rows.tiles.extend(tile_row(state.log_id, tile) for tile in state.tree.extend(made.hashes))


def close_batch(
    state: LogState, start: int, batch: Batch, fresh: Sequence[Record], *, writer: str, now_ms: int
) -> BatchRow:
    """The batch row of an append of `fresh` records (at least one) that began at index `start`."""
    state.next_offset = max(batch.next_offset, fresh[-1].offset + 1)
    tree = state.tree
    return BatchRow(
        state.log_id,
        start,
        tree.size,
        fresh[0].offset,
        fresh[-1].offset,
        state.next_offset,
        tree.root(),
        tree.frontier.to_bytes(),
        writer,
        now_ms,
    )


def tile_row(log_id: int, tile: Tile) -> TileRow:
    """A full tile as its row."""
    return TileRow(log_id, tile.level, tile.index, tile.root, tile.hashes)


def event_id(headers: Headers) -> bytes | None:
    """The 16 bytes of the first `ce_id` if it is a UUID in lower case, else None."""
    for name, value in headers:
        if name == "ce_id":
            if value is not None and _UUID.match(value):
                return unhexlify(value.replace(b"-", b""))
            return None
    return None
