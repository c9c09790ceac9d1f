"""The client systems of a door: each with a bearer key, whose SHA-256 is kept, or a certificate's name."""

import hmac
import json
import os
import re
import secrets
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from casebus_schemas.errors import UsageError

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,40}\Z")
_BEGINS = "cbk_"
"""So that whoever finds a key in a log knows what it opens."""
_LOOK_S = 1.0
_MOST_NAME = 255
CERTIFICATE = "certificate_names"
"""Where a request's state holds the names in its connection's verified certificate."""
KINDS = ("DNS", "URI", "CN")
"""What of a certificate names a system: two kinds of alternative name, and the subject's common name."""


def clients_file(folder: Path) -> Path:
    """Names and hashes of an agency's clients, beside its outbox."""
    return folder / "door-clients.json"


@dataclass(frozen=True, slots=True)
class Known:
    """The clients: SHA-256 of a key in hexadecimal, or the name in a certificate, by the client's name."""

    keys: Mapping[str, str]
    certificates: Mapping[str, str]


def add_client(folder: Path, name: str) -> str:
    """Makes the key of a new client and gives it: it is kept nowhere else.

    Raises UsageError for a name that is no name or is taken.
    """
    known = _with_room(folder, name)
    key = _BEGINS + secrets.token_urlsafe(32)
    hashed = sha256(key.encode()).hexdigest()
    _write(clients_file(folder), Known({**known.keys, name: hashed}, known.certificates))
    return key


def add_certified(folder: Path, name: str, certificate: str) -> None:
    """Makes a client that is known by this name in its certificate.

    Raises UsageError for a name that is no name or is taken, of the client or in the certificate.
    """
    known = _with_room(folder, name)
    kind, _, rest = certificate.partition(":")
    if kind not in KINDS or not rest or not certificate.isprintable() or len(certificate) > _MOST_NAME:
        raise UsageError(
            "no name in a certificate",
            found=repr(certificate)[:80],
            expected="one of " + ", ".join(f"{one}:…" for one in KINDS),
        )
    if certificate in known.certificates.values():
        raise UsageError(
            "a client has that certificate", found=certificate, expected="a name of its own for each client"
        )
    _write(clients_file(folder), Known(known.keys, {**known.certificates, name: certificate}))


def _with_room(folder: Path, name: str) -> Known:
    """Who is known, if a client of this name may be added."""
    if not _NAME.match(name):
        raise UsageError(
            "no name of a client",
            found=repr(name)[:60],
            expected="small letters, digits and hyphens, at most 41",
        )
    known = _read(clients_file(folder))
    if name in known.keys or name in known.certificates:
        raise UsageError(
            "a client of that name is known", found=name, expected="another name", remedy="remove it first"
        )
    return known


def remove_client(folder: Path, name: str) -> None:
    """Ends a client, in a door that runs within a second. Raises UsageError if there is none."""
    known = _read(clients_file(folder))
    names = {*known.keys, *known.certificates}
    if name not in names:
        raise UsageError(
            "no such client", found=name, expected=", ".join(sorted(names)) or "one that was added"
        )
    left = [
        {one: how for one, how in kept.items() if one != name} for kept in (known.keys, known.certificates)
    ]
    _write(clients_file(folder), Known(*left))


def client_names(folder: Path) -> list[str]:
    """Who may come in."""
    known = _read(clients_file(folder))
    return sorted({*known.keys, *known.certificates})


def make_key_file(folder: Path, name: str, file: Path) -> None:
    """A client whose key lies in a file of mode 0600; made anew where the two do not fit. Idempotent."""
    known = _read(clients_file(folder))
    if file.exists() and known.keys.get(name) == sha256(file.read_text().strip().encode()).hexdigest():
        return
    if name in known.keys or name in known.certificates:
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
        self._known = Known({}, {})
        self._looked_at = 0.0

    def named(self, key: str) -> str | None:
        """The client whose key this is, None if it is nobody's."""
        given = sha256(key.encode()).hexdigest()
        found = None
        for name, known in self._now().keys.items():  # all of them: the time tells nothing of whose key it is
            if hmac.compare_digest(known, given):
                found = name
        return found

    def certified(self, names: Iterable[str]) -> str | None:
        """The client that one of a verified certificate's names is given to; None for none or several."""
        shown = set(names)
        found = [name for name, known in self._now().certificates.items() if known in shown]
        return found[0] if len(found) == 1 else None

    def _now(self) -> Known:
        now = time.monotonic()
        if now - self._looked_at > _LOOK_S or not self._looked_at:
            self._known, self._looked_at = _read(self._file), now
        return self._known


def _read(file: Path) -> Known:
    try:
        body = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Known({}, {})
    except (OSError, ValueError) as error:
        raise UsageError(f"cannot read the clients in {file}", found=str(error)) from error
    return Known(body["clients"], body.get("certificates", {}))


def _write(file: Path, known: Known) -> None:
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = file.with_name(file.name + ".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        json.dump({"clients": known.keys, "certificates": known.certificates}, out, indent=1)
        out.flush()
        os.fsync(out.fileno())
    fresh.replace(file)
