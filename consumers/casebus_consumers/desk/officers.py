"""The local officers of a desk: names, roles and argon2id hashes of their passwords."""

import re
import secrets
import threading
import time
from dataclasses import dataclass

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from casebus_schemas.errors import UsageError

from .rights import Role, read_role
from .store import DeskStore

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,40}\Z")
LONGEST, SHORTEST = 256, 10
"""Characters of a password."""
AT_PROVIDER = "oidc:"
"""How the names of officers begin who sign in at the identity provider."""
_LONGEST_NAME = 260
_PROVEN_ELSEWHERE = """
INSERT INTO officer VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (name) DO UPDATE SET shown = excluded.shown, unit = excluded.unit, role = excluded.role
"""
_AT_ONCE = 2
"""Passwords looked at at a time: each takes 64 MiB."""


@dataclass(frozen=True, slots=True)
class Officer:
    """Somebody who signs in; `shown` is how events and pages name the officer."""

    name: str
    shown: str
    unit: str
    role: Role


class Officers:
    """Those of one desk."""

    def __init__(self, store: DeskStore, hasher: PasswordHasher | None = None) -> None:
        self._store = store
        self._hasher = hasher or PasswordHasher()
        self._looking = threading.BoundedSemaphore(_AT_ONCE)
        self._nobody = self._hasher.hash(secrets.token_urlsafe(16))

    def add(self, name: str, password: str, role: str, *, shown: str = "", unit: str = "") -> Officer:
        """Adds an officer, or gives one a new password, role and name; whoever is signed in is signed out.

        Raises UsageError for what is no name, role or password.
        """
        if not _NAME.match(name):
            raise UsageError(
                "no name to sign in with",
                found=repr(name[:60]),
                expected="small letters, digits, dots and hyphens, at most 41",
            )
        if not SHORTEST <= len(password) <= LONGEST:
            raise UsageError(
                "no password", found=f"{len(password)} characters", expected=f"{SHORTEST} to {LONGEST}"
            )
        officer = Officer(name, shown.strip() or name, unit.strip(), read_role(role))
        row = (name, officer.shown, officer.unit, officer.role, self._hasher.hash(password), _now_ms())
        with self._store.writing() as connection:
            connection.execute("DELETE FROM officer WHERE name = ?", (name,))
            connection.execute("INSERT INTO officer VALUES (?, ?, ?, ?, ?, ?)", row)
        return officer

    def from_provider(self, name: str, role: Role, *, shown: str = "", unit: str = "") -> Officer:
        """Whom the identity provider has proven, with what it says now; no password opens this name.

        The name stands under `oidc:`, where no local officer's can stand.
        """
        officer = Officer(f"{AT_PROVIDER}{name}"[:_LONGEST_NAME], shown.strip() or name, unit.strip(), role)
        with self._store.writing() as connection:
            row = (officer.name, officer.shown, officer.unit, officer.role, "", _now_ms())
            connection.execute(_PROVEN_ELSEWHERE, row)
        return officer

    def remove(self, name: str) -> None:
        """Ends an officer and every session. Raises UsageError if there is none."""
        with self._store.writing() as connection:
            if connection.execute("DELETE FROM officer WHERE name = ?", (name,)).rowcount == 0:
                raise UsageError("no such officer", found=repr(name[:60]), expected="one that was added")

    def all(self) -> list[Officer]:
        """Every officer, by name."""
        with self._store.reading() as connection:
            rows = connection.execute("SELECT name, shown, unit, role FROM officer ORDER BY name").fetchall()
        return [_officer(row) for row in rows]

    def named(self, name: str) -> Officer | None:
        """An officer by name."""
        with self._store.reading() as connection:
            row = connection.execute(
                "SELECT name, shown, unit, role FROM officer WHERE name = ?", (name,)
            ).fetchone()
        return None if row is None else _officer(row)

    def proven(self, name: str, password: str) -> Officer | None:
        """The officer of that name if that is the password. Blocks for a tenth of a second, whoever it is."""
        with self._store.reading() as connection:
            row = connection.execute(
                "SELECT name, shown, unit, role, hash FROM officer WHERE name = ?", (name,)
            ).fetchone()
        with self._looking:
            right = self._is(password[: LONGEST + 1], self._nobody if row is None else row[4])
        return _officer(row[:4]) if right and row is not None else None

    def _is(self, password: str, hash: str) -> bool:
        try:
            return self._hasher.verify(hash, password)
        except (VerificationError, InvalidHashError):
            return False


def _officer(row: tuple[str, str, str, str]) -> Officer:
    return Officer(row[0], row[1], row[2], read_role(row[3]))


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
