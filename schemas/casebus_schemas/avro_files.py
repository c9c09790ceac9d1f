"""The schema files of this package, and one inlined schema for each event version."""

import json
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Any

from .errors import UsageError

_PREFIX = "casebus."


def event_files() -> list[tuple[str, int]]:
    """Type and version of every event schema file, in order."""
    return sorted(_named(entry.name) for entry in (files(__package__) / "avro").iterdir() if entry.is_file())


def shared_files() -> list[tuple[str, int]]:
    """Name and version of every shared type file, in order."""
    folder = files(__package__) / "avro" / "shared"
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
    name. The Chinese text `zh` joins `doc`: words for people must not become part of the fingerprint.
    """
    seen: dict[str, int] = {}
    schema: dict[str, Any] = _inline(event_file(type, version), seen)
    return schema


def _inline(node: Any, seen: dict[str, int]) -> Any:
    if isinstance(node, str):
        return _resolve(node, seen) if "@" in node else node
    if isinstance(node, list):
        return [_inline(branch, seen) for branch in node]
    whole = dict(_documented(node))
    for key in ("type", "items", "values"):
        if key in whole:
            whole[key] = _inline(whole[key], seen)
    if "fields" in whole:
        whole["fields"] = [_inline(field, seen) for field in whole["fields"]]
    return whole


def _documented(node: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for key, value in node.items():
        if key == "doc" and "zh" in node:
            yield "doc", f"{value} {node['zh']}"
        elif key != "zh":
            yield key, value


def _resolve(reference: str, seen: dict[str, int]) -> Any:
    name, _, version = reference.partition("@")
    if name in seen:
        if seen[name] != int(version):
            raise UsageError(
                "two versions of one shared type in a schema", found=reference, expected=seen[name]
            )
        return name
    seen[name] = int(version)
    return _inline(shared_file(name.removeprefix(_PREFIX), int(version)), seen)


def _named(file_name: str) -> tuple[str, int]:
    name, version, _ = file_name.rsplit(".", 2)
    return name, int(version)


@cache
def _text(path: str) -> str:
    file = files(__package__) / "avro"
    for part in path.split("/"):
        file = file / part
    try:
        return file.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise UsageError("no such schema file", found=path) from error


def _read(path: str) -> dict[str, Any]:
    schema: dict[str, Any] = json.loads(_text(path))
    return schema
