"""Settings from environment variables, each under its field's name, read by the field's type."""

import os
from collections.abc import Container, Mapping
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any, get_type_hints

from casebus_schemas.errors import UsageError


def _flag(text: str) -> bool:
    return {"true": True, "1": True, "false": False, "0": False}[text.lower()]


_READ: Mapping[Any, Any] = {
    str: str,
    str | None: str,
    int: int,
    float: float,
    bool: _flag,
    Path: Path,
    Path | None: Path,
}


def read_variables(kind: type, prefix: str, *, without: Container[str] = ()) -> dict[str, Any]:
    """Values of a dataclass's fields as far as variables give them, but for the fields of `without`.

    Raises UsageError naming every variable that is missing or cannot be read.
    """
    types = get_type_hints(kind)
    found: dict[str, Any] = {}
    wrong: list[str] = []
    for field in fields(kind):
        name = prefix + field.name.upper()
        if field.name in without:
            continue
        if name not in os.environ:
            if field.default is MISSING:
                wrong.append(name)
            continue
        try:
            found[field.name] = _READ[types[field.name]](os.environ[name])
        except (ValueError, KeyError):
            wrong.append(name)
    if wrong:
        raise UsageError(
            "settings are missing or wrong",
            found=", ".join(wrong),
            expected="these variables, or --connection FILE or CASEBUS_CONNECTION in their stead",
        )
    return found
