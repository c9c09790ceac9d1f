"""Logins of a cluster and the files that hold their passwords."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from kafka.admin import ScramMechanism, UserScramCredentialDeletion, UserScramCredentialUpsertion

from casebus_deploy.embedded.secret_files import secret

from .change_refused import ChangeRefused

# Brokers refuse less; our passwords are random, so more would only slow each login.
SCRAM_ITERATIONS = 4096


def password_file(credentials: Path, user: str) -> Path:
    """The file (0600) with a login's password."""
    return credentials / f"{user}.password"


def add_users(admin: Any, users: Sequence[str], credentials: Path) -> None:
    """Makes these logins, each with the password in its file, a fresh one where it has none."""
    credentials.mkdir(parents=True, exist_ok=True, mode=0o700)
    alterations = []
    for user in users:
        # The file comes first: a crash in between leaves it, and the next run uses it.
        password = secret(password_file(credentials, user))
        alterations.append(
            UserScramCredentialUpsertion(user, ScramMechanism.SCRAM_SHA_512, password, SCRAM_ITERATIONS)
        )
    _inspect_logins(admin.alter_user_scram_credentials(alterations))


def set_password(admin: Any, user: str, password: str) -> None:
    """Makes this the login's password."""
    change = UserScramCredentialUpsertion(user, ScramMechanism.SCRAM_SHA_512, password, SCRAM_ITERATIONS)
    _inspect_logins(admin.alter_user_scram_credentials([change]))


def _inspect_logins(answer: Mapping[str, str | None]) -> None:
    for user, problem in answer.items():
        if problem is not None:
            raise ChangeRefused(f"the login {user} was refused", found=problem, expected="no error")


def remove_users(admin: Any, users: Sequence[str]) -> None:
    """Removes these logins."""
    scram = ScramMechanism.SCRAM_SHA_512
    answer = admin.alter_user_scram_credentials([UserScramCredentialDeletion(user, scram) for user in users])
    _inspect_logins(answer)
