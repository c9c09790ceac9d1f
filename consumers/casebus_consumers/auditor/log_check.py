"""Walks one log: entries, batch rows, tiles, each against the others, naming the rows that do not fit."""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, pairwise
from typing import Any

from casebus_schemas.evidence.epoch import is_origin
from casebus_schemas.evidence.merkle import TILE_WIDTH
from casebus_services.ledger.appending import ORIGIN, BatchRow

from .cut_check import CutCheck
from .damage import LogSummary, VerifyReport
from .entry_check import HEAD, Fitting, check_entry, check_epoch_entry
from .ledger_rows import LedgerRows, LogRow, StoredEntry
from .root_check import RootCheck
from .tile_check import Hashes, LevelCheck, Suspect, check_upper_levels

STEP = 1000
"""Entries between two words of progress."""
MOST_MISSING = 100_000
"""A longer run of missing entries ends the check of tiles; the number may be a damaged one."""

Run = Sequence[Sequence[Any]]
"""Entries in order, each the columns of `StoredEntry`."""

Progress = Callable[[int], None]
"""Told how many more entries are done."""


class LogCheck:
    """One walk over one log. Memory stays small: one page of each table, and one hash a tile."""

    def __init__(self, rows: LedgerRows, log: LogRow, report: VerifyReport, progress: Progress) -> None:
        self._rows = rows
        self._log = log
        self._report = report
        self._progress = progress
        self._entries = _Feed(rows.entry_pages(log.log_id))
        self._fitting = Fitting(log.topic, log.partition)
        self._roots = RootCheck(self._note)
        self._cuts = CutCheck(rows.heads_of(log.log_id), self._note)
        self._next_index = 0
        self._last_offset = -1
        self._open: Hashes = []
        self._lost = False
        self._level = LevelCheck(rows, log.log_id, log.origin, 0, report)
        self._suspects: list[Suspect] = []

    def run(self) -> None:
        """Checks everything of this log."""
        self._check_log_row()
        last: BatchRow | None = None
        batches = self._rows.batches(self._log.log_id)
        for batch, following in pairwise(chain(batches, (None,))):
            assert batch is not None
            self._check_batch(batch, last, following)
            last = batch
        self._check_tail(last)
        self._cuts.finish(self._next_index)
        self._roots.finish()
        self._settle_suspects()
        if not self._lost:
            self._level.finish()
            check_upper_levels(self._rows, self._log.log_id, self._log.origin, self._level, self._report)
        if last is not None:
            summary = LogSummary(self._log.origin, last.end_index, last.root, last.next_offset)
            if self._log.kind == HEAD:
                self._report.head = summary
            else:
                self._report.logs.append(summary)

    def _check_log_row(self) -> None:
        log = self._log
        if log.kind == HEAD:
            expected = log.origin if is_origin(log.origin) else "a name in printable ASCII"
        else:
            expected = ORIGIN.format(topic=log.topic, partition=log.partition)
        if (log.origin, log.hash_alg, log.generation) != (expected, "sha256", 1):
            found = f"{log.origin}, {log.hash_alg}, generation {log.generation}"
            self._note("log", f"log_id {log.log_id}", found, f"{expected}, sha256, generation 1")

    def _check_batch(self, batch: BatchRow, last: BatchRow | None, following: BatchRow | None) -> None:
        row = f"start_index {batch.start_index}"
        begins = last.end_index if last else 0
        if batch.start_index > begins:
            self._note("batch", f"start_index {begins}", f"no row before {batch.start_index}", "a row")
        end = batch.end_index
        if following is not None and following.start_index < end:
            end = following.start_index
            self._note("batch", row, f"end_index {batch.end_index}", f"{end}, where the next row begins")
        if last and batch.first_offset < last.next_offset:
            self._note("batch", row, f"first_offset {batch.first_offset}", f"at least {last.next_offset}")
        if batch.next_offset <= batch.last_offset:
            self._note("batch", row, f"next_offset {batch.next_offset}", f"more than {batch.last_offset}")
        self._consume(batch.start_index)
        first, final = self._consume(end)
        if first is not None and first.idx == batch.start_index and first.koffset != batch.first_offset:
            self._note("batch", row, f"first_offset {batch.first_offset}", f"{first.koffset} by entry")
        if final is not None and final.idx == end - 1 and final.koffset != batch.last_offset:
            self._note("batch", row, f"last_offset {batch.last_offset}", f"{final.koffset} by entry")
        self._roots.check(batch, end)

    def _check_tail(self, last: BatchRow | None) -> None:
        """Entries after the last batch row have lost it."""
        first, final = self._consume(None)
        if first is not None and final is not None:
            row = f"start_index {last.end_index if last else 0}"
            self._note("batch", row, f"no row, though entries {first.idx} to {final.idx} exist", "a row")

    def _consume(self, end: int | None) -> tuple[StoredEntry | None, StoredEntry | None]:
        """Checks the entries below index `end` (None: all) and adds them to the tree: the first and last."""
        first = final = None
        # The next entry may lie beyond a border, where some are missing.
        while run := self._entries.take(self._until(end)) or self._entries.take(end, most=1):
            if not self._check_run(run):
                for columns in run:
                    row = StoredEntry._make(columns)
                    self._fill_missing(row.idx)
                    self._check_one(row)
            first, final = first or StoredEntry._make(run[0]), StoredEntry._make(run[-1])
        if end is not None:
            self._fill_missing(end)
        return first, final

    def _until(self, end: int | None) -> int | None:
        """How far entries may be taken at once: to the end of a tile, or to what an epoch says of the log."""
        if self._log.kind == HEAD or self._lost:
            return end
        borders = [(self._next_index // TILE_WIDTH + 1) * TILE_WIDTH]
        if end is not None:
            borders.append(end)
        if self._cuts.open:
            borders.append(self._next_index + 1)
        if self._cuts.size > self._next_index:
            borders.append(self._cuts.size)
        return min(borders)

    def _check_run(self, run: Run) -> bool:
        """Takes in entries that follow each other and fit, all at once; False if each must be looked at."""
        count = len(run)
        if (
            self._log.kind == HEAD
            or self._lost
            or self._cuts.open
            or (run[0][0], run[-1][0]) != (self._next_index, self._next_index + count - 1)
        ):
            return False
        hashes = self._fitting.hashes(run, self._last_offset)
        if hashes is None:
            return False
        self._next_index += count
        self._last_offset = run[-1][1]
        self._roots.extend(hashes)
        if self._next_index == self._cuts.size:
            self._cuts.reach(self._roots.root(), self._last_offset)
        self._open += hashes
        if len(self._open) == TILE_WIDTH:
            self._suspects += self._level.close(self._open)
            self._open = []
        self._count(count)
        return True

    def _count(self, more: int) -> None:
        before, self._report.entries = self._report.entries, self._report.entries + more
        if before // STEP != self._report.entries // STEP:
            self._progress(STEP)

    def _fill_missing(self, until: int) -> None:
        """Notes the entries that should stand before index `until` and do not."""
        first, missing = self._next_index, until - self._next_index
        if missing <= 0:
            return
        where = f"index {first}" if missing == 1 else f"index {first} to {until - 1}"
        self._note("entry", where, "no row", "a row")
        if missing > MOST_MISSING:
            self._next_index, self._lost = until, True
            self._roots.grow(None)
            return
        for _ in range(missing):
            self._grow(None)

    def _check_one(self, row: StoredEntry) -> None:
        index = row.idx

        def note(column: str, found: str, expected: str) -> None:
            self._note("entry", f"index {index}, {column}", found, expected)

        if self._log.kind == HEAD:
            settled = check_epoch_entry(row, note)
        else:
            settled = check_entry(self._log.topic, self._log.partition, row, note)
        if self._cuts.open:
            self._cuts.follow(index, row.koffset)
        if row.koffset <= self._last_offset:
            pair = f"index {index - 1} to {index}, koffset"
            self._note("entry", pair, f"{self._last_offset}, then {row.koffset}", "rising offsets")
        self._last_offset = row.koffset
        if row.value_sha256 is not None and row.payload_length is None:
            where = f"value_sha256 {row.value_sha256.hex()}"
            order = self._report.order_for(row.value_sha256)
            if order is None:
                self._note("payload", where, "no row", f"the value of entry {index}")
            else:
                self._report.drop(self._log.origin, index, order)
        self._grow(settled)
        if self._log.kind == HEAD:
            return
        self._count(1)

    def _grow(self, leaf_hash: bytes | None) -> None:
        """One more leaf; None if its row does not settle its hash."""
        self._next_index += 1
        self._roots.grow(leaf_hash)
        if self._next_index == self._cuts.size:
            self._cuts.reach(self._roots.root(), self._last_offset)
        if self._lost:
            return
        self._open.append(leaf_hash)
        if len(self._open) == TILE_WIDTH:
            self._suspects += self._level.close(self._open)
            self._open = []

    def _settle_suspects(self) -> None:
        """Where an entry and its tile disagree, the batch's root is the judge."""
        named: set[tuple[int, int]] = set()
        for suspect in self._suspects:
            run = self._roots.run_at_fault(suspect.index)
            if run is None:
                self._level.blame(suspect)
            else:
                named.add(run)
                found = f"leaf hash {suspect.by_entry.hex()}"
                expected = f"{suspect.by_tile.hex()} by its tile and batch"
                self._note("entry", f"index {suspect.index}", found, expected)
        self._roots.name_runs_at_fault(but=named)

    def _note(self, table: str, row: str, found: str, expected: str) -> None:
        self._report.add(table, self._log.origin, row, found=found, expected=expected)


class _Feed:
    """Entries in order, taken in runs up to a given index."""

    def __init__(self, pages: Iterator[Run]) -> None:
        self._pages = pages
        self._page: Run = ()
        self._at = 0

    def take(self, until: int | None, most: int | None = None) -> Run:
        """The next entries of an index below `until` (None: any), as many as are read; empty if none is."""
        if self._at == len(self._page):
            self._page, self._at = next(self._pages, ()), 0
        page, at = self._page, self._at
        end = len(page)
        if until is not None and page and page[-1][0] >= until:
            end = bisect_left(page, until, lo=at, key=_index)
        if most is not None:
            end = min(end, at + most)
        self._at = end
        return page[at:end]


def _index(row: Sequence[Any]) -> int:
    index: int = row[0]
    return index
