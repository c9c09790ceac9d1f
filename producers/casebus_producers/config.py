"""Settings of an agency's programs: from a running system's connection.json, or from CASEBUS_* variables."""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from casebus_schemas.agencies import MEMBERS
from casebus_schemas.connection import Connection
from casebus_schemas.errors import UsageError
from casebus_schemas.evidence.key_file import check_private
from casebus_schemas.wire.signing import SigningKey

from .private_files import read_private
from .variables import read_variables

VARIABLES = "CASEBUS_"
"""What the names of all variables begin with."""
CONNECTION_VARIABLE = "CASEBUS_CONNECTION"
SECURITY_PROTOCOLS = ("SASL_PLAINTEXT", "SASL_SSL")
_INSTANCE = re.compile(r"[a-z0-9][a-z0-9-]{0,40}")


def read_connection(file: Path | None, environ: Mapping[str, str] | None = None) -> Connection | None:
    """The connection named by `file`, else by CASEBUS_CONNECTION; None where neither is given.

    Raises UsageError if the file is missing or is not a connection.json.
    """
    variables = os.environ if environ is None else environ
    named = file or (Path(variables[CONNECTION_VARIABLE]) if variables.get(CONNECTION_VARIABLE) else None)
    if named is None:
        return None
    try:
        body = json.loads(named.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(
            f"cannot read {named}",
            found=error.strerror,
            expected="the connection.json of a running system",
            remedy=f"start one with `casebus up`, name its file with --connection or {CONNECTION_VARIABLE}",
        ) from error
    except ValueError as error:
        raise UsageError(
            f"{named} is not JSON", found=str(error), expected="a file that `casebus up` wrote"
        ) from error
    return Connection.from_json(body, named.absolute().parent)


def read_secret(file: Path, what: str) -> str:
    """The text of a credential file. Raises UsageError if it cannot be read or is empty."""
    try:
        text = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"cannot read the {what} file {file}",
            found=type(error).__name__,
            expected="a text file that this user may read",
        ) from error
    if not text:
        raise UsageError(f"the {what} file {file} is empty")
    return text


@dataclass(frozen=True, kw_only=True)
class KafkaLogin:
    """How a program of an agency, an auditor or an operator reaches Kafka; fields are CASEBUS_* variables.

    Not by pydantic-settings, which every command would wait for.
    """

    bootstrap_servers: str
    """Kafka's addresses, host:port, comma separated."""
    security_protocol: str = "SASL_PLAINTEXT"
    """SASL_PLAINTEXT or SASL_SSL."""
    sasl_mechanism: str = "SCRAM-SHA-512"
    """How it logs in."""
    sasl_username: str
    """The principal."""
    sasl_password_file: Path
    """File with its password, mode 0600."""
    ca_file: Path | None = None
    """Certificates of the authority, for SASL_SSL."""
    partitions: int = 4
    """Partitions of every channel (N)."""

    @classmethod
    def read(cls, principal: str, connection: Connection | None = None) -> Self:
        """Settings of a principal: the connection's where there is one, else CASEBUS_* variables.

        Raises UsageError naming what is missing.
        """
        given = {} if connection is None else cls._of_connection(principal, connection)
        settings = cls(**{**read_variables(cls, VARIABLES, without=given), **given})
        if wrong := settings.wrong():
            raise UsageError(
                "settings are missing or wrong",
                found=", ".join(VARIABLES + name.upper() for name in wrong),
                expected=f"--connection FILE, {CONNECTION_VARIABLE}, or these variables",
            )
        return settings

    def wrong(self) -> list[str]:
        """The fields whose values cannot be."""
        found = [] if self.partitions >= 1 else ["partitions"]
        # An authority that nobody asks would make a channel look safe.
        encrypted = self.security_protocol == "SASL_SSL"
        if self.security_protocol not in SECURITY_PROTOCOLS or (self.ca_file is not None and not encrypted):
            found.append("security_protocol")
        return found

    @classmethod
    def _of_connection(cls, principal: str, connection: Connection) -> dict[str, Any]:
        entry = connection.principal(principal)
        return {
            "bootstrap_servers": connection.bootstrap_servers,
            "security_protocol": connection.security_protocol,
            "sasl_mechanism": connection.sasl_mechanism,
            "sasl_username": entry.username,
            "sasl_password_file": entry.password_file,
            "ca_file": connection.ca_file,
            "partitions": connection.partitions,
        }

    def kafka(self) -> dict[str, Any]:
        """The settings that every kafka-python client takes. Reads the password file."""
        login: dict[str, Any] = {
            "bootstrap_servers": self.bootstrap_servers.split(","),
            "security_protocol": self.security_protocol,
            "bootstrap_timeout_ms": 15_000,
            "reconnect_backoff_max_ms": 1_000,
            "allow_auto_create_topics": False,
        }
        if self.security_protocol.startswith("SASL"):
            login["sasl_mechanism"] = self.sasl_mechanism
            login["sasl_plain_username"] = self.sasl_username
            login["sasl_plain_password"] = read_secret(self.sasl_password_file, "password")
        if self.ca_file is not None:
            login["ssl_cafile"] = str(self.ca_file)
        return login


