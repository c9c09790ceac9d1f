"""Long work of a desk, one after the other in the background: asked for, under way, done, with its file."""

import json
import logging
import os
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from casebus_schemas.errors import BusError
from casebus_schemas.texts.errors import detail_in_chinese
from casebus_schemas.texts.sentence import Sentence

from .officers import Officer
from .store import DeskStore

WAITING, RUNNING, DONE, FAILED = "waiting", "running", "done", "failed"
KEPT_MS = 30 * 86_400_000
"""How long files are kept: whoever asked carries them away."""
_EVERY_S = 0.3
_FAULT = Sentence("本工作台发生故障，详情见日志。", "The desk has a fault; its log says more.")
_NOT_WRITTEN = Sentence("文件无法写入，磁盘可能已满。", "The file cannot be written; is the disk full?")
_COLUMNS = (
    "id, kind, officer, asked, state, at_ms, ended_ms, doing, "
    "done, of_all, file, size, sha256, found, problem"
)
log = logging.getLogger(__name__)
Watch = Callable[[str, int, int], None]
"""Progress: what is being done, how much of it is done, how much there is."""


@dataclass(frozen=True, slots=True)
class Made:
    """What work has made: a file by name and content (None where there is none), and what it found."""

    name: str | None
    content: bytes
    found: Mapping[str, Any]


Work = Callable[[Mapping[str, Any], Watch], Made]
"""Does what was asked. It may be done again after the desk was stopped within it."""


@dataclass(frozen=True, slots=True)
class Job:
    """One piece of work as it stands; times in ms since 1970; `problem` is why it failed, by language."""

    id: str
    kind: str
    officer: str
    asked: Mapping[str, Any]
    state: str
    at_ms: int
    ended_ms: int | None
    doing: str | None
    done: int
    of: int
    file: str | None
    size: int | None
    sha256: str | None
    found: Mapping[str, Any]
    problem: Mapping[str, str]

    @property
    def is_over(self) -> bool:
        """Whether nothing more comes."""
        return self.state in (DONE, FAILED)


