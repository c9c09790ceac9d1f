"""schemas.lock: which id stands for which schema; ids are given once and never used again."""

from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from casebus_schemas.errors import UsageError
from casebus_schemas.wire.canonical import fingerprint

from .avro_files import event_files, inlined
from .schema_problem import Place, Problem

FIRST_ID = 100001
LOCK_NAME = "schemas.lock"
_HEAD = (
    "# id  type  version  fingerprint; lines are only ever added "
    "(python -m casebus_schemas.catalogue.schema_lock)\n"
)
_NEXT = "# next "
"""The last line: the id that the next schema gets, so that a line taken away at the end still shows."""


@dataclass(frozen=True, slots=True)
class LockLine:
    """One locked schema."""

    id: int
    type: str
    version: int
    fingerprint: bytes


def lock_text() -> str:
    """The lock as it is stored in this package, empty if there is none yet."""
    file = files("casebus_schemas") / LOCK_NAME
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


def next_id(text: str) -> int:
    """The id that the next schema gets: one that no schema ever had, whatever has become of its line."""
    lines = parse_lock(text)
    told = [row.removeprefix(_NEXT) for row in text.splitlines() if row.startswith(_NEXT)]
    try:
        return max([FIRST_ID, *(line.id + 1 for line in lines), *map(int, told)])
    except ValueError as error:
        raise UsageError(f"malformed line in {LOCK_NAME}", found=told, expected=f"{_NEXT}<id>") from error


def grown(text: str, schemas: Iterable[tuple[str, int, bytes]]) -> str:
    """The lock with lines added for (type, version, fingerprint) that it does not have.

    A line whose schema is gone stays, and its id is never given again. Raises UsageError if a locked version
    now has another fingerprint: a change is a new version.
    """
    locked = {(line.type, line.version): line.fingerprint for line in parse_lock(text)}
    id_ = next_id(text)
    rows = [row for row in (text or _HEAD).splitlines() if not row.startswith(_NEXT)]
    for type_, version, digest in schemas:
        known = locked.get((type_, version))
        if known is None:
            rows.append(f"{id_} {type_} {version} {digest.hex()}")
            id_ += 1
        elif known != digest:
            raise UsageError(
                f"the schema {type_} version {version} was changed after it was locked",
                found=digest.hex(),
                expected=known.hex(),
                remedy="restore the file and add a new version beside it",
            )
    return "\n".join([*rows, f"{_NEXT}{id_}"]) + "\n"


def lock_problems(text: str, schemas: Iterable[tuple[str, int, bytes]], earlier: str = "") -> list[Problem]:
    """Where a lock and the schema files (type, version, fingerprint) disagree, or an id has lost its meaning.

    `earlier` is the lock of an earlier state: each of its lines must still be there, word for word.
    """
    lines = parse_lock(text)
    files = {(type_, version): digest for type_, version, digest in schemas}
    found = []
    ids = {line.id for line in lines}
    for id_ in range(FIRST_ID, next_id(text)):
        if id_ not in ids:
            found.append(
                _broken("an id has lost its line", f"no line for {id_}", "a line for every id", _RESTORE)
            )
    for line in lines:
        name = f"{line.type} version {line.version}"
        digest = files.pop((line.type, line.version), None)
        if digest is None:
            remedy = "restore the file: records with that id must be read for ever"
            found.append(
                _broken(f"the schema {name} is gone", f"id {line.id} alone", "its schema file", remedy)
            )
        elif digest != line.fingerprint:
            remedy = "restore the file and add a new version beside it"
            message = f"the schema {name} was changed after it was locked"
            found.append(_broken(message, digest.hex(), line.fingerprint.hex(), remedy))
    for type_, version in files:
        remedy = "run python -m casebus_schemas.catalogue.schema_lock"
        found.append(_broken(f"the schema {type_} version {version} has no id", "no line", "a line", remedy))
    now = {line.id: line for line in lines}
    for line in parse_lock(earlier):
        if now.get(line.id) != line:
            other = now.get(line.id)
            meant = "nothing" if other is None else f"{other.type} version {other.version}"
            message = f"the id {line.id} was given to {line.type} version {line.version}"
            found.append(_broken(message, meant, "the same for ever", _RESTORE))
    return found


_RESTORE = "restore the line; another schema gets another id"


def _broken(message: str, found: str, expected: str, remedy: str) -> Problem:
    return Problem("lock", Place(), message, found, expected, remedy)


def written() -> list[tuple[str, int, bytes]]:
    """Type, version and fingerprint of every event schema file."""
    return [(type_, version, fingerprint(inlined(type_, version))) for type_, version in event_files()]


if __name__ == "__main__":
    (Path(__file__).parents[1] / LOCK_NAME).write_text(grown(lock_text(), written()), encoding="utf-8")
