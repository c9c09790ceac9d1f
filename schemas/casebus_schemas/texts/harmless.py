"""Foreign text made harmless: what would steer a terminal, hide or reorder text is shown as an escape."""

import json
import re
from typing import Any

# All of Unicode's categories Cc (C0, C1), Cf (bidirectional and zero-width controls, tags), Cs, Zl and Zp,
# and the letters that are drawn as nothing. Private and unassigned characters stay: rare names are written
# with them. Written out, since a walk over all of Unicode would cost each command a tenth of a second; the
# test compares with Python's tables.
_STEERING = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160\u17b4\u17b5"
    "\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u2800\u3164\ud800-\udfff\ufeff\uffa0\ufff9-\ufffb"
    "\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e00ff\U000e01f0-\U000e0fff]"
)
_SHORT = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}


def harmless(text: str) -> str:
    """The text in one line, with each steering character written as an escape such as `\\x1b`."""
    return _STEERING.sub(_escape, text)


def json_text(body: Any, *, indent: int | None = None) -> str:
    """JSON that any reader understands alike and that steers no terminal on which it is shown."""
    written = json.dumps(body, ensure_ascii=False, indent=indent)
    if indent is None:
        return _STEERING.sub(_json_escape, written)
    # Laid out over lines: the line breaks are ours, since json escapes those within texts.
    return "\n".join(_STEERING.sub(_json_escape, line) for line in written.split("\n"))


def _escape(found: re.Match[str]) -> str:
    character = found.group()
    number = ord(character)
    if character in _SHORT:
        return _SHORT[character]
    if number < 0x100:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def _json_escape(found: re.Match[str]) -> str:
    return json.dumps(found.group())[1:-1]
