"""Fingerprints of Avro schemas: SHA-256 of their canonical JSON (docs/records.md 1, pinned)."""

import json
from hashlib import sha256
from typing import Any

_NAMED = frozenset({"record", "error", "enum", "fixed"})
_PRIMITIVE = frozenset({"null", "boolean", "int", "long", "float", "double", "bytes", "string"})


def canonical_json(schema: Any) -> bytes:
    """Canonical JSON of an inlined Avro schema.

    Every `doc` is removed, names and aliases of types are full, all other attributes are kept, keys are
    sorted by code point, and nothing is escaped or spaced. Defaults are data and stay untouched.
    """
    form = _canonical(schema, "")
    return json.dumps(form, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def fingerprint(schema: Any) -> bytes:
    """SHA-256 of the canonical JSON: 32 bytes, the identity of a schema."""
    return sha256(canonical_json(schema)).digest()


def _full(name: str, namespace: str) -> str:
    return name if "." in name or not namespace else f"{namespace}.{name}"


def _canonical(schema: Any, namespace: str) -> Any:
    if isinstance(schema, str):
        return schema if schema in _PRIMITIVE else _full(schema, namespace)
    if isinstance(schema, list):
        return [_canonical(branch, namespace) for branch in schema]
    kept = {key: value for key, value in schema.items() if key != "doc"}
    kind = schema["type"]
    if isinstance(kind, str) and kind in _NAMED:
        kept.pop("namespace", None)
        kept["name"] = _full(schema["name"], schema.get("namespace") or namespace)
        namespace = kept["name"].rpartition(".")[0]
        if "aliases" in kept:
            kept["aliases"] = [_full(alias, namespace) for alias in kept["aliases"]]
        if "fields" in kept:
            kept["fields"] = [_field(field, namespace) for field in kept["fields"]]
    elif kind == "array":
        kept["items"] = _canonical(schema["items"], namespace)
    elif kind == "map":
        kept["values"] = _canonical(schema["values"], namespace)
    else:
        kept["type"] = _canonical(kind, namespace)
    return kept


def _field(field: dict[str, Any], namespace: str) -> dict[str, Any]:
    kept = {key: value for key, value in field.items() if key != "doc"}
    kept["type"] = _canonical(field["type"], namespace)
    return kept
