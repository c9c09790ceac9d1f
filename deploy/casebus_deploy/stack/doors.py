"""The doors of a stack: where each answers, and the key of its first client."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from casebus_consumers.door.clients import make_key_file
from casebus_schemas.agencies import Members
from casebus_schemas.connection import Principal

DOOR = "door"
"""The process of all doors."""
CLIENT = "embedded"
"""The client whose key `up` makes, for programs on this machine."""


def door_key_file(secrets: Path, agency: str) -> Path:
    """The key of a door's first client."""
    return secrets / f"{agency}.door-key"


def make_doors(
    secrets: Path, principals: Mapping[str, Principal], ports: Callable[[int], list[int]]
) -> dict[str, str]:
    """Makes the keys that are missing and gives each full agency's address on a free port."""
    agencies = Members.load().agencies
    urls = {}
    for agency, port in zip(agencies, ports(len(agencies)), strict=True):
        folder = principals[agency].data_dir
        assert folder is not None
        make_key_file(folder, CLIENT, door_key_file(secrets, agency))
        urls[agency] = f"http://127.0.0.1:{port}"
    return urls


def with_doors(
    principals: Mapping[str, Principal], urls: Mapping[str, str], secrets: Path
) -> dict[str, Principal]:
    """The principals with the doors that are theirs."""
    return {
        name: replace(entry, door_url=urls[name], door_key_file=door_key_file(secrets, name))
        if name in urls
        else entry
        for name, entry in principals.items()
    }
