"""The agency's own settings of its door: door.yaml beside its outbox, read strictly when the door starts."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from casebus_schemas.errors import UsageError
from casebus_schemas.strict_yaml import known_keys, read_yaml

from .addresses import Network, read_networks

FILE = "door.yaml"


@dataclass(frozen=True, slots=True)
class DoorSettings:
    """What an agency sets. Paths that are not absolute are below its data folder."""

    reach: Sequence[Network] = ()
    """Internal networks to which the door may connect; it connects to none that is not named."""
    ca_file: Path | None = None
    """Certificates of the authority of the systems that it calls, instead of the machine's."""

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
        known_keys(FILE, body, required=(), optional=("reach", "ca_file"))
        reach = body.get("reach") or []
        if not isinstance(reach, list):
            raise UsageError(f"{FILE}: reach", found=repr(reach)[:80], expected="a list of networks")
        return cls(read_networks(reach), _path(body, "ca_file", folder))


def _path(body: dict[str, Any], name: str, folder: Path) -> Path | None:
    value = body.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or not value:
        raise UsageError(f"{FILE}: {name}", found=repr(value)[:80], expected="a path")
    return folder / value
