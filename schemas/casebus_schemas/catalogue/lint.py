"""What every schema of the bus must be by itself: documented, marked, with sound defaults, within limits."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import fastavro
from fastavro.schema import SchemaParseException, UnknownType

from .schema_problem import Place, Problem
from .schema_tree import (
    NAMED,
    PRIMITIVE,
    Definitions,
    Schema,
    definitions,
    fields_of,
    nodes,
    normalised,
    written_out,
)

MOST_FIELDS = 300
MOST_DEPTH = 16
MOST_BYTES = 64 * 1024

PII = ("none", "low", "high")
_TYPES = frozenset(
    {"null", "boolean", "int", "long", "double", "bytes", "string", "array", *NAMED - {"error"}}
)
_LOGICAL = {"decimal": "bytes", "timestamp-millis": "long", "date": "int", "uuid": "fixed"}
"""Logical types that readers of the bus know (logical.py), each on the one type that it stands on."""
_NO_SCHEMA = (
    SchemaParseException,
    UnknownType,
    KeyError,
    TypeError,
    ValueError,
    AttributeError,
    RecursionError,
)
"""What walking and parsing raise for something that is no schema."""
_ENUM_DEFAULT = "a default that is one of its symbols"


def lint(schema: Schema) -> list[Problem]:
    """What is wrong with one schema by itself, all named types inlined; empty if nothing is."""
    try:
        whole = normalised(schema)
        named = definitions(whole)
        if not isinstance(whole, dict) or whole["type"] != "record":
            return [_unsupported(Place(), "no record", "a record")]
        problems = [*_limits(whole), *_twice(whole), *_nodes(whole, named), *_within_itself(whole)]
    except _NO_SCHEMA as error:
        return [_malformed(error)]
    # Asked last: its reasons are worse to read than ours.
    broken = None if problems else malformed(schema)
    return problems if broken is None else [broken]


def malformed(schema: Schema) -> Problem | None:
    """Why something is no Avro schema at all; None if it is one."""
    try:
        whole = normalised(schema)
        fastavro.parse_schema(json.loads(json.dumps(whole)))
        _check_names(whole)
    except _NO_SCHEMA as error:
        return _malformed(error)
    return None


def _check_names(whole: Schema) -> None:
    """What fastavro lets pass. Raises TypeError."""
    for node, place, _ in nodes(whole):
        for named in (node, *fields_of(node)):
            if not isinstance(named.get("name", ""), str):
                raise TypeError(f"the name at {place.pointer or '/'} is {named['name']!r}, no name")
            aliases = named.get("aliases", [])
            if not isinstance(aliases, list) or not all(isinstance(alias, str) for alias in aliases):
                raise TypeError(f"aliases at {place.pointer or '/'} are no list of names")


def lint_words(written: Schema) -> list[Problem]:
    """Which words a schema file of the house lacks: `doc` in English and `zh` in Chinese, each by itself."""
    found = []
    for node, place, _ in nodes(written):
        wanted = [(node, place)] if node["type"] in NAMED else []
        wanted += [(f, place.field(n, f["name"])) for n, f in enumerate(fields_of(node))]
        for entry, here in wanted:
            for key, language in (("doc", "English"), ("zh", "Chinese")):
                if not str(entry.get(key, "")).strip():
                    message = f"{entry['name']} is not documented in {language}"
                    found.append(
                        Problem("undocumented", here.child(key), message, expected=f"{key}, not empty")
                    )
    return found


def lint_event(type: str, schema: Schema) -> list[Problem]:
    """What the record of an event type must be beside that: its name, the envelope first, sealed last.

    Receipts of the bus have neither envelope nor sealed.
    """
    found: list[Problem] = []
    family, _, verb = type.partition(".")
    expected = f"casebus.{family}.{''.join(word.capitalize() for word in verb.split('_'))}"
    whole = normalised(schema)
    if whole.get("name") != expected:
        found.append(
            Problem("event-form", Place("/name"), "not named after its type", whole.get("name"), expected)
        )
    names = [field["name"] for field in whole.get("fields", ())]
    if "envelope" not in names and "sealed" not in names and family == "receipt":
        return found
    for index, name in ((0, "envelope"), (-1, "sealed")):
        if not names or names[index] != name:
            where = "first" if index == 0 else "last"
            found.append(
                Problem(
                    "event-form",
                    Place("/fields"),
                    f"the field {name} is not {where}",
                    found=", ".join(names),
                    expected=f"{name} {where}",
                    remedy="readers find the envelope without the rest, and what is sealed without the facts",
                )
            )
    return found


def _malformed(error: Exception) -> Problem:
    return Problem(
        "malformed",
        Place(),
        "not a schema",
        found=f"{type(error).__name__}: {str(error)[:200]}",
        expected="a self-contained Avro schema",
        remedy="define every named type before its first use",
    )


# --- limits -----------------------------------------------------------------------------------------------


def _limits(schema: Schema) -> Iterator[Problem]:
    fields = sum(len(fields_of(node)) for node, _, _ in nodes(schema))
    depth = max((depth for _, _, depth in nodes(schema)), default=1)
    size = len(json.dumps(schema, ensure_ascii=False, separators=(",", ":")).encode())
    for what, found, most in (
        ("fields in all", fields, MOST_FIELDS),
        ("levels deep", depth, MOST_DEPTH),
        ("bytes", size, MOST_BYTES),
    ):
        if found > most:
            yield Problem(
                "too-large",
                Place(),
                "the schema is too large",
                found=f"{found} {what}",
                expected=f"at most {most}",
                remedy="make two event types of it",
            )


def _twice(schema: Schema) -> Iterator[Problem]:
    for node, place, _ in nodes(schema):
        if node.get("type") != "record":
            continue
        names = Counter(n for f in node["fields"] for n in (f["name"], *f.get("aliases", ())))
        for index, field in enumerate(node["fields"]):
            for name in (field["name"], *field.get("aliases", ())):
                if names[name] > 1:
                    yield Problem(
                        "alias-re-used",
                        place.field(index, field["name"]),
                        f"the name {name} is used twice in {node['name']}",
                        expected="each name and alias once",
                    )


# --- types and fields -------------------------------------------------------------------------------------


def _nodes(schema: Schema, named: Definitions) -> Iterator[Problem]:
    for node, place, _ in nodes(schema):
        kind = node["type"]
        yield from _supported(node, place)
        if kind in NAMED:
            yield from _documented(node, place, f"the {kind} {node['name']}")
        if kind == "enum" and node.get("default") not in node["symbols"]:
            yield Problem(
                "enum-default",
                place.child("default"),
                f"the enum {node['name']} has no default",
                found=node.get("default"),
                expected=_ENUM_DEFAULT,
                remedy="say which symbol stands for those that a reader does not know",
            )
        if kind == "array" and _takes_no_room(node["items"], named):
            yield _unsupported(place.child("items"), "items of no bytes", "items that take room")
        for index, field in enumerate(fields_of(node)):
            here = place.field(index, field["name"])
            yield from _documented(field, here, f"the field {field['name']}")
            yield from _unions(field["type"], here.child("type"))
            yield from _pii(field, here)
            yield from _default(field, here, named)


def _documented(node: Mapping[str, Any], place: Place, what: str) -> Iterator[Problem]:
    if not isinstance(node.get("doc"), str) or not node["doc"].strip():
        yield Problem(
            "undocumented",
            place.child("doc"),
            f"{what} has no doc",
            expected="one sentence",
            remedy="say what it means",
        )


def _unions(schema: Schema, place: Place) -> Iterator[Problem]:
    if isinstance(schema, list):
        if len(schema) != 2 or schema[0] != "null" or schema[1] == "null":
            shown = " | ".join(b if isinstance(b, str) else str(b.get("name", b.get("type"))) for b in schema)
            yield _unsupported(place, f"a union of {shown}", "null first, then one type")
        for index, branch in enumerate(schema):
            yield from _plain(branch, place.child(index))
    else:
        yield from _plain(schema, place)
    if isinstance(schema, dict) and schema.get("type") == "array":
        yield from _unions(schema["items"], place.item("items"))


def _plain(schema: Schema, place: Place) -> Iterator[Problem]:
    """A primitive that is written as a bare name is no node of the walk."""
    if isinstance(schema, str) and schema in PRIMITIVE - _TYPES:
        yield _unsupported(place, schema, ", ".join(sorted(_TYPES)))


def _within_itself(schema: Schema) -> Iterator[Problem]:
    """Types that hold themselves: no reader of the bus converts values of any depth."""
    for node, place, _ in nodes(schema):
        if node.get("type") == "record" and node["name"] in _references(node["fields"]):
            yield _unsupported(place, f"{node['name']} within itself", "a type that does not hold itself")


def _references(node: Any) -> set[str]:
    if isinstance(node, str):
        return {node}
    if isinstance(node, list):
        return {name for part in node for name in _references(part)}
    return {name for key in ("type", "items", "values", "fields") for name in _references(node.get(key, []))}


def _supported(node: Mapping[str, Any], place: Place) -> Iterator[Problem]:
    kind, logical = node["type"], node.get("logicalType")
    if kind not in _TYPES:
        yield _unsupported(place, kind, ", ".join(sorted(_TYPES)))
    if logical is None:
        return
    if _LOGICAL.get(logical) != kind:
        known = ", ".join(f"{name} on {base}" for name, base in _LOGICAL.items())
        yield _unsupported(place.child("logicalType"), f"{logical} on {kind}", known)
    elif logical == "uuid" and node["size"] != 16:
        yield _unsupported(place.child("size"), f"a uuid of {node['size']} bytes", "16 bytes")
    elif logical == "decimal" and not _whole(node.get("precision"), 1) & _whole(node.get("scale"), 0):
        yield _unsupported(
            place,
            f"decimal({node.get('precision')}, {node.get('scale')})",
            "precision and scale, both written",
        )


def _whole(value: Any, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def _unsupported(place: Place, found: str, expected: str) -> Problem:
    return Problem("unsupported", place, "no reader of the bus knows it", found=found, expected=expected)


def _takes_no_room(schema: Schema, named: Definitions) -> bool:
    item = written_out(schema, named)
    return item == "null" or (isinstance(item, dict) and item.get("fields") == [])


def _pii(field: Mapping[str, Any], place: Place) -> Iterator[Problem]:
    inner = _innermost(field["type"])
    if inner in ("string", "bytes") and field.get("pii") not in PII:
        yield Problem(
            "pii",
            place.child("pii"),
            f"{field['name']} does not say whether it holds personal data",
            found=field.get("pii"),
            expected=" or ".join(PII),
            remedy="high is for sealed bytes alone",
        )
    elif field.get("pii", "none") not in PII or (field.get("pii") == "high" and inner != "bytes"):
        yield Problem(
            "pii",
            place.child("pii"),
            f"{field['name']} would carry personal data in clear",
            found=field.get("pii"),
            expected="none or low",
            remedy="put it into the sealed part",
        )


def _innermost(schema: Schema) -> Schema:
    if isinstance(schema, list):
        rest = [branch for branch in schema if branch != "null"]
        return _innermost(rest[0]) if rest else "null"
    if isinstance(schema, dict):
        if schema["type"] == "array":
            return _innermost(schema["items"])
        # A decimal is a number, whatever it stands on.
        return None if "logicalType" in schema else schema["type"]
    return schema


# --- defaults ---------------------------------------------------------------------------------------------


def _default(field: Mapping[str, Any], place: Place, named: Definitions) -> Iterator[Problem]:
    nullable = isinstance(field["type"], list) and "null" in field["type"]
    if nullable and ("default" not in field or field["default"] is not None):
        yield Problem(
            "nullable-default",
            place.child("default"),
            f"{field['name']} may be null, but null is not its default",
            found=json.dumps(field["default"]) if "default" in field else "none",
            expected="null",
        )
    elif "default" in field and not _fits(field["default"], field["type"], named):
        yield Problem(
            "default-mismatch",
            place.child("default"),
            f"the default of {field['name']} is no value of its type",
            found=json.dumps(field["default"], ensure_ascii=False)[:80],
            expected="a value of the field's type",
        )


def _fits(value: Any, schema: Schema, named: Definitions) -> bool:
    if isinstance(schema, list):
        return bool(schema) and _fits(value, schema[0], named)
    written = written_out(schema, named)
    kind = written if isinstance(written, str) else written["type"]
    match kind:
        case "null":
            return value is None
        case "boolean":
            return isinstance(value, bool)
        case "int" | "long":
            bound = 1 << (31 if kind == "int" else 63)
            return isinstance(value, int) and not isinstance(value, bool) and -bound <= value < bound
        case "float" | "double":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "string":
            return isinstance(value, str)
        case "bytes":
            return isinstance(value, str) and all(ord(character) < 256 for character in value)
        case "fixed":
            return isinstance(value, str) and len(value) == written["size"]
        case "enum":
            return value in written["symbols"]
        case "array":
            return isinstance(value, list) and all(_fits(v, written["items"], named) for v in value)
        case "map":
            return isinstance(value, dict) and all(_fits(v, written["values"], named) for v in value.values())
        case _ if isinstance(written, str):
            return True  # not defined anywhere: parsing says so
        case _:
            return isinstance(value, dict) and all(
                _fits(value[f["name"]], f["type"], named) if f["name"] in value else "default" in f
                for f in written["fields"]
            )
