"""The schema files of this package, and one inlined schema for each event version."""

import json
from collections.abc import Callable, Iterator
from functools import cache
from importlib.resources import files
from typing import Any

from casebus_schemas.errors import UsageError

from .limits import HOUSE_ATTRIBUTES

_PREFIX = "casebus."


def event_files() -> list[tuple[str, int]]:
    """Type and version of every event schema file, in order."""
    return sorted(
        _named(entry.name) for entry in (files("casebus_schemas") / "avro").iterdir() if entry.is_file()
    )


def shared_files() -> list[tuple[str, int]]:
    """Name and version of every shared type file, in order."""
    folder = files("casebus_schemas") / "avro" / "shared"
    return sorted(_named(entry.name) for entry in folder.iterdir())


def event_file(type: str, version: int) -> dict[str, Any]:
    """The event schema file as it is written. Raises UsageError if there is none."""
    return _read(f"{type}.{version}.avsc")


def shared_file(name: str, version: int) -> dict[str, Any]:
    """The shared type's file as it is written. Raises UsageError if there is none."""
    return _read(f"shared/{name}.{version}.avsc")


def inlined(type: str, version: int) -> dict[str, Any]:
    """One self-contained Avro schema of an event version.

    A file refers to a shared type as `casebus.Name@version`, so that a new version of a shared type changes
    no event that still uses the old one. The first reference becomes the type's definition, later ones its
    name. The Chinese text `zh` joins `doc`, and limits are left out: neither is part of the fingerprint.
    """
    return inlined_file(event_file(type, version))


def annotated(type: str, version: int) -> dict[str, Any]:
    """As `inlined`, with the limits that the files name beside their fields."""
    return inlined_file(event_file(type, version), left_out=frozenset())


def inlined_file(
    written: dict[str, Any],
    shared: Callable[[str, int], dict[str, Any]] = shared_file,
    left_out: frozenset[str] = HOUSE_ATTRIBUTES,
) -> dict[str, Any]:
    """As `inlined`, of a schema as a file has it; `shared` gives the shared types that it refers to."""
    schema: dict[str, Any] = _Inliner(shared, left_out).inline(written)
    return schema


class _Inliner:
    def __init__(self, shared: Callable[[str, int], dict[str, Any]], left_out: frozenset[str]) -> None:
        self._shared = shared
        self._left_out = left_out
        self._seen: dict[str, int] = {}

    def inline(self, node: Any) -> Any:
        if isinstance(node, str):
            return self._resolve(node) if "@" in node else node
        if isinstance(node, list):
            return [self.inline(branch) for branch in node]
        whole = {key: value for key, value in _documented(node) if key not in self._left_out}
        for key in ("type", "items", "values"):
            if key in whole:
                whole[key] = self.inline(whole[key])
        if "fields" in whole:
            whole["fields"] = [self.inline(field) for field in whole["fields"]]
        return whole

    def _resolve(self, reference: str) -> Any:
        name, _, version = reference.partition("@")
        if name in self._seen:
            if self._seen[name] != int(version):
                raise UsageError(
                    "two versions of one shared type in a schema",
                    found=reference,
                    expected=self._seen[name],
                )
            return name
        self._seen[name] = int(version)
        return self.inline(self._shared(name.removeprefix(_PREFIX), int(version)))


def _documented(node: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for key, value in node.items():
        if key == "doc" and "zh" in node:
            yield "doc", f"{value} {node['zh']}"
        elif key != "zh":
            yield key, value


def _named(file_name: str) -> tuple[str, int]:
    name, version, _ = file_name.rsplit(".", 2)
    return name, int(version)


@cache
def _text(path: str) -> str:
    file = files("casebus_schemas") / "avro"
    for part in path.split("/"):
        file = file / part
    try:
        return file.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise UsageError("no such schema file", found=path) from error


def _read(path: str) -> dict[str, Any]:
    schema: dict[str, Any] = json.loads(_text(path))
    return schema
