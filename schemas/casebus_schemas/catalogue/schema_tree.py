"""Walking an Avro schema: full names, definitions of named types, fields with their places."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .schema_problem import Place

Schema = Any
Definitions = Mapping[str, Mapping[str, Any]]

PRIMITIVE = frozenset({"null", "boolean", "int", "long", "float", "double", "bytes", "string"})
RECORDS = frozenset({"record", "error"})
NAMED = frozenset({"record", "error", "enum", "fixed"})


def full_name(name: str, namespace: str) -> str:
    """A name as it is meant within a namespace."""
    return name if "." in name or not namespace else f"{namespace}.{name}"


def normalised(schema: Schema) -> Schema:
    """The same schema with full names everywhere and no `namespace`, and `{"type": "string"}` kept as it is.

    References are full names too; an alias of a named type is full. Raises TypeError or KeyError for what is
    no schema at all (lint says what is wrong with it).
    """
    return _normalised(schema, "")


def _normalised(schema: Schema, namespace: str) -> Schema:
    if isinstance(schema, str):
        return schema if schema in PRIMITIVE else full_name(schema, namespace)
    if isinstance(schema, list):
        return [_normalised(branch, namespace) for branch in schema]
    whole = {key: value for key, value in schema.items() if key != "namespace"}
    kind = schema["type"]
    if isinstance(kind, dict | list):
        # {"type": {"type": …}} says no more than what it holds.
        return _normalised(kind, namespace)
    if kind in NAMED:
        whole["name"] = full_name(schema["name"], schema.get("namespace") or namespace)
        inner = whole["name"].rpartition(".")[0]
        if "aliases" in whole:
            whole["aliases"] = [full_name(alias, inner) for alias in whole["aliases"]]
        if kind in RECORDS:
            whole["fields"] = [{**f, "type": _normalised(f["type"], inner)} for f in whole["fields"]]
    elif kind == "array":
        whole["items"] = _normalised(schema["items"], namespace)
    elif kind == "map":
        whole["values"] = _normalised(schema["values"], namespace)
    elif kind not in PRIMITIVE:
        return full_name(kind, namespace)
    return whole


def nodes(schema: Schema, place: Place | None = None) -> Iterator[tuple[Mapping[str, Any], Place, int]]:
    """Every written-out type of a schema, with its place and depth, a union's branches among them."""
    yield from _nodes(schema, place or Place(), 1)


def _nodes(schema: Schema, place: Place, depth: int) -> Iterator[tuple[Mapping[str, Any], Place, int]]:
    if isinstance(schema, list):
        for index, branch in enumerate(schema):
            yield from _nodes(branch, place.child(index), depth)
    elif isinstance(schema, dict):
        yield schema, place, depth
        for index, field in enumerate(fields_of(schema)):
            yield from _nodes(field["type"], place.field(index, field["name"]).child("type"), depth + 1)
        # Any other type may bear attributes of these names that mean nothing to Avro.
        for kind, key in (("array", "items"), ("map", "values")):
            if schema.get("type") == kind:
                yield from _nodes(schema[key], place.item(key), depth + 1)
        if isinstance(schema.get("type"), dict | list):
            yield from _nodes(schema["type"], place.child("type"), depth)


def fields_of(node: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """The fields of a record; none for any other type."""
    fields: Sequence[Mapping[str, Any]] = node["fields"] if node.get("type") in RECORDS else ()
    return fields


def definitions(schema: Schema) -> dict[str, Mapping[str, Any]]:
    """The named types that a normalised schema defines, by full name."""
    return {node["name"]: node for node, _, _ in nodes(schema) if node["type"] in NAMED}


def kind_of(schema: Schema, named: Definitions) -> str:
    """`union`, a primitive's name, or `record`, `enum`, `fixed`, `array`, `map`."""
    if isinstance(schema, list):
        return "union"
    written = written_out(schema, named)
    return written if isinstance(written, str) else str(written["type"])


def written_out(schema: Schema, named: Definitions) -> Schema:
    """The definition behind a reference; anything else as it is."""
    return named.get(schema, schema) if isinstance(schema, str) else schema
