"""Backs up what of a running bus cannot be derived, and puts it into a new data folder."""

import json
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from sqlalchemy import make_url

from casebus_schemas.catalogue.topology import OPERATOR
from casebus_schemas.connection import Connection
from casebus_schemas.errors import UsageError
from casebus_services.sqlite_backup import back_up

from .enrolment import enrolled_dir

MANIFEST = "backup.json"
FORM = 1
_DERIVED = {
    "topics": "Kafka's topics are the history itself: back up broker/ at rest, or use a replicated cluster",
    "accounts": "made anew from bus.admission by the next `casebus up`",
}


@dataclass(slots=True)
class Backup:
    """What a backup holds: files below its folder with their digests, and what it does not hold and why."""

    made_at: str
    files: dict[str, str] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """As `backup.json` holds it."""
        return {"form": FORM, "made_at": self.made_at, "files": self.files, "missing": self.missing}


def make_backup(connection: Connection, to: Path, *, keys: bool) -> Backup:
    """Copies ledger and outboxes, each whole while it is in use, and with `keys` all secrets.

    Raises UsageError if `to` holds anything, RetryLater if a file cannot be read or written.
    """
    if to.exists() and any(to.iterdir()):
        raise UsageError("a backup replaces nothing", found=str(to), expected="a new or empty folder")
    to.mkdir(parents=True, exist_ok=True, mode=0o700)
    made = Backup(time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), missing=dict(_DERIVED))
    for name, file in _databases(connection, made):
        if file.is_file():
            (to / name).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            back_up(file, to / name)
            made.files[name] = _digest(to / name)
        else:
            made.missing[name] = f"there was no {file}"
    for name, file in _secrets(connection):
        if not keys:
            made.missing["secrets"] = "keys, chain secrets and passwords were left out: back them up apart"
        elif file.is_file():
            (to / name).parent.mkdir(exist_ok=True, mode=0o700)
            shutil.copyfile(file, to / name)
            (to / name).chmod(0o600)
            made.files[name] = _digest(to / name)
        else:
            made.missing[name] = f"there was no {file}"
    for name, file in _enrolled(connection):
        (to / name).parent.mkdir(exist_ok=True, mode=0o700)
        shutil.copyfile(file, to / name)
        made.files[name] = _digest(to / name)
    (to / MANIFEST).write_text(
        json.dumps(made.to_json(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    return made


def read_backup(folder: Path) -> Backup:
    """What the backup in a folder says it holds. Raises UsageError if it is none, or not as it says."""
    try:
        body = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        if body["form"] != FORM:
            raise UsageError("a backup of another form", found=body["form"], expected=FORM)
        found = Backup(str(body["made_at"]), dict(body["files"]), dict(body["missing"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{folder} holds no backup", found=repr(error)[:200], expected=MANIFEST) from error
    wrong = [name for name, digest in found.files.items() if _digest(_inside(folder, name)) != digest]
    if wrong:
        raise UsageError(
            "files of the backup are not as it says", found=", ".join(wrong), expected="their digests"
        )
    return found


def restore(folder: Path, data: Path) -> Backup:
    """Puts what a backup holds into a data folder that has none of it; then `casebus up` can use it.

    Raises UsageError if a file is there already, or the backup is not whole.
    """
    backup = read_backup(folder)
    if there := [name for name in backup.files if _inside(data, name).exists()]:
        raise UsageError("a restore replaces nothing", found=", ".join(there), expected="a new data folder")
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    for name in backup.files:
        target = _inside(data, name)
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        shutil.copyfile(folder / name, target)
        target.chmod(0o600)
    return backup


def _databases(connection: Connection, made: Backup) -> Iterator[tuple[str, Path]]:
    url = make_url(connection.databases.get("ledger") or "none://")
    if url.get_backend_name() == "sqlite" and url.database:
        yield "ledger.db", Path(url.database)
    else:
        made.missing["ledger"] = f"in {url.get_backend_name()}: pg_dump --format=custom makes a whole copy"
    for name, principal in connection.principals.items():
        if principal.data_dir is not None:
            yield f"agencies/{name}/outbox.db", principal.data_dir / "outbox.db"


def _secrets(connection: Connection) -> Iterator[tuple[str, Path]]:
    for file in connection.secret_files():
        yield f"secrets/{file.name}", file


def _enrolled(connection: Connection) -> Iterator[tuple[str, Path]]:
    """The approved requests: with them a restored folder stays one in which agencies have their own keys."""
    operator = connection.principals.get(OPERATOR)
    if operator is not None:
        for file in sorted(enrolled_dir(operator.password_file.parent.parent).glob("*.json")):
            yield f"{file.parent.name}/{file.name}", file


def _inside(folder: Path, name: str) -> Path:
    """The file of that name; a name that leads out of the folder is none of a backup."""
    found = folder / name
    if Path(name).is_absolute() or ".." in Path(name).parts:
        raise UsageError("a name that leads out of the backup", found=name)
    return found


def _digest(file: Path) -> str:
    if not file.is_file():
        return "missing"
    with file.open("rb") as opened:
        made = sha256()
        while block := opened.read(1 << 20):
            made.update(block)
    return made.hexdigest()
