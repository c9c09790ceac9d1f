"""A new encryption key: kept before it is announced, so that nothing is sealed for one that is lost."""

import secrets
import time
from base64 import b64encode
from datetime import datetime
from pathlib import Path
from typing import Any

from casebus_schemas.admission.keyring import ENCRYPT, Keyring
from casebus_schemas.errors import UsageError
from casebus_schemas.evidence.key_entry import KeyEntry
from casebus_schemas.sealed.cipher import DecryptionKey

from ..config import AgencySettings
from ..keys.key_events import KeyEvents
from ..private_files import read_private, write_private
from .decryption_keys import encryption_facts, read_decryption_keys


class EncryptionChange:
    """One exchange, in steps that may be broken off between any two and begun again."""

    def __init__(self, settings: AgencySettings, timeout_s: float) -> None:
        self._agency = settings.agency
        if settings.encryption_key_file is None:
            raise UsageError("no file for encryption keys", expected="CASEBUS_ENCRYPTION_KEY_FILE")
        self._file: Path = settings.encryption_key_file
        self._events = KeyEvents(settings, timeout_s)

    def run(self, not_after: datetime | None = None) -> dict[str, Any]:
        """Adds a key to the file, announces it, and lets it replace the one before; gives both ids.

        The old private key stays in the file behind the new one: what was sealed for it stays readable. A key
        of the file that was never announced is taken instead of a new one.
        """
        ring = self._events.keyring()
        old = ring.encryption_key(self._agency, time.time_ns() // 1_000_000)
        new = self._unannounced(ring) or self._made()
        facts = _at_the_door(self._agency, new, not_after)
        if old is None:
            said = self._events.say("key.announced", facts)
        else:
            said = self._events.say("key.rotated", {**facts, "replaces": old.key_id.hex()})
        self._events.until(said, lambda keys: _is_valid(keys.find(self._agency, new.key_id)))
        return {
            "new": new.key_id.hex(),
            "old": None if old is None else old.key_id.hex(),
            "file": str(self._file),
        }

    def _unannounced(self, ring: Keyring) -> DecryptionKey | None:
        if not self._file.exists():
            return None
        known = (
            key for key in read_decryption_keys(self._file) if ring.find(self._agency, key.key_id) is None
        )
        return next(known, None)

    def _made(self) -> DecryptionKey:
        before = read_private(self._file, "encryption keys") if self._file.exists() else ""
        seed = secrets.token_hex(32)
        write_private(self._file, f"{seed}\n{before}")
        return DecryptionKey(bytes.fromhex(seed))


def _is_valid(entry: KeyEntry | None) -> bool:
    return entry is not None and entry.role == ENCRYPT and entry.ended is None


def _at_the_door(agency: str, key: DecryptionKey, not_after: datetime | None) -> dict[str, Any]:
    facts = encryption_facts(agency, key)
    return {
        **facts,
        "key_id": key.key_id.hex(),
        "public_key": b64encode(key.public).decode(),
        "not_after": None if not_after is None else not_after.isoformat(),
    }
