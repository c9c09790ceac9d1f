"""Drafts of a desk: kept sealed, written by their owner, frozen while they wait for a second officer."""

import json
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args
from uuid import uuid4

from casebus_consumers.desk.officers import Officer
from casebus_consumers.desk.store import DeskStore
from casebus_schemas.errors import UsageError
from casebus_schemas.times import to_datetime

from .content import Content
from .draft_keys import DraftKeys

State = Literal["draft", "handed_in", "sent"]
STATES: tuple[State, ...] = get_args(State)
Act = Literal["made", "taken_over", "handed_in", "taken_back", "returned", "approved", "sent"]
_COLUMNS = "id, type, chain, event_id, state, owner, version, made_ms, changed_ms, digest, sent_digest"
_LISTED = f"SELECT {_COLUMNS} FROM draft WHERE state = ? ORDER BY changed_ms DESC, id LIMIT ?"
_STEPS = "SELECT at_ms, officer, shown, act, words FROM draft_step WHERE draft = ? ORDER BY number"


class ChangedMeanwhile(UsageError):
    """The draft is not what its page showed: somebody saved, handed in, sent or deleted it."""

    def __init__(self) -> None:
        super().__init__(
            "the draft was changed meanwhile",
            expected="the draft as this page shows it",
            remedy="open it again, and look at what stands there now",
        )


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft without what is typed in it.

    `digest` is the SHA-256 of the event that was handed in, `sent_digest` that of the event as it was signed.
    """

    id: str
    type: str
    chain: str | None
    event_id: str
    state: State
    owner: str
    version: int
    made: datetime
    changed: datetime
    digest: str | None
    sent_digest: str | None


@dataclass(frozen=True, slots=True)
class Step:
    """What somebody did with a draft; `words` is what was said with it, gone once the draft is sent."""

    at: datetime
    officer: str
    shown: str
    act: str
    words: str | None


class Drafts:
    """Those of one desk. Everything is on disk when a call returns. For several threads."""

    def __init__(self, store: DeskStore, keys: DraftKeys) -> None:
        self._store = store
        self._keys = keys

    # --- reading -----------------------------------------------------------------------------------------

    def find(self, id: str) -> Draft | None:
        """The draft of an id."""
        with self._store.reading() as connection:
            row = connection.execute(f"SELECT {_COLUMNS} FROM draft WHERE id = ?", (id,)).fetchone()
        return None if row is None else _draft(row)

    def listed(self, state: State, limit: int = 200) -> list[Draft]:
        """Those in a state, the last changed first."""
        with self._store.reading() as connection:
            return [_draft(row) for row in connection.execute(_LISTED, (state, limit)).fetchall()]

    def waiting(self) -> int:
        """How many wait for a second officer."""
        with self._store.reading() as connection:
            query = "SELECT count(*) FROM draft WHERE state = 'handed_in'"
            return int(connection.execute(query).fetchone()[0])

    def writers(self, draft: str) -> frozenset[str]:
        """Who has typed in it: none of them may approve it."""
        with self._store.reading() as connection:
            rows = connection.execute("SELECT officer FROM draft_writer WHERE draft = ?", (draft,)).fetchall()
        return frozenset(row[0] for row in rows)

    def steps(self, draft: str) -> list[Step]:
        """What became of it, in order."""
        with self._store.reading() as connection:
            rows = connection.execute(_STEPS, (draft,)).fetchall()
        return [
            Step(to_datetime(at), officer, shown, act, self._words(draft, words))
            for at, officer, shown, act, words in rows
        ]

    def content(self, draft: Draft) -> Content:
        """What is typed in it. Raises UsageError where it is gone or cannot be opened."""
        return Content.from_json(json.loads(self._part(draft.id, "content")))

    def event(self, draft: Draft) -> bytes:
        """The event that was handed in, byte for byte. Raises UsageError where none was."""
        return self._part(draft.id, "event")

    # --- writing -----------------------------------------------------------------------------------------

    def make(self, officer: Officer, content: Content) -> str:
        """A new draft; gives its id."""
        id, now = str(uuid4()), _now_ms()
        sealed = self._sealed(id, content)
        with self._store.writing() as connection:
            connection.execute(
                "INSERT INTO draft (id, type, chain, event_id, state, owner, version, made_ms, changed_ms, "
                "content) VALUES (?, ?, ?, ?, 'draft', ?, 1, ?, ?, ?)",
                (id, content.type, content.subject, content.id, officer.name, now, now, sealed),
            )
            _add_writer(connection, id, officer)
            _note(connection, id, officer, "made")
        return id

    def save(self, draft: Draft, officer: Officer, content: Content) -> Draft:
        """Keeps what was typed. Raises ChangedMeanwhile unless it is the owner's and as `draft` says."""
        sealed = self._sealed(draft.id, content)
        with self._store.writing() as connection:
            self._move(connection, draft, "content = ?", sealed, was="draft", owner=officer.name)
            _add_writer(connection, draft.id, officer)
        return self._again(draft)

    def hand_in(self, draft: Draft, officer: Officer, event: bytes, digest: str) -> Draft:
        """Freezes the draft with the event that it means, for another officer to approve."""
        sealed = self._keys.seal(draft.id, "event", event)
        with self._store.writing() as connection:
            change = "state = 'handed_in', event = ?, digest = ?"
            self._move(connection, draft, change, sealed, digest, was="draft", owner=officer.name)
            _note(connection, draft.id, officer, "handed_in")
        return self._again(draft)

    def open_again(self, draft: Draft, officer: Officer, words: str | None = None) -> Draft:
        """What was handed in is a draft again: its owner takes it back, or another returns it with words."""
        sealed = None if words is None else self._keys.seal(draft.id, "words", words.encode())
        with self._store.writing() as connection:
            change = "state = 'draft', event = NULL, digest = NULL"
            owner = officer.name if words is None else None
            self._move(connection, draft, change, was="handed_in", owner=owner)
            _note(connection, draft.id, officer, "taken_back" if words is None else "returned", sealed)
        return self._again(draft)

    def take_over(self, draft: Draft, officer: Officer) -> Draft:
        """The draft is another officer's from now on; who wrote before stays one of its writers."""
        with self._store.writing() as connection:
            self._move(connection, draft, "owner = ?", officer.name, was="draft")
            _add_writer(connection, draft.id, officer)
            _note(connection, draft.id, officer, "taken_over")
        return self._again(draft)

    def delete(self, draft: Draft, officer: Officer) -> None:
        """Deletes an open draft of one's own, and its key."""
        with self._store.writing() as connection:
            self._move(connection, draft, "content = NULL", was="draft", owner=officer.name)
            connection.execute("DELETE FROM draft WHERE id = ?", (draft.id,))
        self._keys.destroy(draft.id)

    def sent(self, draft: Draft, by: tuple[Officer, Act] | None, chain: str, sent_digest: str) -> None:
        """The event is said: what was typed is purged with its key; who did what, and the digest, stay."""
        with self._store.writing() as connection:
            found = connection.execute(
                "UPDATE draft SET state = 'sent', content = NULL, event = NULL, chain = ?, sent_digest = ?, "
                "version = version + 1, changed_ms = ? WHERE id = ? AND state <> 'sent'",
                (chain, sent_digest, _now_ms(), draft.id),
            )
            if found.rowcount and by is not None:
                _note(connection, draft.id, *by)
            connection.execute("UPDATE draft_step SET words = NULL WHERE draft = ?", (draft.id,))
        self._keys.destroy(draft.id)

    # --- within ------------------------------------------------------------------------------------------

    def _move(
        self,
        connection: sqlite3.Connection,
        draft: Draft,
        change: str,
        *values: object,
        was: State,
        owner: str | None = None,
    ) -> None:
        whose = "" if owner is None else " AND owner = ?"
        found = connection.execute(
            f"UPDATE draft SET {change}, version = version + 1, changed_ms = ? "
            f"WHERE id = ? AND version = ? AND state = ?{whose}",
            (*values, _now_ms(), draft.id, draft.version, was, *(() if owner is None else (owner,))),
        )
        if found.rowcount == 0:
            raise ChangedMeanwhile

    def _again(self, draft: Draft) -> Draft:
        found = self.find(draft.id)
        if found is None:
            raise ChangedMeanwhile
        return found

    def _sealed(self, id: str, content: Content) -> bytes:
        text = json.dumps(content.to_json(), ensure_ascii=False, separators=(",", ":"))
        return self._keys.seal(id, "content", text.encode())

    def _part(self, id: str, part: Literal["content", "event"]) -> bytes:
        with self._store.reading() as connection:
            row = connection.execute(f"SELECT {part} FROM draft WHERE id = ?", (id,)).fetchone()
        if row is None or row[0] is None:
            raise ChangedMeanwhile
        return self._keys.open(id, part, row[0])

    def _words(self, draft: str, sealed: bytes | None) -> str | None:
        return None if sealed is None else self._keys.open(draft, "words", sealed).decode()


def _draft(row: Sequence[object]) -> Draft:
    id, type, chain, event_id, state, owner, version, made, changed, digest, sent = row
    return Draft(  # the columns' types are those of the table
        str(id),
        str(type),
        None if chain is None else str(chain),
        str(event_id),
        next(one for one in STATES if one == state),
        str(owner),
        int(str(version)),
        to_datetime(int(str(made))),
        to_datetime(int(str(changed))),
        None if digest is None else str(digest),
        None if sent is None else str(sent),
    )


def _add_writer(connection: sqlite3.Connection, draft: str, officer: Officer) -> None:
    connection.execute("INSERT OR IGNORE INTO draft_writer VALUES (?, ?)", (draft, officer.name))


def _note(
    connection: sqlite3.Connection, draft: str, officer: Officer, act: Act, words: bytes | None = None
) -> None:
    connection.execute(
        "INSERT INTO draft_step (draft, at_ms, officer, shown, act, words) VALUES (?, ?, ?, ?, ?, ?)",
        (draft, _now_ms(), officer.name, officer.shown, act, words),
    )


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
