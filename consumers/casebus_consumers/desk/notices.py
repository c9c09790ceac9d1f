"""What of an agency's inbox was read and signed for at its desk; an index of it to filter and count by."""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from casebus_consumers.own.store import NOTICE, Entry, OwnStore
from casebus_producers.outbox.outbox import Outbox
from casebus_schemas.agencies import BUS
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.times import to_datetime
from casebus_schemas.wire.codec import decode

from .officers import Officer
from .store import DeskStore

SIGNED = "receipt.signed"
_RECEIPTS = "receipt."
_AT_ONCE = 1_000
_LAST = "SELECT seq, notice FROM notice ORDER BY seq DESC LIMIT 1"
_SIGNED_SINCE = "SELECT payload, queued_at_ms FROM outbox WHERE position > ? AND type = ? ORDER BY position"
_LOOKED_AT = "SELECT coalesce(max(position), 0) FROM signing"
# Not DISTINCT, which would read the whole index: each is found by a step from the one before.
_SPEAKERS = """
WITH RECURSIVE found (speaker) AS (
    SELECT min(speaker) FROM notice
    UNION ALL SELECT (SELECT min(n.speaker) FROM notice n WHERE n.speaker > found.speaker)
    FROM found WHERE found.speaker IS NOT NULL
) SELECT speaker FROM found WHERE speaker IS NOT NULL
"""
_COLUMNS = "seq, kind, chain, speaker, type, role, at_ms, read_at_ms, signed_at_ms, to_sign, digest"
_ADD = (
    "INSERT OR IGNORE INTO notice (seq, notice, kind, chain, speaker, type, role, at_ms, digest, to_sign) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
SIGHTS: Mapping[str, str] = {
    "all": "kind <> 'receipt'",
    "unread": "read_at_ms IS NULL AND kind <> 'receipt'",
    "sign": "to_sign AND signed_at_ms IS NULL",
    "to": "role = 'to' AND kind <> 'receipt'",
    "cc": "role = 'cc' AND kind <> 'receipt'",
    "by-law": "role = 'by-law' AND kind <> 'receipt'",
    "receipts": "kind = 'receipt'",
}
"""What the inbox can be narrowed to. Receipts of others are no news: they have a sight of their own."""


@dataclass(frozen=True, slots=True)
class Line:
    """A record of the inbox as the desk lists it; `kind` is notice, receipt, forged or unreadable."""

    seq: int
    kind: str
    chain: str | None
    speaker: str | None
    type: str | None
    role: str | None
    at: datetime | None
    read: bool
    signed: bool
    to_sign: bool
    digest: str | None


class Notices:
    """The inbox of one desk."""

    def __init__(self, store: DeskStore, own: OwnStore, outbox: Outbox, catalog: Catalog) -> None:
        self._store = store
        self._own = own
        self._outbox = outbox
        self._catalog = catalog

    def take(self) -> None:
        """Brings the index up to what the own view holds, and to what was signed elsewhere."""
        with self._store.reading() as connection:
            last = connection.execute(_LAST).fetchone()
            (looked_at,) = connection.execute(_LOOKED_AT).fetchone()
        if last is not None and self._own.numbers([last[1]]) != [last[0]] and last[1] is not None:
            with self._store.writing() as connection:  # another inbox than the one that was read
                connection.execute("DELETE FROM notice")
                connection.execute("DELETE FROM signing")
            last, looked_at = None, 0
        after = -1 if last is None else last[0]
        while found := self._own.entries_after(after, _AT_ONCE):
            self._add(found)
            after = found[-1].seq
        self._note_signed(looked_at)

    def counts(self) -> dict[str, int]:
        """How many there are of each sight."""
        columns = ", ".join(f"coalesce(sum({where}), 0)" for where in SIGHTS.values())
        with self._store.reading() as connection:
            row = connection.execute(f"SELECT {columns} FROM notice").fetchone()
        return dict(zip(SIGHTS, row, strict=True))

    def speakers(self) -> list[str]:
        """Whose notices there are."""
        with self._store.reading() as connection:
            rows = connection.execute(_SPEAKERS).fetchall()
        return [row[0] for row in rows]

    def listed(
        self, sight: str, *, speaker: str | None = None, before: int | None = None, limit: int = 40
    ) -> list[Line]:
        """Those of a sight below a number, the newest first."""
        where = SIGHTS[sight] + (" AND speaker = ?" if speaker else "") + (" AND seq < ?" if before else "")
        more = tuple(value for value in (speaker, before) if value)
        query = f"SELECT {_COLUMNS} FROM notice WHERE {where} ORDER BY seq DESC LIMIT ?"
        with self._store.reading() as connection:
            rows = connection.execute(query, (*more, limit)).fetchall()
        return [_line(row) for row in rows]

    def one(self, seq: int) -> Line | None:
        """The one of a number."""
        with self._store.reading() as connection:
            row = connection.execute(f"SELECT {_COLUMNS} FROM notice WHERE seq = ?", (seq,)).fetchone()
        return None if row is None else _line(row)

    def bodies(self, seqs: Sequence[int]) -> dict[int, dict[str, Any]]:
        """The JSON of notices by number (docs/records.md 5)."""
        return {entry.seq: json.loads(entry.body) for entry in self._own.notices(seqs)} if seqs else {}

    def mark_read(self, seqs: Sequence[int], officer: Officer) -> None:
        """Notes who read them first."""
        now = time.time_ns() // 1_000_000
        with self._store.writing() as connection:
            connection.executemany(
                "UPDATE notice SET read_at_ms = ?, read_by = ? WHERE seq = ? AND read_at_ms IS NULL",
                [(now, officer.name, seq) for seq in seqs],
            )

    # --- within ------------------------------------------------------------------------------------------

    def _add(self, found: Sequence[Entry]) -> None:
        rows = []
        for entry in found:
            body = json.loads(entry.body)
            envelope = ((body.get("event") or {}).get("data") or {}).get("envelope") or {}
            to_sign = (
                entry.kind == NOTICE
                and body["role"] == "to"
                and entry.speaker != BUS
                and envelope.get("message_class") == "initial"
            )
            is_receipt = entry.kind == NOTICE and str(entry.type).startswith(_RECEIPTS)
            kind = "receipt" if is_receipt else entry.kind
            digest = None if entry.digest is None else entry.digest.hex()
            place = (entry.seq, entry.notice, kind, entry.chain, entry.speaker, entry.type, body.get("role"))
            rows.append((*place, entry.admitted_at_ms, digest, to_sign))
        with self._store.writing() as connection:
            connection.executemany(_ADD, rows)

    def _note_signed(self, after: int) -> None:
        with self._outbox.reading() as connection:
            (last,) = connection.execute("SELECT coalesce(max(position), 0) FROM outbox").fetchone()
            rows = connection.execute(_SIGNED_SINCE, (after, SIGNED)).fetchall() if last > after else []
        if last <= after:
            return
        signed = []
        for payload, at_ms in rows:
            data = decode(self._catalog, bytes(payload))[1]
            for seq in self._own.numbers_of_digest(data["event"]):
                signed.append((at_ms, data["officer"] or "", at_ms, seq))
        with self._store.writing() as connection:
            connection.executemany(
                "UPDATE notice SET signed_at_ms = ?, signed_by = ?, read_at_ms = coalesce(read_at_ms, ?) "
                "WHERE seq = ?",
                signed,
            )
            connection.execute("DELETE FROM signing")
            connection.execute("INSERT INTO signing (position) VALUES (?)", (last,))


def _line(row: tuple[Any, ...]) -> Line:
    seq, kind, chain, speaker, type, role, at_ms, read_at_ms, signed_at_ms, to_sign, digest = row
    at = None if at_ms is None else to_datetime(at_ms)
    read, signed = read_at_ms is not None, signed_at_ms is not None
    return Line(seq, kind, chain, speaker, type, role, at, read, signed, bool(to_sign), digest)
