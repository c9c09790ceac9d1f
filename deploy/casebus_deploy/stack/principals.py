"""Who logs in to a stack, and which files of its folder hold whose secrets."""

from collections.abc import Collection
from pathlib import Path

from casebus_schemas.agencies import MEMBERS
from casebus_schemas.catalogue.topology import PRINCIPALS
from casebus_schemas.connection import Principal

from . import keys
from .logins import password_file
from .witnesses import witness_dirs


def stack_principals(
    data: Path, secrets: Path, here: Collection[str], *, witnesses: bool
) -> dict[str, Principal]:
    """Every login that this machine has the password of; `here` are the agencies whose keys lie here too.

    An agency that has not joined has no login, one that enrolled its own keys has nothing here but that.
    """
    found = {}
    for name in PRINCIPALS:
        own = name in here
        if name in MEMBERS and not own and not password_file(secrets, name).exists():
            continue
        signs = own or name in keys.BUS_SIGNERS
        found[name] = Principal(
            username=name,
            password_file=password_file(secrets, name),
            signing_key_file=keys.key_file(secrets, name) if signs else None,
            chain_secret_file=keys.chain_secret_file(secrets, name) if own else None,
            encryption_key_file=keys.encryption_key_file(secrets, name) if own else None,
            token_keys_file=keys.token_keys_file(secrets, name) if own else None,
            data_dir=data / "agencies" / name if own else None,
            witness_dir=witness_dirs(data).get(name) if witnesses else None,
        )
    return found
