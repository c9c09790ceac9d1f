"""Which documents an agency's events name, which of them are here, and the files under their digests."""

import json
import os
import secrets
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from casebus_consumers.kept_file import KeptFile, made_once
from casebus_schemas.errors import UsageError

MOST_BYTES = 5 * 1024**3
CHUNK = 1024 * 1024
MISSING, STORED, INFECTED = "missing", "stored", "infected"
_VERSION = 1
_TABLES = """
CREATE TABLE annex (
    event TEXT NOT NULL, sha256 TEXT NOT NULL, chain TEXT NOT NULL, speaker TEXT NOT NULL,
    size INTEGER NOT NULL, media_type TEXT, own INTEGER NOT NULL, PRIMARY KEY (event, sha256)
);
CREATE INDEX annex_digest ON annex (sha256);
CREATE INDEX annex_chain ON annex (chain);
CREATE TABLE document (
    sha256 TEXT PRIMARY KEY, state TEXT NOT NULL, attempts INTEGER NOT NULL DEFAULT 0,
    next_at_ms INTEGER NOT NULL DEFAULT 0, problem TEXT, changed_at_ms INTEGER NOT NULL
);
CREATE INDEX document_state ON document (state, next_at_ms);
CREATE TABLE place (what TEXT PRIMARY KEY, number INTEGER NOT NULL)
"""


class Annex(NamedTuple):
    """A document that an event names."""

    event: str
    sha256: str
    chain: str
    speaker: str
    size: int
    media_type: str | None
    own: bool


@dataclass(frozen=True, slots=True)
class Wanted:
    """A document that is missing and due to be fetched, and who has said events that name it."""

    sha256: str
    size: int
    speakers: tuple[str, ...]
    attempts: int


def attachments_folder(folder: Path) -> Path:
    """Documents and what is known of them, beside the outbox."""
    return folder / "attachments"


