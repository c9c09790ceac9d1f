"""Keys that other agencies have granted (`access.granted`): of a case of theirs, or of single events."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from casebus_schemas.errors import UsageError
from casebus_schemas.sealed.place import Place
from casebus_schemas.wire.json_text import canonical

from ..private_files import read_private, write_private

GRANTED = "access.granted"
_KEY = re.compile(r"[0-9a-f]{64}")
_NAME = re.compile(r"[0-9a-z-]{1,40}")


def grants_content(case: bytes | None, events: Mapping[str, bytes]) -> bytes:
    """The JSON that is sealed in an `access.granted`: the case's data key, or keys of events by id."""
    named = {id: key.hex() for id, key in events.items()}
    return canonical({"case": None if case is None else case.hex(), "events": named, "version": 1})


class GrantedKeys:
    """The folder of what an agency was granted, mode 0700, a file a key."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, content: bytes, place: Place) -> None:
        """Keeps the keys of an opened grant; its speaker grants what it has sealed itself in that case.

        Raises UsageError if the content is no grant.
        """
        grant = _read(content)
        if grant["case"] is not None:
            self._write(self._file(place.chain, place.speaker), grant["case"])
        for id, key in grant["events"].items():
            self._write(self._file(place.chain, place.speaker, id), key)

    def of_case(self, chain: str, speaker: str) -> bytes | None:
        """The data key that a speaker has granted for its whole case."""
        return _found(self._file(chain, speaker))

    def of_event(self, place: Place) -> bytes | None:
        """The granted key of one event."""
        return _found(self._file(place.chain, place.speaker, str(place.event)))

    def _file(self, *names: str) -> Path:
        return self._folder / ".".join(names)

    def _write(self, file: Path, key: str) -> None:
        if not file.exists():
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_private(file, key)


def _found(file: Path) -> bytes | None:
    return bytes.fromhex(read_private(file, "granted key").strip()) if file.exists() else None


def _read(content: bytes) -> dict[str, Any]:
    try:
        grant = json.loads(content)
        keys = [*grant["events"].values(), *([] if grant["case"] is None else [grant["case"]])]
        right = (
            grant["version"] == 1
            and all(map(_KEY.fullmatch, keys))
            and all(map(_NAME.fullmatch, grant["events"]))
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        right = False
    if not right:
        raise UsageError("no grant of keys", expected="keys of a case or of events")
    found: dict[str, Any] = grant
    return found
