"""Settings of a TOML file, which count where a `CASEBUS_*` variable is not set."""

import tomllib
from collections.abc import Collection, Mapping, MutableMapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from casebus_schemas.errors import UsageError

VARIABLE = "CASEBUS_SETTINGS_FILE"
"""Names the file. Its keys are the names of docs/settings.md in small letters without `casebus_`; a table
with the name of a service counts for `casebus run` of that service, before what stands outside of tables."""
PREFIX = "CASEBUS_"

Value = str | int | float | bool | list[str]


def take_settings_file(environ: MutableMapping[str, str], arguments: Sequence[str]) -> None:
    """Sets the variables that the file gives and nobody has set; nothing where no file is named.

    `arguments` are those of the program, without its name. Raises UsageError if the file cannot be read, is
    no TOML, or names what no program reads.
    """
    if not (named := environ.get(VARIABLE)):
        return
    service = arguments[1] if len(arguments) > 1 and arguments[0] == "run" else None
    for name, value in read_settings(Path(named), service).items():
        environ.setdefault(name, value)


def read_settings(file: Path, service: str | None = None) -> dict[str, str]:
    """The variables that a file gives to this service, or to a program that is none. Raises UsageError."""
    from casebus_schemas.catalogue.services import services

    try:
        body = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(
            "cannot read the settings file", found=f"{file}: {error}", expected="a file of TOML"
        ) from error
    known = known_settings()
    found = _variables(file, {key: one for key, one in body.items() if not isinstance(one, dict)}, known)
    for table, entries in body.items():
        if not isinstance(entries, dict):
            continue
        if table not in services():
            raise UsageError(
                f"{file}: a table of no service",
                found=f"[{table}]"[:80],
                expected=", ".join(f"[{name}]" for name in services()),
            )
        own = _variables(file, entries, known)
        found |= own if table == service else {}
    return found


def known_settings() -> frozenset[str]:
    """Names of all settings that the installed programs read."""
    from casebus_deploy.pages.settings_page import settings

    installed = find_spec("pydantic_settings") is not None
    every = {one.name for some in settings(services=installed).values() for one in some}
    return frozenset(every - {VARIABLE})


def _variables(file: Path, entries: Mapping[str, Any], known: Collection[str]) -> dict[str, str]:
    found = {}
    for key, value in entries.items():
        name = PREFIX + key.upper()
        if name not in known or key != key.lower():
            raise UsageError(
                f"{file}: no such setting",
                found=repr(key)[:80],
                expected="a name of docs/settings.md in small letters without casebus_",
            )
        found[name] = _text(file, key, value)
    return found


def _text(file: Path, key: str, value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int | float):
        return str(value)
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return ",".join(value)
    raise UsageError(
        f"{file}: {key}",
        found=repr(value)[:80],
        expected="a text, a number, true or false, or a list of texts",
    )
