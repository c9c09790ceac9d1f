"""The desk of the bus's operator: its dead letters and how it runs, behind a sign-in."""

import json
import os
import secrets
from collections.abc import Callable
from pathlib import Path

from argon2 import PasswordHasher

from casebus_consumers.desk.office import Office
from casebus_consumers.desk.officers import Officers
from casebus_consumers.desk.store import DeskStore, desk_file, operators_folder
from casebus_deploy.status_page.status import Status
from casebus_schemas.agencies import BUS
from casebus_schemas.catalogue.topology import OPERATOR
from casebus_schemas.connection import Connection

from .bus_letters import BusLetters
from .bus_operation import BusOperation
from .desks import desk_users_file

ROLE = "operator"
"""The one role that has anything to see there."""


def make_operator_officer(data: Path, secrets_folder: Path) -> None:
    """Makes the first officer once, with a password of its own."""
    file = desk_users_file(secrets_folder, OPERATOR)
    officers = Officers(DeskStore(desk_file(operators_folder(data))))
    if file.exists() and any(one.name == ROLE for one in officers.all()):
        return
    password = secrets.token_urlsafe(12)
    officers.add(ROLE, password, ROLE, shown="运维员")
    file.unlink(missing_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write(json.dumps({ROLE: password}, indent=1) + "\n")


class OperatorDesk(Office):
    """Of the bus whose connection.json is named; `read` gives what its status page shows."""

    def __init__(
        self,
        file: Path,
        connection: Connection,
        read: Callable[[], Status],
        *,
        hasher: PasswordHasher | None = None,
    ) -> None:
        from .doctor import examine

        super().__init__(BUS, desk_file(operators_folder(file.parent)), hasher=hasher)
        self.letters = BusLetters(file, connection)
        self.operation = BusOperation(connection, read, lambda: list(examine(file)))
