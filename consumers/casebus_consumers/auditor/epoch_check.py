"""Checks epochs, checkpoints and cosignatures: against the heads, the head log and the keys."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby

from casebus_schemas.evidence.checkpoint import Checkpoint
from casebus_schemas.evidence.cosignature import cosigned_at
from casebus_schemas.evidence.epoch import EpochLeaf, LogHead, log_origin
from casebus_schemas.evidence.merkle import Frontier, root_of
from casebus_schemas.evidence.signed_note import NoteSignature, SignedNote, VerifierKey

from .damage import VerifyReport
from .ledger_queries import EpochHeadRow
from .ledger_rows import CosignatureRow, LedgerRows, LogRow


@dataclass(frozen=True, slots=True)
class Trusted:
    """Keys that whoever verifies has brought; without the log's its signatures are not looked at."""

    log: VerifierKey | None = None
    witnesses: Mapping[str, VerifierKey] = field(default_factory=dict)


def check_epochs(rows: LedgerRows, head: LogRow | None, report: VerifyReport, trusted: Trusted) -> None:
    """Walks all epochs. The head log's own rows, and the heads' roots, are checked where logs are walked."""
    origin = head.origin if head is not None else None
    roots = _Epochs(rows, head, report).run() if head is not None else iter(())
    _check_checkpoints(rows, origin, roots, report, trusted)
    for row in rows.cosignatures():
        report.cosignatures += 1
        if problem := _cosignature_problem(row, trusted.witnesses):
            where = f"size {row.size}, {row.name}"
            report.add("cosignature", origin, where, found=problem[0], expected=problem[1])
    if head is None:
        for one in rows.heads():
            report.add("epoch_head", None, f"epoch {one.epoch}", found="a row", expected="a head log")
            break


class _Epochs:
    """Goes from epoch to epoch with the heads as they stand."""

    def __init__(self, rows: LedgerRows, head: LogRow, report: VerifyReport) -> None:
        self._rows = rows
        self._head = head
        self._report = report
        self._origins = {
            log.log_id: log_origin(head.origin, log.topic, log.partition, log.generation)
            for log in rows.logs()
        }
        self._hashes: dict[str, bytes] = {}

    def run(self) -> Iterator[tuple[int, bytes]]:
        """Number and root of the head log for every epoch, in order."""
        log = Frontier()
        sealed_at = 0
        groups = groupby(self._rows.heads(), lambda row: row.epoch)
        held = next(groups, None)
        for entry in self._rows.entries(self._head.log_id):
            number = entry.idx + 1
            while held is not None and held[0] < number:
                self._note("epoch_head", held[0], "rows", "none: there is no such epoch")
                held = next(groups, None)
            has_rows = held is not None and held[0] == number
            if held is not None and has_rows:
                self._take(held[1])
                held = next(groups, None)
            try:
                leaf = EpochLeaf.parse(entry.leaf)
            except ValueError:  # the log's own check names it
                leaf = None
            if leaf is not None:
                self._check(number, leaf, log.root(), has_rows)
                if leaf.sealed_at_ms < sealed_at:
                    self._note("entry", number, f"sealed at {leaf.sealed_at_ms}", f"not before {sealed_at}")
                sealed_at = leaf.sealed_at_ms
            log.append(entry.leaf_hash)
            self._report.epochs += 1
            yield number, log.root()
        if held is not None:
            self._note("epoch_head", held[0], "rows", "none: there is no such epoch")

    def _take(self, heads: Iterator[EpochHeadRow]) -> None:
        for row in heads:
            origin = self._origins.get(row.log_id)
            if origin is None:
                self._note("epoch_head", row.epoch, f"log_id {row.log_id}", "a partition's log")
                continue
            head = LogHead(origin, row.size, row.root, row.next_offset, row.end_offset)
            self._hashes[origin] = head.hash()

    def _check(self, number: int, leaf: EpochLeaf, before: bytes, has_rows: bool) -> None:
        if leaf.previous_root != before:
            self._note("entry", number, f"previous root {leaf.previous_root.hex()}", before.hex())
        root = root_of([self._hashes[origin] for origin in sorted(self._hashes, key=str.encode)])
        fits = (leaf.heads_root, leaf.head_count) == (root, len(self._hashes))
        if not fits and not has_rows:  # an epoch of silence has none, and the root of the one before
            self._note("epoch_head", number, "no row", "the heads that have changed")
        elif not fits:
            found = f"{len(self._hashes)} heads of root {root.hex()}"
            expected = f"{leaf.head_count} of root {leaf.heads_root.hex()} by its leaf"
            self._note("epoch_head", number, found, expected)

    def _note(self, table: str, number: int, found: str, expected: str) -> None:
        self._report.add(table, self._head.origin, f"epoch {number}", found=found, expected=expected)


def _check_checkpoints(
    rows: LedgerRows,
    origin: str | None,
    roots: Iterator[tuple[int, bytes]],
    report: VerifyReport,
    trusted: Trusted,
) -> None:
    following = next(roots, None)
    for size, root, note in rows.checkpoints():
        report.checkpoints += 1

        def note_damage(found: str, expected: str, size: int = size) -> None:
            report.add("checkpoint", origin, f"size {size}", found=found, expected=expected)

        while following is not None and following[0] < size:
            report.add("checkpoint", origin, f"size {following[0]}", found="no row", expected="a row")
            following = next(roots, None)
        if following is None or following[0] != size:
            note_damage("a row", "none: there is no such epoch")
            continue
        if root != following[1]:
            note_damage(f"root {root.hex()}", f"{following[1].hex()} by the head log")
        if problem := _note_problem(note, Checkpoint(origin or "-", size, following[1]), trusted.log):
            note_damage(*problem)
        following = next(roots, None)
    while following is not None:
        report.add("checkpoint", origin, f"size {following[0]}", found="no row", expected="a row")
        following = next(roots, None)


def _note_problem(text: str, expected: Checkpoint, key: VerifierKey | None) -> tuple[str, str] | None:
    try:
        note = SignedNote.parse(text.encode())
        if note.text != str(expected):
            return f"a note on {note.text.splitlines()[:3]}", f"one on {str(expected).splitlines()}"
        if key is not None and not note.is_signed_by(key):
            return "a note without the log's signature", f"one by {key}"
    except ValueError as error:
        return f"note: {error}", "a signed checkpoint"
    return None


def _cosignature_problem(row: CosignatureRow, witnesses: Mapping[str, VerifierKey]) -> tuple[str, str] | None:
    if row.note is None:
        return "a row", "none: there is no such checkpoint"
    try:
        line, text = NoteSignature.parse(row.line), SignedNote.parse(row.note.encode()).text
        if (line.name, line.key_id) != (row.name, row.key_id):
            return f"a line of {line.name}+{line.key_id.hex()}", f"{row.name}+{row.key_id.hex()}"
        for key in witnesses.values():
            at = cosigned_at(key, line, text)
            if at is not None and at != row.timestamp:
                return f"timestamp {row.timestamp}", f"{at} by the line"
    except ValueError as error:
        return f"line: {error}", "a witness's line for this checkpoint"
    return None
