"""The desks of a stack: where each answers, and officers to try it with, whose passwords `up` makes."""

import json
import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from casebus_schemas.agencies import Members
from casebus_schemas.catalogue.topology import OPERATOR
from casebus_schemas.connection import Principal

from .doors import make_doors, with_doors

DESK = "desk"
"""The process of desks alone; in a stack the doors' process serves them."""
_SHOWN = {"liaison": "联络员", "head": "负责人", "auditor": "审计员", "operator": "运维员"}


def desk_users_file(secrets_folder: Path, agency: str) -> Path:
    """Names and passwords of the officers that `up` makes, a JSON object."""
    return secrets_folder / f"{agency}.desk-users"


@dataclass(slots=True)
class Addresses:
    """Where doors and desks answer, by agency."""

    doors: dict[str, str] = field(default_factory=dict)
    desks: dict[str, str] = field(default_factory=dict)
    operators: str | None = None
    """Of the desk of the bus's operator."""

    def make(
        self,
        secrets_folder: Path,
        principals: Mapping[str, Principal],
        ports: Callable[[int], list[int]],
        *,
        desks: bool,
    ) -> None:
        """Makes once what is missing: keys of doors, officers of desks, an address of each on a free port."""
        if self.doors:
            return
        agencies = Members.load().agencies
        free = ports(len(agencies) * (2 if desks else 1))
        self.doors = make_doors(secrets_folder, principals, lambda count: free[:count])
        for agency, port in zip(agencies, free[len(agencies) :], strict=False):
            folder = principals[agency].data_dir
            assert folder is not None
            _make_officers(folder, desk_users_file(secrets_folder, agency))
            self.desks[agency] = f"http://127.0.0.1:{port}"

    def make_operators(self, data: Path, secrets_folder: Path, port: int) -> None:
        """Makes once the officer and the address of the desk of the bus's operator."""
        from .operator_desk import make_operator_officer

        make_operator_officer(data, secrets_folder)
        self.operators = self.operators or f"http://127.0.0.1:{port}"

    def added(self, principals: Mapping[str, Principal], secrets_folder: Path) -> dict[str, Principal]:
        """The principals with the doors and desks that are theirs."""
        urls = self.desks | ({OPERATOR: self.operators} if self.operators else {})
        return {
            name: replace(entry, desk_url=url, desk_users_file=desk_users_file(secrets_folder, name))
            if (url := urls.get(name))
            else entry
            for name, entry in with_doors(principals, self.doors, secrets_folder).items()
        }

    def with_officers(self, secrets_folder: Path) -> dict[str, tuple[str, dict[str, str]]]:
        """Each desk's address with the passwords of its officers by name."""
        return {
            agency: (url, read_users(desk_users_file(secrets_folder, agency)))
            for agency, url in (self.desks | ({OPERATOR: self.operators} if self.operators else {})).items()
        }

    def rows(self) -> Iterator[tuple[str, str, str]]:
        """For a table of what runs."""
        yield from ((f"door {agency}", url, "") for agency, url in self.doors.items())
        yield from ((f"desk {agency}", url, "") for agency, url in self.desks.items())
        if self.operators:
            yield f"desk {OPERATOR}", self.operators, ""


def read_users(file: Path) -> dict[str, str]:
    """Passwords by name."""
    users: dict[str, str] = json.loads(file.read_text(encoding="utf-8"))
    return users


def _make_officers(folder: Path, file: Path) -> None:
    from casebus_consumers.desk.officers import Officers
    from casebus_consumers.desk.store import DeskStore, desk_file

    officers = Officers(DeskStore(desk_file(folder)))
    if file.exists() and {one.name for one in officers.all()} >= set(read_users(file)):
        return
    users = {role: secrets.token_urlsafe(12) for role in _SHOWN}
    for role, password in users.items():
        officers.add(role, password, role, shown=_SHOWN[role])
    file.unlink(missing_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write(json.dumps(users, indent=1) + "\n")