class AttachmentStore:
    """The folder. Each call is one transaction; a document stands under its digest whole or not at all."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        (folder / "incoming").mkdir(exist_ok=True, mode=0o700)
        self._folder = folder
        self._kept = KeptFile(folder / "attachments.db", made_once(_TABLES, _VERSION))

    # --- what events name --------------------------------------------------------------------------------

    def place(self, what: str) -> int:
        """How far outbox or inbox were looked through."""
        rows = self._kept.rows("SELECT number FROM place WHERE what = ?", (what,))
        return int(rows[0][0]) if rows else -1

    def note(self, what: str, number: int, annexes: Sequence[Annex]) -> None:
        """Keeps what events name, up to a number. Idempotent."""
        with self._kept.writing() as connection:
            connection.executemany("INSERT OR IGNORE INTO annex VALUES (?, ?, ?, ?, ?, ?, ?)", annexes)
            for annex in annexes:
                if not annex.own and not self.path(annex.sha256).exists():
                    connection.execute(
                        "INSERT OR IGNORE INTO document (sha256, state, changed_at_ms) VALUES (?, ?, ?)",
                        (annex.sha256, MISSING, _now_ms()),
                    )
            connection.execute("INSERT OR REPLACE INTO place (what, number) VALUES (?, ?)", (what, number))

    def own_events(self, digest: str) -> list[str]:
        """Digests of the agency's own events that name a document."""
        query = "SELECT event FROM annex WHERE sha256 = ? AND own"
        return [row[0] for row in self._kept.rows(query, (digest,))]

    def listed(self, chain: str | None = None) -> list[dict[str, Any]]:
        """The documents that events (of one chain) name, each with its state and what ails it."""
        where, values = ("WHERE a.chain = ?", (chain,)) if chain is not None else ("", ())
        query = f"""
            SELECT a.sha256, a.size, a.media_type, a.speaker, a.event, a.chain, d.state, d.problem
            FROM annex a LEFT JOIN document d ON d.sha256 = a.sha256 {where} ORDER BY a.rowid
        """
        found = []
        for row in self._kept.rows(query, values):
            here = self.path(row[0]).exists()
            state = STORED if here else row[6] if row[6] == INFECTED else MISSING
            found.append(
                {
                    **dict(
                        zip(("sha256", "size", "media_type", "from", "event", "chain"), row[:6], strict=True)
                    ),
                    "state": state,
                    "problem": None if here else row[7],
                }
            )
        return found

    # --- fetching ----------------------------------------------------------------------------------------

    def due(self) -> Wanted | None:
        """The missing document whose time came first."""
        query = (
            "SELECT sha256, attempts FROM document WHERE state = ? AND next_at_ms <= ? ORDER BY next_at_ms"
        )
        rows = self._kept.rows(f"{query} LIMIT 1", (MISSING, _now_ms()))
        if not rows:
            return None
        digest, attempts = rows[0]
        said = self._kept.rows(
            "SELECT DISTINCT speaker, size FROM annex WHERE sha256 = ? AND NOT own ORDER BY rowid", (digest,)
        )
        return Wanted(digest, said[0][1], tuple(row[0] for row in said), attempts)

    def missed(self, digest: str, problem: str, again_s: float) -> None:
        """A document could not be fetched; it is tried again after a time."""
        now = _now_ms()
        with self._kept.writing() as connection:
            connection.execute(
                "UPDATE document SET attempts = attempts + 1, next_at_ms = ?, problem = ?, changed_at_ms = ? "
                "WHERE sha256 = ?",
                (now + int(again_s * 1_000), problem, now, digest),
            )

    def settle(self, digest: str, state: str, problem: str | None = None) -> None:
        """A document is stored, or infected and never fetched again by itself."""
        with self._kept.writing() as connection:
            connection.execute(
                "UPDATE document SET state = ?, problem = ?, changed_at_ms = ? WHERE sha256 = ?",
                (state, problem, _now_ms(), digest),
            )

    def fetch_again(self, digest: str | None = None) -> int:
        """Makes missing and infected documents (or this one) due now; how many."""
        where, values = ("AND sha256 = ?", (digest,)) if digest else ("", ())
        query = f"UPDATE document SET state = ?, attempts = 0, next_at_ms = 0 WHERE state <> ? {where}"
        with self._kept.writing() as connection:
            return connection.execute(query, (MISSING, STORED, *values)).rowcount

    def in_trouble(self, attempts: int) -> int:
        """How many documents are missing after so many attempts, or infected."""
        query = "SELECT count(*) FROM document WHERE state = ? OR (state = ? AND attempts >= ?)"
        return int(self._kept.rows(query, (INFECTED, MISSING, attempts))[0][0])

    def troubled(self, attempts: int, limit: int) -> list[dict[str, Any]]:
        """Those documents, the last changed first, each with its state and one event that names it."""
        query = """
            SELECT d.sha256, d.state, d.attempts, d.problem, d.changed_at_ms, min(a.speaker), min(a.size),
                   min(a.chain)
            FROM document d JOIN annex a ON a.sha256 = d.sha256 AND NOT a.own
            WHERE d.state = ? OR (d.state = ? AND d.attempts >= ?)
            GROUP BY d.sha256 ORDER BY d.changed_at_ms DESC LIMIT ?
        """
        names = ("sha256", "state", "attempts", "problem", "changed_at_ms", "from", "size", "chain")
        rows = self._kept.rows(query, (INFECTED, MISSING, attempts, limit))
        return [dict(zip(names, row, strict=True)) for row in rows]

    # --- files -------------------------------------------------------------------------------------------

    def path(self, digest: str) -> Path:
        """Where a document stands, if it is here."""
        return self._folder / digest[:2] / digest

    def part(self, digest: str) -> Path:
        """Where a document grows while it is fetched."""
        return self._folder / "incoming" / f"{digest}.part"

    @contextmanager
    def upload(self) -> Iterator[tuple[Path, BinaryIO]]:
        """A file of its own to be filled; it is gone after the block unless it was moved."""
        file = self._folder / "incoming" / f"upload-{secrets.token_hex(8)}"
        try:
            with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
                yield file, out
        finally:
            with suppress(FileNotFoundError):
                file.unlink()

    def keep(self, file: Path, digest: str) -> Path:
        """Moves a verified file to its place; on disk when it returns."""
        place = self.path(digest)
        place.parent.mkdir(exist_ok=True, mode=0o700)
        with file.open("rb") as opened:
            os.fsync(opened.fileno())
        file.chmod(0o400)
        file.replace(place)
        folder = os.open(place.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        return place

    def add(self, chunks: Iterable[bytes], digest: str | None = None) -> tuple[str, int]:
        """Stores a document of the agency's own; its digest and size.

        Raises UsageError if it is larger than 5 GiB or has another digest than was said.
        """
        with self.upload() as (file, out):
            found, size = sha256(), 0
            for chunk in chunks:
                size += len(chunk)
                if size > MOST_BYTES:
                    raise UsageError("the document is too large", expected=f"at most {MOST_BYTES} bytes")
                found.update(chunk)
                out.write(chunk)
            out.flush()
            if digest not in (None, found.hexdigest()):
                raise UsageError("the document has another digest", found=found.hexdigest(), expected=digest)
            self.keep(file, found.hexdigest())
        return found.hexdigest(), size


def annexes_of(data: Mapping[str, Any], *, event: str, chain: str, speaker: str, own: bool) -> list[Annex]:
    """The documents that an event's data name with digest and size."""
    found = {}
    for one in data.get("annexes") or ():
        digest, size = one.get("sha256"), one.get("size")
        if digest is not None and size is not None and 0 <= size <= MOST_BYTES:
            text = digest.hex() if isinstance(digest, bytes) else str(digest)
            found[text] = Annex(event, text, chain, speaker, size, one.get("media_type"), own)
    return list(found.values())


def chunks_of(file: Path) -> Iterator[bytes]:
    """A file in pieces."""
    with file.open("rb") as opened:
        while chunk := opened.read(CHUNK):
            yield chunk


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def headers_of(text: str) -> tuple[tuple[str, bytes], ...]:
    """Headers of a row of the outbox."""
    return tuple((name, value.encode()) for name, value in json.loads(text))
