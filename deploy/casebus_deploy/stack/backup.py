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

from casebus_deploy.embedded.secret_files import write_private
from casebus_schemas.catalogue.topology import OPERATOR
from casebus_schemas.connection import Connection
from casebus_schemas.errors import UsageError
from casebus_services.sqlite_backup import back_up

from .enrolment import enrolled_dir
from .holidays_folder import FOLDER

MANIFEST = "backup.json"
FORM = 1
_DERIVED = {
    "topics": "Kafka's topics are the history itself: back up broker/ at rest, or use a replicated cluster",
    "accounts": "made anew from bus.admission by the next `casebus up`",
    "witnesses": "with a state older than what it signed a witness could sign two histories: new ones enrol",
}
HIGH_WATER = Path("services", "sealer", "high-water.checkpoint")
EARLIER = ".earlier"
"""Ends the name of what a restored bus makes anew, and keeps beside it as it was: its policies."""
_OWN_FILES = ("desk.db", "webhooks.db", "notify.db", "drop-folder.db")
"""Databases beside an agency's outbox, where it has them."""
_OWN_SETTINGS = ("door.yaml", "notify.yaml")
_KEY_FOLDERS = ("data-keys", "granted-keys")
"""Folders beside it of keys under which personal data are sealed."""


@dataclass(slots=True)
class Backup:
    """What a backup holds: files below its folder with their digests, and what it does not hold and why."""

    made_at: str
    files: dict[str, str] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    ledger: str | None = None
    """Name of the ledger, which a restored bus goes on with."""

    def to_json(self) -> dict[str, Any]:
        """As `backup.json` holds it."""
        body = {"form": FORM, "made_at": self.made_at, "files": self.files, "missing": self.missing}
        return body | {"ledger": self.ledger}


def make_backup(connection: Connection, to: Path, *, keys: bool) -> Backup:
    """Copies what cannot be derived, each database whole while it is in use, and with `keys` all secrets.

    Every file is its owner's alone (0600). Raises UsageError if `to` holds anything, RetryLater if a file
    cannot be read or written.
    """
    if to.exists() and any(to.iterdir()):
        raise UsageError("a backup replaces nothing", found=str(to), expected="a new or empty folder")
    to.mkdir(parents=True, exist_ok=True, mode=0o700)
    made = Backup(
        time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        missing=dict(_DERIVED),
        ledger=connection.ledger_origin,
    )
    # The high water before the ledger: the copy of the ledger must not lack what it knows.
    for name, file in _settings(connection):
        _copy(file, to / name)
        made.files[name] = _digest(to / name)
    for name, file in _databases(connection, made):
        if file.is_file():
            _folder(to / name)
            back_up(file, to / name)
            made.files[name] = _digest(to / name)
        else:
            made.missing[name] = f"there was no {file}"
    for name, file in _secrets(connection):
        if not keys:
            made.missing["secrets"] = "keys, chain secrets and passwords were left out: back them up apart"
        elif file.is_file():
            _copy(file, to / name)
            made.files[name] = _digest(to / name)
        else:
            made.missing[name] = f"there was no {file}"
    write_private(to / MANIFEST, json.dumps(made.to_json(), indent=1, ensure_ascii=False) + "\n")
    return made


def read_backup(folder: Path) -> Backup:
    """What the backup in a folder says it holds. Raises UsageError if it is none, or not as it says."""
    try:
        body = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        if body["form"] != FORM:
            raise UsageError("a backup of another form", found=body["form"], expected=FORM)
        found = Backup(str(body["made_at"]), dict(body["files"]), dict(body["missing"]), body.get("ledger"))
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
        _copy(folder / name, _inside(data, name))
    connection = data / "connection.json"
    if backup.ledger is not None and not connection.exists():
        # Only what `casebus up` goes on with: it writes the rest, with paths and addresses as they are here.
        write_private(connection, json.dumps({"ledger": {"origin": backup.ledger}}) + "\n")
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
            for own in _OWN_FILES:
                if (principal.data_dir / own).is_file():
                    yield f"agencies/{name}/{own}", principal.data_dir / own


def _secrets(connection: Connection) -> Iterator[tuple[str, Path]]:
    for file in connection.secret_files():
        yield f"secrets/{file.name}", file
    for name, principal in connection.principals.items():
        if principal.data_dir is not None:
            for folder in _KEY_FOLDERS:
                for file in sorted((principal.data_dir / folder).glob("*")):
                    yield f"agencies/{name}/{folder}/{file.name}", file


def _settings(connection: Connection) -> Iterator[tuple[str, Path]]:
    """Small files that people or the bus wrote and nothing can derive.

    The approved requests are among them: with these a restored folder stays one in which agencies have their
    own keys.
    """
    for name, principal in connection.principals.items():
        if principal.data_dir is not None:
            for own in _OWN_SETTINGS:
                if (principal.data_dir / own).is_file():
                    yield f"agencies/{name}/{own}", principal.data_dir / own
    operator = connection.principals.get(OPERATOR)
    if operator is None:
        return
    data = operator.password_file.parent.parent
    for file in (*sorted(enrolled_dir(data).glob("*.json")), *sorted((data / FOLDER).glob("*.yaml"))):
        yield f"{file.parent.name}/{file.name}", file
    for name in ("policy", "policy.provisional"):
        if (data / name).is_file():
            yield f"{name}{EARLIER}", data / name
    if (data / HIGH_WATER).is_file():
        yield HIGH_WATER.as_posix(), data / HIGH_WATER


def _folder(file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)


def _copy(file: Path, to: Path) -> None:
    _folder(to)
    shutil.copyfile(file, to)
    to.chmod(0o600)


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
