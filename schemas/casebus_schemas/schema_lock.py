"""schemas.lock: which id stands for which schema; ids are given once and never used again."""

from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from .avro_files import event_files, inlined
from .canonical import fingerprint
from .errors import UsageError

FIRST_ID = 100001
LOCK_NAME = "schemas.lock"
_HEAD = (
    "# id  type  version  fingerprint; lines are only ever added (python -m casebus_schemas.schema_lock)\n"
)


@dataclass(frozen=True, slots=True)
class LockLine:
    """One locked schema."""

    id: int
    type: str
    version: int
    fingerprint: bytes


def lock_text() -> str:
    """The lock as it is stored in this package, empty if there is none yet."""
    file = files(__package__) / LOCK_NAME
    return file.read_text(encoding="utf-8") if file.is_file() else ""


def parse_lock(text: str) -> list[LockLine]:
    """The lines of a lock in order. Raises UsageError if ids do not rise or a line is malformed."""
    lines: list[LockLine] = []
    for row in text.splitlines():
        if not row.strip() or row.startswith("#"):
            continue
        try:
            id_, type_, version, digest = row.split()
            line = LockLine(int(id_), type_, int(version), bytes.fromhex(digest))
        except ValueError as error:
            raise UsageError(f"malformed line in {LOCK_NAME}", found=row) from error
        if line.id < FIRST_ID or (lines and line.id <= lines[-1].id):
            raise UsageError(
                f"ids must rise in {LOCK_NAME}", found=line.id, remedy="add lines at the end only"
            )
        lines.append(line)
    return lines


def grown(text: str, schemas: Iterable[tuple[str, int, bytes]]) -> str:
    """The lock with lines added for (type, version, fingerprint) that it does not have.

    Raises UsageError if a locked version now has another fingerprint: a change is a new version.
    """
    lines = parse_lock(text)
    locked = {(line.type, line.version): line.fingerprint for line in lines}
    next_id = lines[-1].id + 1 if lines else FIRST_ID
    out = text or _HEAD
    for type_, version, digest in schemas:
        known = locked.get((type_, version))
        if known is None:
            out += f"{next_id} {type_} {version} {digest.hex()}\n"
            next_id += 1
        elif known != digest:
            raise UsageError(
                f"the schema {type_} version {version} was changed after it was locked",
                found=digest.hex(),
                expected=known.hex(),
                remedy="restore the file and add a new version beside it",
            )
    return out


def written() -> list[tuple[str, int, bytes]]:
    """Type, version and fingerprint of every event schema file."""
    return [(type_, version, fingerprint(inlined(type_, version))) for type_, version in event_files()]


if __name__ == "__main__":
    Path(__file__).with_name(LOCK_NAME).write_text(grown(lock_text(), written()), encoding="utf-8")
