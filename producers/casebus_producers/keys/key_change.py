"""Exchanges an agency's signing key, in steps that may be broken off between any two and begun again."""

import time
from base64 import b64encode
from datetime import datetime
from pathlib import Path
from typing import Any

from casebus_schemas.errors import UsageError
from casebus_schemas.evidence.algorithms import by_name
from casebus_schemas.evidence.key_entry import KeyEntry
from casebus_schemas.times import beijing_text, to_datetime, to_moment
from casebus_schemas.wire.signing import SigningKey

from ..config import AgencySettings
from ..private_files import write_private
from .epoch_at import epoch_at
from .key_events import KeyEvents


class KeyChange:
    """One exchange: announce the next key under the old one, let it sign, retire the old one."""

    def __init__(self, settings: AgencySettings, timeout_s: float, algorithm: str | None = None) -> None:
        """`algorithm` is that of the next key, by default that of the one that signs."""
        self._settings = settings
        self._algorithm = algorithm
        self._events = KeyEvents(settings, timeout_s)
        self._file = settings.signing_key_file
        self._next = self._file.with_name(self._file.name + ".next")

    def run(self, not_after: datetime | None, *, keep_old: bool) -> dict[str, Any]:
        """Does it all; gives the ids of both keys and where the old one is kept.

        Raises UsageError if the key that signs may announce none and the operator has admitted none,
        RetryLater if Kafka does not take an event or does not show it in time.
        """
        old = self._settings.signing_key()
        entry = self._events.keyring().find(self._settings.agency, old.key_id)
        now_ms = time.time_ns() // 1_000_000
        new = self._made()
        if entry is None or entry.ended is not None or (entry.not_after_ms or now_ms + 1) <= now_ms:
            state = "is not announced" if entry is None else f"is {entry.ended or 'over'}"
            return self._readmitted(old, new, f"{old.key_id.hex()[:16]}… {state}")
        if self._events.keyring().find(self._settings.agency, new.key_id) is None:
            at = self._events.say("key.announced", _facts(new, not_after))
            self._events.until(at, lambda keys: keys.find(self._settings.agency, new.key_id) is not None)
        else:
            self._events.say(None, {})
        kept = self._exchanged(old)
        if not keep_old:
            at = self._events.say("key.retired", {"key_id": old.key_id.hex(), "reasons": "轮换 rotated"})
            self._events.until(at, lambda keys: _ended(keys.find(self._settings.agency, old.key_id)))
        return {
            "new": new.key_id.hex(),
            "old": old.key_id.hex(),
            "old_file": str(kept),
            "retired": not keep_old,
        }

    def revoke(
        self, key_id: str, since: datetime | None, reasons: str, since_epoch: int | None = None
    ) -> dict[str, Any]:
        """Ends a key that got out, from now on, signed by the key that signs here; it may be that key itself.

        `since` says from when what it signed is not to be trusted, `since_epoch` the same as the last epoch
        of the ledger in which it was; where only a time is given, the epoch is looked up. What was recorded
        before stays valid, what lies between is in doubt. Raises UsageError for a key of nobody, of another
        agency, or that was revoked before.
        """
        known = [
            one
            for one in self._events.keyring().of(self._settings.agency)
            if one.key_id.hex().startswith(key_id)
        ]
        if len(known) != 1 or known[0].ended == "revoked":
            raise UsageError(
                "which key is to be revoked?",
                found=f"{key_id} names {len(known)} keys" if len(known) != 1 else f"it is {known[0].ended}",
                expected="the id, or its beginning, of one key that was not revoked",
                remedy=f"casebus keys list --agency {self._settings.agency} shows them",
            )
        wanted = known[0].key_id
        if since is not None and since_epoch is None:
            since_epoch = epoch_at(self._settings, to_moment(since))
        facts = {
            "compromised_since": None if since is None else since.isoformat(),
            "compromised_since_epoch": since_epoch,
            "reasons": reasons,
        }
        at = self._events.say("key.revoked", {"key_id": wanted.hex(), **facts})
        self._events.until(at, lambda keys: _revoked(keys.find(self._settings.agency, wanted)))
        return {"key_id": wanted.hex(), **facts}

    def _readmitted(self, old: SigningKey, new: SigningKey, state: str) -> dict[str, Any]:
        """Lets a key sign that the operator has announced for this agency."""
        found = self._events.keyring().find(self._settings.agency, new.key_id)
        if found is None or found.ended is not None:
            raise UsageError(
                "the key that signs may announce no other",
                found=state,
                expected="that the operator admits the next one",
                remedy=f"give the operator this public key for `casebus keys readmit {self._settings.agency} "
                f"{new.public.hex()}`, then give the same command again (docs/how-to/rotate-keys.md)",
            )
        kept = self._exchanged(old)
        return {"new": new.key_id.hex(), "old": old.key_id.hex(), "old_file": str(kept), "retired": True}

    def _exchanged(self, old: SigningKey) -> Path:
        kept = self._file.with_name(f"{self._file.name}.{old.key_id.hex()[:16]}")
        write_private(kept, self._file.read_text(encoding="ascii"))
        self._next.replace(self._file)
        return kept

    def _made(self) -> SigningKey:
        if not self._next.exists():
            write_private(self._next, self._new_key())
        made = SigningKey.from_file(self._next)
        if self._algorithm not in (None, made.algorithm.name):
            raise UsageError(
                f"an exchange was begun with a key of {made.algorithm.name}",
                found=str(self._next),
                expected=f"one of {self._algorithm}",
                remedy=f"finish it with --algorithm {made.algorithm.name}, then exchange that key",
            )
        return made

    def _new_key(self) -> str:
        name = self._algorithm or self._settings.signing_key().algorithm.name
        try:
            return by_name(name).make()
        except ValueError as error:
            raise UsageError(
                "no such key can be made", found=str(error), expected="an algorithm that is installed here"
            ) from error


def key_line(entry: KeyEntry) -> dict[str, Any]:
    """One key as JSON."""
    return {
        "holder": entry.agency,
        "key_id": entry.key_id.hex(),
        "public_key": entry.public.hex(),
        "role": entry.role,
        "not_before": _time(entry.not_before_ms),
        "not_after": _time(entry.not_after_ms),
        "readmitted": entry.readmitted,
        "ended": entry.ended,
        "ended_at": _time(entry.ended_ms),
        "compromised_since": _time(entry.compromised_ms),
        "compromised_since_epoch": entry.compromised_epoch,
    }


def _time(time_ms: int | None) -> str | None:
    return None if time_ms is None else beijing_text(to_datetime(time_ms))


def _revoked(entry: KeyEntry | None) -> bool:
    return entry is not None and entry.ended == "revoked"


def _ended(entry: KeyEntry | None) -> bool:
    return entry is not None and entry.ended is not None


def _facts(key: SigningKey, not_after: datetime | None) -> dict[str, Any]:
    return {
        "key_id": key.key_id.hex(),
        "algorithm": key.algorithm.name,
        "role": "event",
        "public_key": b64encode(key.public).decode(),
        "not_after": None if not_after is None else not_after.isoformat(),
    }
