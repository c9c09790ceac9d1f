"""Characters that no text of an event may hold: controls, and those that turn the direction of writing."""

import re

_DIRECTION = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_CONTROL = re.compile(f"[\x00-\x1f\x7f-\x9f{_DIRECTION}]")
_IN_LINES = re.compile(f"[\x00-\x08\x0b-\x1f\x7f-\x9f{_DIRECTION}]")

EXPECTED = "text without control characters and marks of direction"
EXPECTED_IN_LINES = f"{EXPECTED}, lines ended by \\n"


def control_in(text: str, several_lines: bool = False) -> str | None:
    """The first such character of a text as U+XXXX, None where there is none.

    Line feed and tabulator may stand in texts of several lines. NUL is one: PostgreSQL cannot store it.
    """
    if text.isprintable():  # nearly all text is, and C is quicker than a pattern
        return None
    found = (_IN_LINES if several_lines else _CONTROL).search(text)
    return None if found is None else f"U+{ord(found[0]):04X}"
