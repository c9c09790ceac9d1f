"""What a clock may name: the event types with their fields and symbols, and the roles of agencies."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from casebus_schemas.agencies import Members
from casebus_schemas.catalogue.avro_files import event_files, inlined

Fields = Mapping[str, Collection[str] | None]
"""The data fields of an event type, each with its symbols if it has any."""


@dataclass(frozen=True, slots=True)
class Namable:
    """Event types with their fields, and roles."""

    types: Mapping[str, Fields]
    roles: Collection[str]


@cache
def package_namable() -> Namable:
    """The event types of this package in their newest versions, and the roles of its members."""
    newest = dict(sorted(event_files()))
    return Namable(
        {kind: _LazyFields(kind, version) for kind, version in newest.items()}, Members.load().roles
    )


class _LazyFields(Mapping[str, Collection[str] | None]):
    """The fields of one event type, read when first asked for."""

    def __init__(self, kind: str, version: int) -> None:
        self._file = (kind, version)
        self._known: dict[str, Collection[str] | None] | None = None

    @property
    def _fields(self) -> dict[str, Collection[str] | None]:
        if self._known is None:
            fields = inlined(*self._file)["fields"]
            self._known = {field["name"]: _symbols(field["type"]) for field in fields}
        return self._known

    def __getitem__(self, name: str) -> Collection[str] | None:
        return self._fields[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)


def _symbols(schema: Any) -> Collection[str] | None:
    branches = schema if isinstance(schema, list) else [schema]
    return next((b["symbols"] for b in branches if isinstance(b, dict) and "symbols" in b), None)
