"""How long the lists and texts of one event may be, as the schema files say it beside each field."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from .schema_problem import Place, Problem
from .schema_tree import Definitions, Schema, definitions, fields_of, nodes, written_out

MOST_ITEMS = 5_000
"""List items of one event in all: also the limit of a list for which nothing else is said."""
MOST_CHARS = 4_000
"""Characters (Unicode code points) of a text for which nothing else is said."""

MAX_ITEMS, MAX_CHARS, SEVERAL_LINES = "max_items", "max_chars", "several_lines"
HOUSE_ATTRIBUTES = frozenset({MAX_ITEMS, MAX_CHARS, SEVERAL_LINES})
"""Attributes of the schema files that are no part of the published schema, so that a limit may change without
a new version: `max_items` of a record (in one list of it) or of a list's field, `max_chars` and
`several_lines` of a text's field."""


class Excess(NamedTuple):
    """A list or text that is too long: JSON pointer below the data, what was counted, how many, the limit."""

    pointer: str
    what: str
    found: int
    limit: int


_Look = Callable[[Any, str], Iterator[Excess]]
"""What is too long in a value at a pointer."""
_Count = Callable[[Any], int]
"""The list items in a value, all levels together."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one schema. An Avro body of at most `harmless_bytes` breaks none of them."""

    harmless_bytes: int
    _look: _Look | None
    _count: _Count | None

    def exceeded(self, data: Mapping[str, Any]) -> list[Excess]:
        """What is too long in decoded data, in the order of the fields; linear in their size."""
        found = [] if self._look is None else list(self._look(data, ""))
        items = 0 if self._count is None else self._count(data)
        if items > MOST_ITEMS:
            found.append(Excess("", "list items in all", items, MOST_ITEMS))
        return found


NO_LIMITS = Limits(1 << 62, None, None)
"""For what the bus alone says: it was limited where an agency said it."""


def limits_of(annotated: Schema) -> Limits:
    """The limits of an inlined schema that still has the attributes of the house."""
    building = _Building(definitions(annotated))
    look, count = building.look(annotated, MOST_CHARS), building.count(annotated)
    return Limits(min(building.harmless, default=1 << 62), look, count)


class _Building:
    """Builds the functions that look through the values of a schema; None where there is nothing to see."""

    def __init__(self, named: Definitions) -> None:
        self._named = named
        self.harmless: list[int] = []

    def look(self, schema: Schema, chars: int, items: int | None = None) -> _Look | None:
        whole = _inner(schema, self._named)
        if whole == "string":
            self.harmless.append(chars)
            return _looking_at_text(chars)
        if isinstance(whole, str):
            return None
        if whole["type"] == "array":
            item = _inner(whole["items"], self._named)
            most = items or (MOST_ITEMS if isinstance(item, str) else item.get(MAX_ITEMS, MOST_ITEMS))
            least = self._least(whole["items"])
            self.harmless += [most * least, MOST_ITEMS * least]
            return _looking_at_list(most, self.look(whole["items"], chars))
        parts = [
            (field["name"], look)
            for field in fields_of(whole)
            if (look := self.look(field["type"], field.get(MAX_CHARS, MOST_CHARS), field.get(MAX_ITEMS)))
        ]
        return _looking_at_record(parts) if parts else None

    def count(self, schema: Schema) -> _Count | None:
        whole = _inner(schema, self._named)
        if isinstance(whole, str):
            return None
        if whole["type"] == "array":
            item = self.count(whole["items"])
            return len if item is None else lambda value: len(value) + sum(map(item, value))
        parts = [(f["name"], count) for f in fields_of(whole) if (count := self.count(f["type"]))]
        if not parts:
            return None
        return lambda value: sum([count(value[name]) for name, count in parts if value[name]])

    def _least(self, schema: Schema) -> int:
        """Fewest bytes of a value."""
        if isinstance(schema, list):
            return 1
        whole = written_out(schema, self._named)
        if isinstance(whole, str):
            return 0 if whole == "null" else 8 if whole == "double" else 1
        if whole["type"] == "fixed":
            return int(whole["size"])
        if fields_of(whole):
            return sum(self._least(field["type"]) for field in fields_of(whole))
        return 1


def _inner(schema: Schema, named: Definitions) -> Schema:
    """The definition of a type, without null; a primitive's name where it is one."""
    if isinstance(schema, list):
        (schema,) = [branch for branch in schema if branch != "null"]
    whole = written_out(schema, named)
    if isinstance(whole, dict) and isinstance(whole["type"], dict | list):
        return _inner(whole["type"], named)
    plain = isinstance(whole, dict) and whole["type"] in ("string", "bytes", "int", "long")
    return whole["type"] if plain else whole


def _looking_at_text(limit: int) -> _Look:
    def look(value: str, pointer: str) -> Iterator[Excess]:
        if len(value) > limit:
            yield Excess(pointer, "characters", len(value), limit)

    return look


def _looking_at_list(limit: int, item: _Look | None) -> _Look:
    def look(value: list[Any], pointer: str) -> Iterator[Excess]:
        if len(value) > limit:  # what stands in it would be named thousands of times
            yield Excess(pointer, "items", len(value), limit)
        elif item is not None:
            for index, one in enumerate(value):
                yield from item(one, f"{pointer}/{index}")

    return look


def _looking_at_record(parts: list[tuple[str, _Look]]) -> _Look:
    def look(value: Mapping[str, Any], pointer: str) -> Iterator[Excess]:
        for name, part in parts:
            if value[name]:
                yield from part(value[name], f"{pointer}/{name}")

    return look


# --- the files ----------------------------------------------------------------------------------------------


def lint_limits(annotated: Schema) -> Iterator[Problem]:
    """Which lists and texts of a schema of the house have no sound limit; none said is the default."""
    named = definitions(annotated)
    for node, place, _ in nodes(annotated):
        if MAX_ITEMS in node:
            yield from _number(node[MAX_ITEMS], MOST_ITEMS, place.child(MAX_ITEMS), node["type"] == "record")
        for index, field in enumerate(fields_of(node)):
            here, kind = place.field(index, field["name"]), _kind(field["type"], named)
            if MAX_ITEMS in field:
                yield from _number(
                    field[MAX_ITEMS], MOST_ITEMS, here.child(MAX_ITEMS), kind.startswith("list")
                )
            if MAX_CHARS in field:
                yield from _number(field[MAX_CHARS], 1 << 20, here.child(MAX_CHARS), kind.endswith("text"))
            if SEVERAL_LINES in field and (field[SEVERAL_LINES] is not True or not kind.endswith("text")):
                found, expected = field[SEVERAL_LINES], "true, of a text"
                yield Problem("limit", here.child(SEVERAL_LINES), "not a mark of a text", found, expected)


def _number(found: Any, most: int, place: Place, fits: bool) -> Iterator[Problem]:
    if not fits:
        yield Problem("limit", place, "a limit of what has no such length", found, "max_items or max_chars")
    elif not isinstance(found, int) or isinstance(found, bool) or not 1 <= found <= most:
        remedy = "leave it out for the default of its kind"
        yield Problem("limit", place, "no limit", repr(found), f"a number from 1 to {most}", remedy)


def _kind(schema: Schema, named: Definitions) -> str:
    inner = _inner(schema, named)
    if isinstance(inner, str):
        return "text" if inner == "string" else inner
    if inner["type"] == "array":
        return f"list of {_kind(inner['items'], named)}"
    return str(inner["type"])
