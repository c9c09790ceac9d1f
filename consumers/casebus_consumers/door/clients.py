"""The client systems of a door: each has a name and a bearer key, of which only the SHA-256 is kept."""

import hmac
import json
import os
import re
import secrets
import time
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

from casebus_schemas.errors import UsageError

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,40}\Z")
_BEGINS = "cbk_"
"""So that whoever finds a key in a log knows what it opens."""
_LOOK_S = 1.0


def clients_file(folder: Path) -> Path:
    """Names and hashes of an agency's clients, beside its outbox."""
    return folder / "door-clients.json"


def add_client(folder: Path, name: str) -> str:
    """Makes the key of a new client and gives it: it is kept nowhere else.

    Raises UsageError for a name that is no name or is taken.
    """
    if not _NAME.match(name):
        raise UsageError(
            "no name of a client",
            found=repr(name)[:60],
            expected="small letters, digits and hyphens, at most 41",
        )
    known = dict(_read(clients_file(folder)))
    if name in known:
        raise UsageError(
            "a client of that name has a key", found=name, expected="another name", remedy="remove it first"
        )
    key = _BEGINS + secrets.token_urlsafe(32)
    _write(clients_file(folder), {**known, name: sha256(key.encode()).hexdigest()})
    return key


def remove_client(folder: Path, name: str) -> None:
    """Ends a client's key, in a door that runs within a second. Raises UsageError if there is none."""
    known = dict(_read(clients_file(folder)))
    if known.pop(name, None) is None:
        raise UsageError(
            "no such client", found=name, expected=", ".join(sorted(known)) or "one that was added"
        )
    _write(clients_file(folder), known)


def client_names(folder: Path) -> list[str]:
    """Who has a key."""
    return sorted(_read(clients_file(folder)))


def make_key_file(folder: Path, name: str, file: Path) -> None:
    """A client whose key lies in a file of mode 0600; made anew where the two do not fit. Idempotent."""
    known = _read(clients_file(folder))
    if file.exists() and known.get(name) == sha256(file.read_text().strip().encode()).hexdigest():
        return
    if name in known:
        remove_client(folder, name)
    key = add_client(folder, name)
    file.unlink(missing_ok=True)
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write(key + "\n")


class Clients:
    """Who may come in; the file is looked at anew, so that a key ends while the door runs."""

    def __init__(self, folder: Path) -> None:
        self._file = clients_file(folder)
        self._known: Mapping[str, str] = {}
        self._looked_at = 0.0

    def named(self, key: str) -> str | None:
        """The client whose key this is, None if it is nobody's."""
        now = time.monotonic()
        if now - self._looked_at > _LOOK_S or not self._looked_at:
            self._known, self._looked_at = _read(self._file), now
        given = sha256(key.encode()).hexdigest()
        found = None
        for name, known in self._known.items():  # all of them: the time tells nothing of whose key it is
            if hmac.compare_digest(known, given):
                found = name
        return found


def _read(file: Path) -> Mapping[str, str]:
    try:
        body = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise UsageError(f"cannot read the clients in {file}", found=str(error)) from error
    clients: dict[str, str] = body["clients"]
    return clients


def _write(file: Path, clients: Mapping[str, str]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = file.with_name(file.name + ".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        json.dump({"clients": clients}, out, indent=1)
        out.flush()
        os.fsync(out.fileno())
    fresh.replace(file)
