"""Takes the files of a drop folder once they are whole, says their rows, and answers each row in a file."""

import logging
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from threading import Event
from typing import Any, NamedTuple

from casebus_producers.faults import PublisherFaults
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.errors import UsageError
from casebus_schemas.texts.symbols import STAGES, shown
from casebus_schemas.wire.door import DoorProblem

from ..answers import Says, answered, not_taken
from ..following import Follower
from . import sheets
from .columns import Column, event_of, heads_of
from .store import DropStore, Line

AFTER_QUEUE = "files.after-queue"
"""The events of a file are in the outbox, and nothing else knows it yet."""
BEFORE_MOVE = "files.before-move"
"""The answers are written, the file is still where it was dropped."""
QUIET_S = 3.0
"""A file is whole when nobody has written it for so long."""
CUT_SHORT_S = 60.0
"""So long where its end is missing: a CSV's last line end, an XLSX's list of contents."""
ANSWERED = "answered"
_LOOK_S = 1.0
_AT_ONCE = 200
_KINDS = (".csv", ".xlsx")
_OTHERS = (".xls", ".xlsm", ".xlsb", ".ods", ".et")
_HEADS = (
    "行 row",
    "状态 state",
    "事件 event",
    "案件链 chain",
    "栏 column",
    "原因",
    "reason",
    "依据 law",
    "摘要 digest",
)
_QUEUED = "已受理待发 queued"
log = logging.getLogger(__name__)


class _Seen(NamedTuple):
    size: int
    changed_ns: int
    since_s: float


