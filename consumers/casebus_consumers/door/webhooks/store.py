"""What the door tells the agency's systems: addresses with their secrets and places, messages."""

import re
import sqlite3
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from casebus_consumers.kept_file import KeptFile, made_once
from casebus_schemas.errors import UsageError

from ..addresses import target_of
from ..deliveries import ADD_MESSAGE, ADDRESS_STANDING, MESSAGES, Deliveries, Message
from .signing import SYMMETRIC, new_secret

EVENTS = ("notice.arrived", "receipt.refused", "receipt.admitted", "receipt.ledgered")
"""What an address may be told of."""
DEFAULT_EVENTS = EVENTS[:2]
FORMER_SECRET_MS = 24 * 3_600_000
"""So long the secret before the last one signs beside it."""
_VERSION = 1
_TABLES = f"""
CREATE TABLE address (
    name TEXT PRIMARY KEY, url TEXT NOT NULL, events TEXT NOT NULL, secret TEXT NOT NULL,
    former_secret TEXT, former_until_ms INTEGER NOT NULL DEFAULT 0,
    inbox_seq INTEGER NOT NULL, inbox_notice TEXT, receipt_seq INTEGER NOT NULL,
{ADDRESS_STANDING});
{MESSAGES}"""
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,40}\Z")
_ADDRESS = (
    "name, url, events, secret, former_secret, former_until_ms, inbox_seq, inbox_notice, receipt_seq, gone, "
    "failures, failing_since_ms, paused_until_ms, told_at_ms, problem"
)


class Address(NamedTuple):
    """A system that is told, and how it stands. Times are ms since 1970 UTC."""

    name: str
    url: str
    events: str
    secret: str
    former_secret: str | None
    former_until_ms: int
    inbox_seq: int
    inbox_notice: str | None
    receipt_seq: int
    gone: int
    failures: int
    failing_since_ms: int | None
    paused_until_ms: int
    told_at_ms: int | None
    problem: str | None

    def secrets(self, now_ms: int) -> list[str]:
        """The secrets under which a message is signed now."""
        former = self.former_secret if now_ms < self.former_until_ms else None
        return [self.secret, *([former] if former else [])]

    @property
    def state(self) -> str:
        """`gone`: it answered 410 and is told no more; `failing`: its last call failed; else `well`."""
        return "gone" if self.gone else "failing" if self.failures else "well"


def webhooks_file(folder: Path) -> Path:
    """Addresses and messages of an agency's door, beside its outbox."""
    return folder / "webhooks.db"


class WebhookStore(Deliveries):
    """The file. Each call is one transaction, on disk when it returns; for several threads and processes."""

    def __init__(self, file: Path, clock_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000) -> None:
        super().__init__(KeptFile(file, made_once(_TABLES, _VERSION)), clock_ms)

    # --- addresses ---------------------------------------------------------------------------------------

    def add(
        self,
        name: str,
        url: str,
        events: Sequence[str],
        *,
        asymmetric: bool,
        places: tuple[int, str | None, int],
    ) -> str:
        """A new address and its secret; it is told what comes behind `places` (inbox, its notice, receipts).

        Raises UsageError for a name that is none or is taken, a URL that is none, an event that is none.
        """
        if not _NAME.match(name):
            raise UsageError(
                "no name of an address",
                found=repr(name)[:60],
                expected="small letters, digits and hyphens, at most 41",
            )
        if unknown := [one for one in events if one not in EVENTS] or not events:
            raise UsageError("no event of a webhook", found=repr(unknown), expected="of " + ", ".join(EVENTS))
        target_of(url)
        secret = new_secret(asymmetric=asymmetric)
        try:
            with self._kept.writing() as connection:
                connection.execute(
                    "INSERT INTO address (name, url, events, secret, inbox_seq, inbox_notice, receipt_seq)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?)",
                    (name, url, ",".join(events), secret, *places),
                )
        except sqlite3.IntegrityError as error:
            raise UsageError(
                "an address of that name is there",
                found=name,
                expected="another name",
                remedy="remove it first",
            ) from error
        return secret

    def remove(self, name: str) -> None:
        """Ends an address and what waits for it. Raises UsageError if there is none."""
        self.address(name)
        with self._kept.writing() as connection:
            connection.execute("DELETE FROM message WHERE address = ?", (name,))
            connection.execute("DELETE FROM address WHERE name = ?", (name,))

    def rotate(self, name: str) -> str:
        """A new secret; the one before signs beside it for a day. Raises UsageError if there is none."""
        former = self.address(name).secret
        secret = new_secret(asymmetric=not former.startswith(SYMMETRIC))
        with self._kept.writing() as connection:
            connection.execute(
                "UPDATE address SET secret = ?, former_secret = ?, former_until_ms = ? WHERE name = ?",
                (secret, former, self.now_ms() + FORMER_SECRET_MS, name),
            )
        return secret

    def address(self, name: str) -> Address:
        """One address. Raises UsageError if there is none of that name."""
        for one in (known := self.addresses()):
            if one.name == name:
                return one
        raise UsageError(
            "no such address of a webhook",
            found=name,
            expected=", ".join(one.name for one in known) or "one that was added",
        )

    def addresses(self) -> list[Address]:
        """All, by name."""
        return [Address(*row) for row in self._kept.rows(f"SELECT {_ADDRESS} FROM address ORDER BY name")]

    # --- messages ----------------------------------------------------------------------------------------

    def take(
        self,
        name: str,
        messages: Sequence[Message],
        *,
        inbox: tuple[int, str | None] | None = None,
        receipts: int | None = None,
    ) -> None:
        """Keeps messages to be told with the place up to which they were taken. Those known are not added."""
        now = self.now_ms()
        with self._kept.writing() as connection:
            connection.executemany(ADD_MESSAGE, [(name, one.id, one.body, now, now) for one in messages])
            if inbox is not None:
                connection.execute(
                    "UPDATE address SET inbox_seq = ?, inbox_notice = ? WHERE name = ?", (*inbox, name)
                )
            if receipts is not None:
                connection.execute("UPDATE address SET receipt_seq = ? WHERE name = ?", (receipts, name))
