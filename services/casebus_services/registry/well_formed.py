"""What Avro's specification asks of a schema's form and fastavro's parser lets pass."""

import re
from typing import Any

_NAME = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*", re.ASCII)
_PRIMITIVE = frozenset({"null", "boolean", "int", "long", "float", "double", "bytes", "string"})


def check(node: Any) -> None:
    """Raises ValueError naming the first fault of form; references to named types are left to the parser."""
    if isinstance(node, str):
        _name(node)
    elif isinstance(node, list):
        for branch in node:
            if isinstance(branch, list):
                raise ValueError("a union directly within a union")
            check(branch)
    elif isinstance(node, dict):
        _complex(node)
    else:
        raise ValueError(f"not a type: {str(node)[:80]!r}")


def _complex(node: dict[str, Any]) -> None:
    kind = node.get("type")
    if kind in ("record", "enum", "fixed"):
        _name(node.get("name"))
        if node.get("namespace") not in (None, ""):
            _name(node["namespace"])
        if not all(isinstance(alias, str) for alias in _list(node, "aliases", [])):
            raise ValueError("aliases must be texts")
    match kind:
        case "record":
            for field in _list(node, "fields"):
                _field(field)
        case "enum":
            for symbol in _list(node, "symbols"):
                _name(symbol)
        case "fixed":
            if not isinstance(node.get("size"), int) or isinstance(node["size"], bool) or node["size"] < 0:
                raise ValueError("a fixed type needs a size")
        case "array":
            check(node.get("items"))
        case "map":
            check(node.get("values"))
        case str() if kind in _PRIMITIVE:
            pass
        case _:
            raise ValueError(f"not a type: {str(kind)[:80]!r}")


def _field(field: Any) -> None:
    if not isinstance(field, dict):
        raise ValueError("a field must be an object")
    _name(field.get("name"))
    if not all(isinstance(alias, str) for alias in _list(field, "aliases", [])):
        raise ValueError("aliases must be texts")
    check(field.get("type"))


def _list(node: dict[str, Any], key: str, default: Any = None) -> list[Any]:
    found = node.get(key, default)
    if not isinstance(found, list):
        raise ValueError(f"`{key}` must be a list")
    return found


def _name(name: Any) -> None:
    if not isinstance(name, str) or _NAME.fullmatch(name) is None:
        raise ValueError(f"not a name: {str(name)[:80]!r}")
