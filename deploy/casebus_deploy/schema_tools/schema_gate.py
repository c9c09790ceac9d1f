"""Which schemas the gate judges, and against which: this package's own, or candidates in files."""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from casebus_schemas.catalogue.avro_files import event_file, inlined_file, shared_file, shared_files
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.catalogue.compatibility import incompatibilities
from casebus_schemas.catalogue.limits import lint_limits
from casebus_schemas.catalogue.lint import lint, lint_event, lint_words
from casebus_schemas.catalogue.schema_lock import LOCK_NAME, lock_problems, lock_text, written
from casebus_schemas.catalogue.schema_problem import Place, Problem
from casebus_schemas.catalogue.schema_tree import normalised
from casebus_schemas.errors import UsageError
from casebus_schemas.wire.canonical import fingerprint

_FILE = re.compile(r"(?P<type>.+)\.(?P<version>[1-9][0-9]*)\.(avsc|json)\Z")
_UNVERSIONED = 1 << 31


@dataclass(frozen=True, slots=True)
class Judged:
    """One schema, by its file or by type and version, and what is wrong with it.

    `alone` if it was to be compared and has no past.
    """

    subject: str
    problems: tuple[Problem, ...]
    alone: bool = False


@dataclass(frozen=True, slots=True)
class Version:
    """A schema with its place in the history of its record name; `type` where the file's name gives one."""

    subject: str
    type: str | None
    number: int
    written: Any
    schema: Any

    @property
    def name(self) -> str:
        """Full name of the record, by which versions of one type find each other; empty if there is none."""
        try:
            whole = normalised(self.schema)
            return str(whole.get("name", "")) if isinstance(whole, dict) else ""
        except (KeyError, TypeError, AttributeError):
            return ""

    @property
    def identity(self) -> bytes | None:
        """The fingerprint, None of what is no schema."""
        try:
            return fingerprint(self.schema)
        except (KeyError, TypeError, AttributeError):
            return None


def published() -> list[Version]:
    """Every locked version of this package."""
    return [
        Version(
            f"{schema.type} version {schema.version}",
            schema.type,
            schema.version,
            event_file(schema.type, schema.version),
            schema.schema,
        )
        for schema in Catalog.load().schemas()
    ]


def package_folder() -> Path:
    """The folder of this package's schemas."""
    return Path(str(files("casebus_schemas")))


def own_package(check: bool) -> Iterator[Judged]:
    """Lint of every schema of this package; with `check` also each against its past, and the lock."""
    known = published()
    for version in known:
        problems = _own_problems(version)
        if check:
            problems += _against(version, known)
        yield Judged(version.subject, tuple(problems))
    for name, number in shared_files():
        yield Judged(f"shared/{name} version {number}", tuple(_words_and_limits(shared_file(name, number))))
    if check:
        yield Judged(LOCK_NAME, tuple(lock_problems(lock_text(), written())))


def candidates(paths: Sequence[Path], check: bool, against: Path | None = None) -> Iterator[Judged]:
    """Schema files (or folders of them) judged as next versions of what is published here, or in `against`.

    A file TYPE.VERSION.avsc takes its place by its version, any other is judged as the newest. Raises
    UsageError for a path that is not there or no JSON.
    """
    new = [version for path in paths for version in _files(path)]
    if not new:
        raise UsageError(
            "no schema files", found=", ".join(map(str, paths)), expected="*.avsc, or a folder of them"
        )
    known = published() if against is None else list(_files(against))
    for version in new:
        problems, others = _own_problems(version), [*known, *new]
        if check:
            problems += _against(version, others)
        alone = check and not any(_same_history(other, version) for other in others)
        yield Judged(version.subject, tuple(problems), alone)


