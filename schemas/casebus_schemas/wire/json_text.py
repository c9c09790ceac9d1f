"""Canonical JSON of what the bus keeps: keys sorted, no spaces, UTF-8 unescaped."""

import json

import orjson


def canonical(value: object) -> bytes:
    """Canonical JSON in bytes. Raises TypeError for what JSON does not have."""
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS | orjson.OPT_STRICT_INTEGER)
    except orjson.JSONEncodeError:
        return _slow(value).encode()  # subclasses of str and int, integers beyond 53 bits


def canonical_text(value: object) -> str:
    """Canonical JSON as text."""
    return canonical(value).decode()


# Made once: json.dumps would make an encoder each time.
_slow = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode
