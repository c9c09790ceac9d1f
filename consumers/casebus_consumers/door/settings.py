"""The agency's own settings of its door: door.yaml beside its outbox, read strictly when the door starts."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from casebus_schemas.agencies import MEMBERS
from casebus_schemas.errors import UsageError
from casebus_schemas.strict_yaml import known_keys, read_yaml

from .addresses import Network, read_networks, target_of
from .tls import DoorTls

FILE = "door.yaml"
_KEYS = ("reach", "ca_file", "table", "folder", "attachments", "doors", "scanner", "tls")
_TABLE = re.compile(r"([A-Za-z_]\w*\.)?[A-Za-z_]\w*\Z")


@dataclass(frozen=True, slots=True)
class TableSettings:
    """An outbox table in the agency's own PostgreSQL."""

    url_file: Path
    """Holds its address, postgresql://login:password@host/database; mode 0600."""
    name: str = "casebus_outbox"
    """Of the table, with its schema if it is not on the search path."""
    delete: bool = False
    """Whether a row goes when its answer is written."""


@dataclass(frozen=True, slots=True)
class DoorSettings:
    """What an agency sets. Paths that are not absolute are below its data folder."""

    reach: Sequence[Network] = ()
    """Internal networks to which the door may connect; it connects to none that is not named."""
    ca_file: Path | None = None
    """Certificates of the authority of the systems that it calls, instead of the machine's."""
    table: TableSettings | None = None
    folder: Path | None = None
    """Where systems that can only write files drop them."""
    attachments: Path | None = None
    """Where documents are stored; `attachments` beside the outbox."""
    doors: Mapping[str, str] = field(default_factory=dict)
    """Addresses of other agencies' doors, from which documents are fetched."""
    scanner: Sequence[str] = ()
    """A command that looks for viruses in the file that it is given."""
    tls: DoorTls | None = None
    """Its own certificate, and how systems are known by theirs."""

    @classmethod
    def read(cls, folder: Path) -> "DoorSettings":
        """The settings in a data folder, all left out where there is no file. Raises UsageError."""
        file = folder / FILE
        try:
            source = file.read_text(encoding="utf-8")
        except FileNotFoundError:
            return cls()
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"cannot read {file}", found=str(error)) from error
        body: Any = read_yaml(FILE, source) or {}
        known_keys(FILE, body, required=(), optional=_KEYS)
        reach = body.get("reach") or []
        if not isinstance(reach, list):
            raise UsageError(f"{FILE}: reach", found=repr(reach)[:80], expected="a list of networks")
        return cls(
            read_networks(reach),
            _path(body, "ca_file", folder),
            _table(body.get("table"), folder),
            _path(body, "folder", folder),
            _path(body, "attachments", folder),
            _doors(body.get("doors")),
            _scanner(body.get("scanner")),
            None if body.get("tls") is None else DoorTls.read(f"{FILE}: tls", body["tls"], folder),
        )


def _doors(body: Any) -> dict[str, str]:
    found = body or {}
    if not isinstance(found, dict):
        raise UsageError(f"{FILE}: doors", found=repr(body)[:80], expected="an address for each agency")
    for agency, url in found.items():
        if agency not in MEMBERS:
            raise UsageError(f"{FILE}: doors", found=repr(agency)[:80], expected=", ".join(MEMBERS))
        target_of(str(url))
    return {str(agency): str(url) for agency, url in found.items()}


def _scanner(body: Any) -> tuple[str, ...]:
    if body is None:
        return ()
    if not isinstance(body, list) or not body or not all(isinstance(one, str) and one for one in body):
        raise UsageError(
            f"{FILE}: scanner", found=repr(body)[:80], expected="a list: the program, its arguments"
        )
    return tuple(body)


def _table(body: Any, folder: Path) -> TableSettings | None:
    if body is None:
        return None
    known_keys(f"{FILE}: table", body, required=("url_file",), optional=("name", "delete"))
    name, delete = body.get("name", "casebus_outbox"), body.get("delete", False)
    if not isinstance(name, str) or not _TABLE.match(name) or not isinstance(delete, bool):
        raise UsageError(
            f"{FILE}: table",
            found=f"{name!r}, {delete!r}"[:80],
            expected="name: table or schema.table; delete: true or false",
        )
    file = _path(body, "url_file", folder)
    if file is None:
        raise UsageError(f"{FILE}: table: url_file", expected="a path")
    return TableSettings(file, name, delete)


def _path(body: dict[str, Any], name: str, folder: Path) -> Path | None:
    value = body.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or not value:
        raise UsageError(f"{FILE}: {name}", found=repr(value)[:80], expected="a path")
    return folder / value