def earlier_lock(against: Path) -> Judged:
    """Whether every id of an earlier lock still stands for the same schema here.

    `against` is a lock, a folder that holds one, or the `avro` folder beside one; no lock is no problem.
    """
    places = (against, against / LOCK_NAME, against.parent / LOCK_NAME)
    found = next((place for place in places if place.is_file() and place.name == LOCK_NAME), None)
    text = "" if found is None else found.read_text(encoding="utf-8")
    return Judged(LOCK_NAME, tuple(lock_problems(lock_text(), written(), text)))


# --- judging ----------------------------------------------------------------------------------------------


def _own_problems(version: Version) -> list[Problem]:
    problems = lint(version.schema)
    if any(problem.rule == "malformed" for problem in problems):
        return problems
    if version.type is not None and version.name.startswith("casebus."):
        problems += lint_event(version.type, version.schema)
    if version.written is not version.schema and _is_of_the_house(version.written):
        problems += _words_and_limits(version.written)
    return problems


def _words_and_limits(written: Any) -> list[Problem]:
    return [*lint_words(written), *lint_limits(written)]


def _is_of_the_house(written: Any) -> bool:
    """Files that refer to shared types or speak Chinese are ours; others come from elsewhere."""
    text = json.dumps(written)
    return '"zh"' in text or re.search(r'"casebus\.\w+@\d', text) is not None


def _against(version: Version, known: Iterable[Version]) -> list[Problem]:
    """Problems of a version with all that came before it, under the same record name."""
    namesakes = [other for other in known if _same_history(other, version)]
    identity = version.identity
    if version.number == _UNVERSIONED and any(other.identity == identity for other in namesakes):
        return []
    problems = []
    past: dict[int, Version] = {}
    for other in namesakes:
        if other.identity is None:
            raise UsageError("a past version is no schema", found=other.subject, expected="an Avro schema")
        if other.number == version.number != _UNVERSIONED and other.identity != identity:
            problems.append(_changed(version, other))
        elif other.number < version.number:
            past[other.number] = other
    told = [(f"version {number}", past[number].schema) for number in sorted(past)]
    return problems + [p for p in incompatibilities(version.schema, told) if p.rule != "malformed"]


def _same_history(one: Version, other: Version) -> bool:
    if one is other:
        return False
    # A renamed record must still meet its past, so that the new name is refused.
    return (one.type is not None and one.type == other.type) or (bool(one.name) and one.name == other.name)


def _changed(version: Version, other: Version) -> Problem:
    return Problem(
        "lock",
        Place(),
        f"version {version.number} is published already, as another schema",
        found=(version.identity or b"").hex(),
        expected=(other.identity or b"").hex(),
        remedy=f"restore it, and make the change version {version.number + 1}",
    )


# --- files ------------------------------------------------------------------------------------------------


def _files(path: Path) -> Iterator[Version]:
    if path.is_dir():
        # A package folder has its schemas one step down.
        folder = path / "avro" if (path / "avro").is_dir() else path
        for file in sorted(file for file in folder.iterdir() if file.suffix == ".avsc"):
            yield _read(file)
    elif path.is_file():
        if path.name != LOCK_NAME:
            yield _read(path)
    else:
        raise UsageError("no such schema file", found=str(path), expected="a file or folder")


def _read(file: Path) -> Version:
    try:
        schema = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError("not a schema file", found=f"{file}: {error}", expected="JSON") from error
    found = _FILE.match(file.name)
    type_ = found["type"] if found else None
    number = int(found["version"]) if found else _UNVERSIONED

    def shared(name: str, version: int) -> dict[str, Any]:
        beside = file.parent / "shared" / f"{name}.{version}.avsc"
        if beside.is_file():
            whole: dict[str, Any] = json.loads(beside.read_text(encoding="utf-8"))
            return whole
        return shared_file(name, version)

    try:
        whole = inlined_file(schema, shared)
    except (KeyError, TypeError, AttributeError, ValueError):
        whole = schema  # lint says what is wrong with it
    return Version(str(file), type_, number, schema, whole)
