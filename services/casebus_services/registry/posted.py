"""Schemas that clients send: read with limits, known again however a client spells them."""

import json
from dataclasses import dataclass
from typing import Any

import fastavro
from fastavro.schema import SchemaParseException, UnknownType

from casebus_schemas.wire.canonical import fingerprint

from . import well_formed
from .dialect import Answer, DialectError, bad_schema

MOST_BYTES = 1 << 18
"""Our schemas have at most 64 KiB; other spellings of the same schema are not four times as long."""

_PRIMITIVE = frozenset({"null", "boolean", "int", "long", "float", "double", "bytes", "string"})


@dataclass(frozen=True, slots=True)
class Posted:
    """A valid Avro schema that a client sent, and its fingerprint in the plainest spelling."""

    schema: Any
    identity: bytes

    @property
    def name(self) -> str | None:
        """Full name of its record, None if it is no named type."""
        if not isinstance(self.schema, dict):
            return None
        name, space = self.schema.get("name"), self.schema.get("namespace")
        if not isinstance(name, str):
            return None
        return f"{space}.{name}" if space and "." not in name else name


def read_posted(raw: bytes) -> Posted:
    """The schema in a request's body. Raises DialectError (400, 413, 42201). Unknown members are ignored."""
    if len(raw) > MOST_BYTES:
        raise DialectError(Answer(413, 413, f"a request of more than {MOST_BYTES} bytes"))
    try:
        body = json.loads(raw or b"{}")
    except (ValueError, RecursionError) as error:
        raise DialectError(Answer(400, 400, "the request is not JSON")) from error
    if not isinstance(body, dict):
        raise DialectError(Answer(400, 400, "the request is not a JSON object"))
    if (body.get("schemaType") or "AVRO") != "AVRO":
        raise bad_schema("schemaType must be AVRO")
    if body.get("references"):
        raise bad_schema("references are not served; send the schema with its types inside")
    text = body.get("schema")
    if not isinstance(text, str) or not text.strip():
        raise bad_schema("Empty schema")
    return parsed(text)


def parsed(text: str) -> Posted:
    """A schema from its JSON text (a bare type name counts). Raises DialectError 42201."""
    try:
        schema = json.loads(text)
    except (ValueError, RecursionError):
        schema = text.strip()
    try:
        well_formed.check(schema)
        fastavro.parse_schema(schema)
        return Posted(schema, identity(schema))
    # What fastavro was seen to raise on JSON that is no schema; none of it is about this server.
    except (SchemaParseException, UnknownType, ValueError, TypeError, LookupError, AttributeError) as error:
        raise bad_schema(f"{type(error).__name__}: {error}") from error
    except RecursionError as error:
        raise bad_schema("nested too deeply") from error


def identity(schema: Any) -> bytes:
    """Fingerprint that does not see how a client's library spells the same schema."""
    return fingerprint(_plain(schema))


def _plain(node: Any) -> Any:
    """Without a parser's own marks, `{"type": "string"}` as `"string"`; field order `ascending` is Avro's."""
    if isinstance(node, list):
        return [_plain(branch) for branch in node]
    if not isinstance(node, dict):
        return node
    kept = {key: value for key, value in node.items() if not key.startswith("__")}
    if set(kept) == {"type"} and kept["type"] in _PRIMITIVE:
        return kept["type"]
    for key in ("type", "items", "values"):
        if key in kept:
            kept[key] = _plain(kept[key])
    if isinstance(kept.get("fields"), list):
        kept["fields"] = [_plain_field(field) for field in kept["fields"]]
    return kept


def _plain_field(field: dict[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in field.items() if not key.startswith("__")}
    if kept.get("order") == "ascending":
        del kept["order"]
    kept["type"] = _plain(kept["type"])
    return kept