class DropFolder(Follower):
    """Looks into a folder; what it takes goes to `answered/` there, with the answers beside it.

    A row is one event however often its file is read: by its id, its message number, or what it says. After a
    crash the file is read again, and the rows are found to be there.
    """

    def __init__(
        self,
        name: str,
        stop: Event,
        door: Says,
        folder: Path,
        store: DropStore,
        faults: PublisherFaults | None = None,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(name, stop)
        self._door = door
        self._folder = folder
        self._store = store
        self._faults = faults or PublisherFaults()
        self._clock_s = clock_s
        self._seen: dict[Path, _Seen] = {}

    def follow(self) -> None:
        """Looks each second. Raises UsageError if there is no such folder."""
        if not self._folder.is_dir():
            raise UsageError(f"{self._folder} is no folder", expected="the folder that door.yaml names")
        (self._folder / ANSWERED).mkdir(mode=0o700, exist_ok=True)
        while not self._stop.is_set():
            self.step()
            self.well()
            self._stop.wait(_LOOK_S)

    def step(self) -> None:
        """One look: brings receipts to the answers, takes the files that are whole."""
        self.bring_receipts()
        for file in self.whole_files():
            self.take(file)

    def whole_files(self) -> Iterator[Path]:
        """The files that nobody has written for a while, by name."""
        now, standing = self._clock_s(), {}
        for file in sorted(self._folder.iterdir()):
            suffix = file.suffix.lower()
            if file.name.startswith((".", "~$")) or suffix not in (*_KINDS, *_OTHERS) or file.is_symlink():
                continue
            try:
                found = file.stat()
            except FileNotFoundError:
                continue
            if not file.is_file():
                continue
            known = self._seen.get(file)
            if known is None or (known.size, known.changed_ns) != (found.st_size, found.st_mtime_ns):
                known = _Seen(found.st_size, found.st_mtime_ns, now)
            standing[file] = known
            quiet_s = now - known.since_s
            if quiet_s >= CUT_SHORT_S or (quiet_s >= QUIET_S and _has_its_end(file, suffix)):
                yield file
        self._seen = standing

    def take(self, file: Path) -> None:
        """Says the rows of a file and answers them; then it is in `answered/`."""
        try:
            if file.stat().st_size > sheets.MOST_BYTES:
                raise UsageError("the file is too large", expected=f"at most {sheets.MOST_BYTES} bytes")
            raw = file.read_bytes()
            lines = self._lines(file, raw)
        except UsageError as error:
            raw = file.name.encode() if error.message == "the file is too large" else file.read_bytes()
            lines = [Line(0, not_taken("", DoorProblem("", error.message, **_parts(error)), ()), {})]
        digest = sha256(raw).hexdigest()
        self._faults.point(AFTER_QUEUE, len(lines))
        name = self._store.name_for(file.name, digest)
        self._store.keep(name, digest, lines)
        self._write(name, lines)
        self._faults.point(BEFORE_MOVE, len(lines))
        file.replace(self._folder / ANSWERED / name)
        refused = sum(one.answer.state == "refused" for one in lines)
        log.info("%s: %s rows, %s refused", name, len(lines), refused)

    def bring_receipts(self) -> None:
        """Writes the answer files anew whose rows the bus has answered since."""
        place = self._store.place()
        if place > self._door.said.last_receipt():
            place = -1  # an outbox that was put back
        while receipts := self._door.said.after(place, 500):
            place = receipts[-1]["seq"]
            for name in self._store.bring(receipts, place):
                self._write(name, self._store.lines(name))

    # --- within ------------------------------------------------------------------------------------------

    def _lines(self, file: Path, raw: bytes) -> list[Line]:
        type = type_of(file.name)
        suffix = file.suffix.lower()
        if suffix not in _KINDS:
            raise UsageError("a kind of file that is not read", found=suffix, expected=".csv or .xlsx")

        def known(heads: Sequence[str]) -> bool:
            return any(heads) and all(heads_of(type, [one for one in heads if one]))

        heads, rows = sheets.rows_of_csv(raw, known) if suffix == ".csv" else sheets.rows_of_xlsx(raw)
        columns = _columns(type, heads)
        lines: list[Line] = []
        seen: Counter[bytes] = Counter()
        waiting: list[tuple[int, Any, dict[str, Column]]] = []
        for number, row in enumerate(rows, 2):
            if number > sheets.MOST_ROWS:
                raise UsageError("the file is too large", expected=f"at most {sheets.MOST_ROWS} rows")
            if not isinstance(row, UsageError) and all(cell is None or cell == "" for cell in row):
                continue
            waiting.append((number, *self._event(type, columns, row, seen)))
            if len(waiting) == _AT_ONCE:
                lines += self._said(waiting)
                waiting = []
        return lines + self._said(waiting)

    def _event(
        self, type: str, columns: Sequence[Column | None], row: sheets.Row, seen: Counter[bytes]
    ) -> tuple[Any, dict[str, Column]]:
        if isinstance(row, UsageError):
            return DoorProblem("", row.message, **_parts(row)), {}
        if any(cell not in (None, "") for cell in row[len(columns) :]):
            return DoorProblem("", "more cells than heads", found=len(row), expected=len(columns)), {}
        pairs = [(one, cell) for one, cell in zip(columns, row, strict=False) if one is not None]
        given = next((str(cell) for one, cell in pairs if one.en == "type" and cell), type)
        if given != type:
            problem = DoorProblem("/type", "another type than the file's", found=given, expected=type)
            return problem, {"/type": next(one for one, _ in pairs if one.en == "type")}
        return event_of([one for one, _ in pairs], [cell for _, cell in pairs], type, self._door.agency, seen)

    def _said(self, waiting: Sequence[tuple[int, Any, dict[str, Column]]]) -> list[Line]:
        events = [event for _, event, _ in waiting if not isinstance(event, DoorProblem)]
        found = iter(self._door.say(events))
        lines = []
        for number, event, columns in waiting:
            if isinstance(event, DoorProblem):
                answer = not_taken("", event, ())
            else:
                answer = answered(self._door, event, str(event.get("id") or ""), next(found))
            lines.append(Line(number, answer, {at: f"{one.zh} {one.en}" for at, one in columns.items()}))
        return lines

    def _write(self, name: str, lines: Sequence[Line]) -> None:
        stem, _, suffix = name.rpartition(".")
        xlsx = suffix.lower() == "xlsx"
        rows = [_HEADS, *(row for line in lines for row in _rows(line))]
        raw = sheets.xlsx_of(rows) if xlsx else sheets.csv_of(rows)
        file = self._folder / ANSWERED / f"{stem}.answer.{'xlsx' if xlsx else 'csv'}"
        file.parent.mkdir(mode=0o700, exist_ok=True)
        fresh = file.with_name(f".{file.name}.part")
        with fresh.open("wb") as out:
            out.write(raw)
            out.flush()
            os.fsync(out.fileno())
        fresh.replace(file)


def type_of(name: str) -> str:
    """The event type with which a file's name begins. Raises UsageError if it begins with none."""
    known = [one for one in Catalog.load().types if name.startswith(one)]
    found = [one for one in known if not name[len(one) :][:1].isalnum() and name[len(one) :][:1] != "_"]
    if not found:
        raise UsageError(
            "the file's name begins with no event type",
            found=name[:80],
            expected="one such as referral.submitted-2026-11-29.csv",
        )
    return max(found, key=len)


def _columns(type: str, heads: Sequence[str]) -> list[Column | None]:
    found = heads_of(type, heads)
    for at, (head, column) in enumerate(zip(heads, found, strict=True), 1):
        if head and column is None:
            raise UsageError(
                "a head that names no column",
                found=f"{head!r}, column {at}"[:100],
                expected=f"heads of `casebus door template {type}`",
            )
    named = [one.en for one in found if one is not None]
    if not named or len(named) != len(set(named)):
        twice = [one for one, count in Counter(named).items() if count > 1]
        raise UsageError("the heads of the columns", found=", ".join(twice) or "none", expected="each once")
    return found


def _rows(line: Line) -> Iterator[tuple[object, ...]]:
    """A row's answer; one line for each thing that is wrong with it."""
    answer = line.answer
    state = _QUEUED if answer.state == "queued" else shown(STAGES, answer.state)
    refusal = answer.refusal or {}
    begin = (line.number, state, answer.id, answer.chain)
    law = "；".join(refusal.get("law", ()))
    errors = refusal.get("errors") or [refusal]
    for error in errors:
        pointer = str(error.get("pointer", "")).removeprefix("#")
        column = line.columns.get(pointer, pointer)
        yield (*begin, column, error.get("zh"), error.get("detail"), law, answer.digest)


def _has_its_end(file: Path, suffix: str) -> bool:
    with file.open("rb") as opened:
        size = opened.seek(0, os.SEEK_END)
        opened.seek(max(0, size - 65_557))
        end = opened.read()
    if suffix == ".csv":
        return end.endswith((b"\n", b"\r"))
    return b"PK\x05\x06" in end if suffix == ".xlsx" else True


def _parts(error: UsageError) -> dict[str, Any]:
    return {"found": error.found, "expected": error.expected, "remedy": error.remedy}
