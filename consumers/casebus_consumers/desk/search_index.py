"""An index of what an agency said and heard, by every identifier, kept up as events come."""

import json
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from casebus_consumers.own.store import OwnStore
from casebus_consumers.own.view import OwnView
from casebus_producers.outbox.outbox import Outbox
from casebus_schemas.times import to_datetime, to_moment

from .changed import Ends, chains_between, ends_of
from .identifiers import of_chain, plain
from .store import DeskStore

MOST = 2_000
"""Events that are found at most; whoever searches is told that there are more."""
_AT_ONCE = 100
"""Cases that are written in one transaction."""
_FEWEST_WITHIN = 2
"""Characters that are looked for within an identifier; fewer only at its beginning."""
_NAME = "own"
_OF_SECURITY = "SELECT chain FROM identifier WHERE kind = 'security' AND plain >= ? AND plain < ?"
_SAID = "s.chain, s.digest, s.type, s.agency, s.at_ms"
_NEWEST = f"ORDER BY s.at_ms DESC, s.digest LIMIT {MOST + 1}"
_IDENTIFIED = "SELECT chain, digest, kind, shown FROM identifier"
_NAMES = "kind IN ('reference', 'document', 'suspect', 'security')"
"""As the partial index `identifier_name` has it."""
_MOST_IDENTIFIERS = 20_000
_LAST_LETTER = "\U0010ffff"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for; a member that is None limits nothing. `until` is the first instant after.

    Match tokens of persons are looked at only with `tokens`.
    """

    text: str | None = None
    agency: str | None = None
    type: str | None = None
    security: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    tokens: bool = False


@dataclass(frozen=True, slots=True)
class Hit:
    """An event that was found: by which kind of identifier, written how; None where none was asked for."""

    chain: str
    digest: str
    type: str
    agency: str
    at: datetime
    kind: str | None
    shown: str | None


class SearchIndex:
    """The index of one desk, in its database. All in it comes from the agency's own files."""

    def __init__(self, store: DeskStore, view: OwnView, own: OwnStore, outbox: Outbox) -> None:
        self._store = store
        self._view = view
        self._own = own
        self._outbox = outbox
        self._lock = threading.Lock()
        self._waiting: list[str] = []
        self._until: Ends | None = None
        self._said: set[tuple[str, str]] | None = None

    def take(self, *, for_s: float | None = None, watch: Callable[[int], None] = lambda _left: None) -> int:
        """Takes in what has come, for some seconds at most; gives how many cases wait still."""
        end = None if for_s is None else time.monotonic() + for_s
        if not self._lock.acquire(timeout=-1 if for_s is None else for_s):
            return len(self._waiting)
        try:
            self._look()
            while self._waiting:
                chains = self._waiting[:_AT_ONCE]
                self._write(chains)
                del self._waiting[: len(chains)]
                watch(len(self._waiting))
                if end is not None and time.monotonic() > end:
                    return len(self._waiting)
            self._note()
        finally:
            self._lock.release()
        return 0

    def find(self, wanted: Wanted) -> tuple[list[Hit], bool]:
        """Events, the newest first, and whether there are more of them than `MOST`."""
        found = self._found(wanted, within=False)
        if not found and wanted.text is not None and len(plain(wanted.text)) >= _FEWEST_WITHIN:
            found = self._found(wanted, within=True)
        return found[:MOST], len(found) > MOST

    def types(self) -> list[str]:
        """Every type of event that was said or heard."""
        return sorted({type for type, _ in self._kinds()})

    def agencies(self) -> list[str]:
        """Every agency that has said something."""
        return sorted({agency for _, agency in self._kinds()})

    def _kinds(self) -> set[tuple[str, str]]:
        """Types with who said them: read once, and then added to."""
        if self._said is None:
            with self._store.reading() as connection:
                rows = connection.execute("SELECT DISTINCT type, agency FROM said").fetchall()
            self._said = {(row[0], row[1]) for row in rows}
        return self._said

    # --- within ------------------------------------------------------------------------------------------

    def _look(self) -> None:
        """Which cases have to be written."""
        if self._until is None:
            self._waiting, self._until = [], self._noted()
        now, before = ends_of(self._own, self._outbox), self._until
        if before is None or now.inbox < before.inbox or now.outbox < before.outbox:
            with self._store.writing() as connection:
                for table in ("said", "identifier", "indexed"):
                    connection.execute(f"DELETE FROM {table}")
            self._waiting = self._view.chain_ids()
        elif now != before:
            known = set(self._waiting)
            more = chains_between(self._own, self._outbox, before, now)
            self._waiting.extend(sorted(more - known))
        self._until = now

    def _noted(self) -> Ends | None:
        with self._store.reading() as connection:
            row = connection.execute("SELECT ends FROM indexed WHERE name = ?", (_NAME,)).fetchone()
        return None if row is None else Ends(*json.loads(row[0]))

    def _note(self) -> None:
        """Notes up to where all is written: after a crash it is begun there again."""
        if self._until == self._noted():
            return
        with self._store.writing() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO indexed (name, ends) VALUES (?, ?)", (_NAME, json.dumps(self._until))
            )

    def _write(self, chains: Sequence[str]) -> None:
        said, identifiers = [], []
        for chain in chains:
            events = self._view.events(chain)
            for event in events:
                at_ms = to_moment(event.occurred_at)
                if self._said is not None:
                    self._said.add((event.type, event.agency))
                said.append((event.digest.hex(), chain, str(event.id), event.type, event.agency, at_ms))
            identifiers += [
                (one.plain, one.kind, chain, one.digest, one.shown) for one in of_chain(chain, events)
            ]
        with self._store.writing() as connection:
            connection.executemany("DELETE FROM said WHERE chain = ?", [(one,) for one in chains])
            connection.executemany("DELETE FROM identifier WHERE chain = ?", [(one,) for one in chains])
            connection.executemany(
                "INSERT INTO said (digest, chain, id, type, agency, at_ms) VALUES (?, ?, ?, ?, ?, ?)", said
            )
            connection.executemany(
                "INSERT INTO identifier (plain, kind, chain, digest, shown) VALUES (?, ?, ?, ?, ?)",
                identifiers,
            )

    def _found(self, wanted: Wanted, *, within: bool) -> list[Hit]:
        where, given = ["1"], list[object]()
        for column, value in (("agency", wanted.agency), ("type", wanted.type)):
            if value is not None:
                where.append(f"s.{column} = ?")
                given.append(value)
        if wanted.security is not None:
            where.append(f"s.chain IN ({_OF_SECURITY})")
            code = plain(wanted.security)
            given += [code, code + _LAST_LETTER]
        for sign, moment in ((">=", wanted.since), ("<", wanted.until)):
            if moment is not None:
                where.append(f"s.at_ms {sign} ?")
                given.append(to_moment(moment))
        with self._store.reading() as connection:
            by: dict[tuple[str, str | None], tuple[str, str]] = {}
            if wanted.text is not None:
                by = _identified(connection, plain(wanted.text), within=within, tokens=wanted.tokens)
                chains = json.dumps([chain for chain, digest in by if digest is None])
                digests = json.dumps([digest for _, digest in by if digest is not None])
                where.append(
                    "(s.chain IN (SELECT value FROM json_each(?)) "
                    "OR s.digest IN (SELECT value FROM json_each(?)))"
                )
                given += [chains, digests]
            query = f"SELECT {_SAID} FROM said s WHERE {' AND '.join(where)} {_NEWEST}"
            rows = connection.execute(query, given).fetchall() if wanted.text is None or by else []
        return [_hit(row, by.get((row[0], row[1])) or by.get((row[0], None))) for row in rows]


def _identified(
    connection: sqlite3.Connection, text: str, *, within: bool, tokens: bool
) -> dict[tuple[str, str | None], tuple[str, str]]:
    """Kind and form of the identifiers that fit, by chain and digest (None: of the whole case)."""
    if within:
        # What is a hash is known whole or by its beginning, never by its middle.
        query, given = f"{_IDENTIFIED} WHERE {_NAMES} AND instr(plain, ?) > 0", [text]
    else:
        query, given = f"{_IDENTIFIED} WHERE plain >= ? AND plain < ?", [text, text + _LAST_LETTER]
    if not tokens:
        query += " AND kind <> 'token'"
    rows = connection.execute(f"{query} LIMIT {_MOST_IDENTIFIERS}", given).fetchall()
    return {(row[0], row[1]): (row[2], row[3]) for row in rows}


def _hit(row: tuple[str, str, str, str, int], by: tuple[str, str] | None) -> Hit:
    chain, digest, type, agency, at_ms = row
    kind, shown = by or (None, None)
    return Hit(chain, digest, type, agency, to_datetime(at_ms), kind, shown)
