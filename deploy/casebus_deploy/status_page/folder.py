"""What the folder of a bus says of it without asking anybody: one reading for page, doctor and desk."""

import json
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .repeats import READ, summarised
from .throttling import HeldBack, held_back

LEAST_FREE_GB = 2.0
"""A demo needs some 100 MB; a broker whose disk is full stops the evidence."""
BACKUP_FILE = "last-backup.json"
_THROTTLED_READ = 1000


@dataclass(frozen=True, slots=True)
class Disk:
    """How much of the disk of a folder is free."""

    folder: str
    free_gb: float

    @property
    def enough(self) -> bool:
        """Whether it will do."""
        return self.free_gb >= LEAST_FREE_GB


@dataclass(frozen=True, slots=True)
class LastBackup:
    """The last backup that `casebus backup` made of this bus; `at` is seconds since 1970 UTC."""

    at: float
    folder: str
    files: int
    keys: bool


def read_json(path: Path) -> dict[str, Any]:
    """JSON object in a file that another process replaces as a whole; empty if it is not there yet."""
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def last_lines(path: Path, count: int, *, at_most_bytes: int = 65536) -> tuple[str, ...]:
    """Last lines of a text file, newest first."""
    try:
        with path.open("rb") as file:
            file.seek(0, 2)
            file.seek(max(0, file.tell() - at_most_bytes))
            lines = file.read().decode("utf-8", "replace").rstrip("\n").split("\n")
    except OSError:
        return ()
    return tuple(line for line in reversed(lines[-count:]) if line)


def processes_in(folder: Path) -> dict[str, Mapping[str, Any]]:
    """What the supervisor says of each process."""
    found: dict[str, Mapping[str, Any]] = read_json(folder / "state.json").get("services", {})
    return found


def heartbeats_in(folder: Path) -> dict[str, Mapping[str, Any]]:
    """What each process says of itself."""
    return {name: read_json(folder / "services" / name / "heartbeat.json") for name in processes_in(folder)}


def denials_in(folder: Path, count: int) -> tuple[str, ...]:
    """Accesses that the embedded broker refused, newest first; what is tried again and again is one line."""
    return summarised(broker_lines(folder, "denials.log", READ), count)


def denials_file(folder: Path) -> Path:
    """Where it writes them."""
    return folder / "broker" / "log" / "denials.log"


def failed_logins_in(folder: Path, count: int) -> tuple[str, ...]:
    """Logins that it refused, newest first, the same way."""
    return summarised(broker_lines(folder, "logins.log", READ), count)


def failed_logins_file(folder: Path) -> Path:
    """Where it writes them."""
    return folder / "broker" / "log" / "logins.log"


def throttled_now(folder: Path, now: float) -> tuple[HeldBack, ...]:
    """Whom the embedded broker of this data folder slows down at `now`, seconds since 1970 UTC."""
    return held_back(broker_lines(folder, "throttled.log", _THROTTLED_READ), now)


def broker_lines(folder: Path, name: str, count: int) -> tuple[str, ...]:
    """Last lines of a log of the embedded broker, newest first; of several nodes by their times."""
    logs = [folder / "broker" / "log", *sorted(folder.glob("broker-*/log"))]
    if len(logs) == 1:
        return last_lines(logs[0] / name, count)
    lines = [line for log in logs for line in last_lines(log / name, count)]
    return tuple(sorted(lines, key=lambda line: line.split(" ", 1)[0], reverse=True)[:count])


def disk_of(folder: Path) -> Disk:
    """The disk on which a folder is, or will be."""
    while not folder.exists():
        folder = folder.parent
    return Disk(str(folder), shutil.disk_usage(folder).free / 1e9)


def note_backup(folder: Path, to: Path, files: int, *, keys: bool) -> None:
    """Notes that a backup of the bus in a folder was made."""
    body = {"at": time.time(), "folder": str(to.absolute()), "files": files, "keys": keys}
    fresh = folder / f"{BACKUP_FILE}.new"
    fresh.write_text(json.dumps(body))
    fresh.replace(folder / BACKUP_FILE)


def last_backup(folder: Path) -> LastBackup | None:
    """The last one that was noted."""
    body = read_json(folder / BACKUP_FILE)
    try:
        return LastBackup(float(body["at"]), str(body["folder"]), int(body["files"]), bool(body["keys"]))
    except (KeyError, TypeError, ValueError):
        return None
