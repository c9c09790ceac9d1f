"""Exchanges a login's password: in a file beside the old one, in the cluster, then in its place."""

import secrets
import time
from pathlib import Path

from casebus_deploy.embedded.secret_files import secret, write_private
from casebus_schemas.connection import Connection
from casebus_schemas.errors import RetryLater

from .cluster_admin import cluster_admin
from .logins import set_password
from .tried_logins import is_taken

_SETTLED_S = 30.0
_POLL_S = 0.2


def change_password(connection: Connection, file: Path, login: str) -> Path:
    """Gives the login a new password and returns its file. Broken off, the same call goes on from there.

    Raises UsageError for a login that connection.json does not name or a cluster that is not ours,
    RetryLater if the cluster does not take the password in time.
    """
    kept = connection.principal(login).password_file
    fresh = kept.with_name(kept.name + ".next")
    if not fresh.exists():
        write_private(fresh, secrets.token_hex(24))
    password = secret(fresh)
    why = "passwords are changed only where the cluster is ours"
    with cluster_admin(connection, file, why) as admin:
        set_password(admin, login, password)
        deadline = time.monotonic() + _SETTLED_S
        while not is_taken(admin.config, login, password):
            if time.monotonic() > deadline:
                raise RetryLater(
                    "the cluster does not let the login in with its new password yet",
                    found=login,
                    remedy="give the same command again",
                )
            time.sleep(_POLL_S)
    fresh.replace(kept)
    return kept