@dataclass(frozen=True, kw_only=True)
class AgencySettings(KafkaLogin):
    """What an agency's own programs need besides: its keys, its database, and how hard it publishes."""

    agency: str
    """The member whose programs these are."""
    signing_key_file: Path
    """Its signing key, mode 0600: 64 hexadecimal digits of an Ed25519 seed, or `sm2` and its two numbers."""
    chain_secret_file: Path | None = None
    """The secret that mints its chain ids."""
    encryption_key_file: Path | None = None
    """Its own X25519 keys, 64 hexadecimal digits a line, mode 0600: others seal personal data for them."""
    token_keys_file: Path | None = None
    """The members' yearly keys of match tokens, `2026 hex` a line, mode 0600."""
    data_dir: Path
    """Folder of its outbox."""
    instance: str = "1"
    """Name of this outbox."""
    window_records: int = 1_000
    """Most records in flight."""
    window_bytes: int = 8_388_608
    """Most bytes in flight."""
    stall_s: float = 20.0
    """Seconds without progress until a new producer."""
    delivery_timeout_ms: int = 24 * 3_600_000
    """Kafka client's own limit."""
    request_timeout_ms: int = 10_000
    """Until a request counts as lost."""
    state_heads_s: float = 600.0
    """Seconds after something was said until the agency states where its streams end; 0: never."""
    state_heads_idle_s: float = 3_600.0
    """The same after its last statement, though nothing was said: so its silence is provable up to then."""

    @classmethod
    def read(cls, principal: str, connection: Connection | None = None) -> Self:
        """Settings of a member agency. Raises UsageError naming what is missing or an unknown agency."""
        if principal not in MEMBERS:
            raise UsageError("no such agency", found=repr(principal), expected="one of " + ", ".join(MEMBERS))
        settings = super().read(principal, connection)
        if settings.agency != principal:
            raise UsageError(
                "the settings are another agency's",
                found=f"CASEBUS_AGENCY={settings.agency}",
                expected=principal,
                remedy="unset CASEBUS_AGENCY or name its agency",
            )
        return settings

    @classmethod
    def _of_connection(cls, principal: str, connection: Connection) -> dict[str, Any]:
        entry = connection.principal(principal)
        needed = {"signing_key_file": entry.signing_key_file, "data_dir": entry.data_dir}
        missing = [name for name, path in needed.items() if path is None]
        if missing:
            raise UsageError(
                f"connection.json: /principals/{principal} cannot publish",
                found="no " + ", ".join(missing),
                expected="paths",
                remedy="use the connection.json of the agency's own machine",
            )
        return {
            **super()._of_connection(principal, connection),
            **needed,
            "agency": principal,
            "chain_secret_file": entry.chain_secret_file,
            "encryption_key_file": entry.encryption_key_file,
            "token_keys_file": entry.token_keys_file,
        }

    def wrong(self) -> list[str]:
        """The fields whose values cannot be."""
        sizes = (
            "window_records",
            "window_bytes",
            "stall_s",
            "delivery_timeout_ms",
            "request_timeout_ms",
            "state_heads_idle_s",
        )
        named = [] if _INSTANCE.fullmatch(self.instance) else ["instance"]
        if self.state_heads_s < 0:
            named.append("state_heads_s")
        return [*super().wrong(), *(name for name in sizes if getattr(self, name) <= 0), *named]

    @property
    def outbox_file(self) -> Path:
        """The agency's SQLite file: outbox, what it knows of others' events, what it has read."""
        return self.data_dir / "outbox.db"

    @property
    def data_keys_dir(self) -> Path:
        """The folder of the keys under which the agency seals, a file a case."""
        return self.data_dir / "data-keys"

    @property
    def granted_keys_dir(self) -> Path:
        """The folder of keys that other agencies have granted."""
        return self.data_dir / "granted-keys"

    def signing_key(self) -> SigningKey:
        """The agency's key. Raises UsageError if its file cannot be read, or others may read it, too."""
        read_private(self.signing_key_file, "signing key")
        return SigningKey.from_file(self.signing_key_file)

    def chain_secret(self) -> bytes:
        """The secret that mints chain ids. Raises UsageError if its file is missing or too short."""
        if self.chain_secret_file is None:
            raise UsageError(
                "no chain secret",
                expected="CASEBUS_CHAIN_SECRET_FILE",
                remedy="name it, or give the event's subject",
            )
        secret = read_secret(self.chain_secret_file, "chain secret")
        check_private(self.chain_secret_file)
        if len(secret) < 32:
            raise UsageError(
                f"the chain secret in {self.chain_secret_file} is too short",
                found=f"{len(secret)} characters",
                expected="at least 32",
            )
        return secret.encode()