class Jobs:
    """Those of one desk; its files stand in `folder`. One thread works as long as something waits."""

    def __init__(self, store: DeskStore, folder: Path, works: Mapping[str, Work]) -> None:
        self._store = store
        self._folder = folder
        self._works = works
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._resumed = False

    def ask(self, kind: str, asked: Mapping[str, Any], officer: Officer) -> str:
        """Notes what is to be done, on disk when it returns; gives its id."""
        assert kind in self._works
        self.resume()
        id, now = secrets.token_hex(8), time.time_ns() // 1_000_000
        text = json.dumps(asked, ensure_ascii=False)
        with self._store.writing() as connection:
            connection.execute(
                "INSERT INTO job (id, kind, officer, asked, state, at_ms, done, of_all) "
                "VALUES (?, ?, ?, ?, ?, ?, 0, 0)",
                (id, kind, officer.name, text, WAITING, now),
            )
        self._work_on()
        return id

    def resume(self) -> None:
        """Takes up what a desk that was stopped has left, once."""
        with self._lock:
            if self._resumed:
                return
            self._resumed = True
        with self._store.writing() as connection:
            left = connection.execute(
                "UPDATE job SET state = ? WHERE state = ? OR state = ?", (WAITING, RUNNING, WAITING)
            ).rowcount
        if left:
            self._work_on()

    def one(self, id: str) -> Job | None:
        """The one of an id."""
        with self._store.reading() as connection:
            row = connection.execute(f"SELECT {_COLUMNS} FROM job WHERE id = ?", (id,)).fetchone()
        return None if row is None else _job(row)

    def newest(self, limit: int, *kinds: str) -> list[Job]:
        """What was asked for last, of some kinds."""
        marks = ", ".join("?" * len(kinds))
        query = f"SELECT {_COLUMNS} FROM job WHERE kind IN ({marks}) ORDER BY at_ms DESC, id LIMIT ?"
        with self._store.reading() as connection:
            return [_job(row) for row in connection.execute(query, (*kinds, limit))]

    def content(self, job: Job) -> bytes | None:
        """The bytes of its file; None where it has none, or is no longer kept."""
        if job.file is None:
            return None
        try:
            return self._file(job.id).read_bytes()
        except FileNotFoundError:
            return None

    # --- within ------------------------------------------------------------------------------------------

    def _file(self, id: str) -> Path:
        return self._folder / id

    def _work_on(self) -> None:
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._work, name="desk-jobs", daemon=True)
                self._thread.start()

    def _work(self) -> None:
        while True:
            try:
                job = self._next()
                if job is not None:
                    self._do(job)
                    self._throw_away()
                    continue
            except BusError:
                log.exception("the work of a desk stopped; it is taken up with the next that is asked for")
            with self._lock:
                # Whoever asks while this ends finds either the job taken, or no thread and begins one.
                if self._idle():
                    self._thread = None
                    return

    def _idle(self) -> bool:
        try:
            with self._store.reading() as connection:
                return connection.execute("SELECT 1 FROM job WHERE state = ?", (WAITING,)).fetchone() is None
        except BusError:
            return True

    def _next(self) -> Job | None:
        with self._store.writing() as connection:
            row = connection.execute(
                f"SELECT {_COLUMNS} FROM job WHERE state = ? ORDER BY at_ms, id LIMIT 1", (WAITING,)
            ).fetchone()
            if row is None:
                return None
            connection.execute("UPDATE job SET state = ? WHERE id = ?", (RUNNING, row[0]))
        return _job(row)

    def _do(self, job: Job) -> None:
        last = 0.0

        def watch(what: str, done: int, of: int) -> None:
            nonlocal last
            if (now := time.monotonic()) - last < _EVERY_S and done < of:
                return
            last = now
            self._set(job.id, doing=what, done=done, of_all=of)

        try:
            made = self._works[job.kind](job.asked, watch)
        except BusError as error:
            said = {"en": error.detail, "zh": detail_in_chinese(error) or error.detail}
            self._set(job.id, state=FAILED, problem=json.dumps(said, ensure_ascii=False))
            return
        except Exception:
            log.exception("a fault in the work of a desk")
            said = {"en": _FAULT.en, "zh": _FAULT.zh}
            self._set(job.id, state=FAILED, problem=json.dumps(said, ensure_ascii=False))
            return
        if made.name is not None:
            try:
                self._keep(self._file(job.id), made.content)
            except OSError as error:
                log.warning("a file cannot be written: %s", error)
                said = {"en": _NOT_WRITTEN.en, "zh": _NOT_WRITTEN.zh}
                self._set(job.id, state=FAILED, problem=json.dumps(said, ensure_ascii=False))
                return
        self._set(
            job.id,
            state=DONE,
            file=made.name,
            size=len(made.content),
            sha256=sha256(made.content).hexdigest(),
            found=json.dumps(made.found, ensure_ascii=False),
        )

    def _keep(self, file: Path, content: bytes) -> None:
        """Writes a file of mode 0600, whole when it is there."""
        self._folder.mkdir(mode=0o700, exist_ok=True)
        fresh = file.with_name(file.name + ".new")
        fresh.unlink(missing_ok=True)
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        fresh.replace(file)

    def _set(self, id: str, **values: object) -> None:
        if values.get("state") in (DONE, FAILED):
            values["ended_ms"] = time.time_ns() // 1_000_000
        columns = ", ".join(f"{name} = ?" for name in values)
        with self._store.writing() as connection:
            connection.execute(f"UPDATE job SET {columns} WHERE id = ?", (*values.values(), id))

    def _throw_away(self) -> None:
        """Removes files that were made long ago; that they were made stays known."""
        before = time.time_ns() // 1_000_000 - KEPT_MS
        with self._store.reading() as connection:
            old = connection.execute(
                "SELECT id FROM job WHERE file IS NOT NULL AND ended_ms < ?", (before,)
            ).fetchall()
        for (id,) in old:
            self._file(id).unlink(missing_ok=True)


def _job(row: tuple[Any, ...]) -> Job:
    id, kind, officer, asked, *state, found, problem = row
    said = [json.loads(one) if one else {} for one in (found, problem)]
    every: list[Any] = [id, kind, officer, json.loads(asked), *state, *said]
    return Job(*every)
