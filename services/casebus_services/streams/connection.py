"""How a service reaches Kafka: the settings it needs and their form for librdkafka."""

import ssl
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import Any, Protocol

TLS = "SASL_SSL"
"""The security protocol of a channel that is encrypted; the other one is SASL_PLAINTEXT."""


class ConnectionSettings(Protocol):
    """What every Kafka client of a service reads from the service's settings."""

    @property
    def bootstrap_servers(self) -> str:
        """Comma-separated host:port."""

    @property
    def sasl_username(self) -> str | None:
        """SCRAM user; None connects without authentication."""

    @property
    def sasl_password_file(self) -> Path | None:
        """File that holds the user's password."""

    @property
    def security_protocol(self) -> str:
        """SASL_PLAINTEXT or SASL_SSL."""

    @property
    def ca_file(self) -> Path | None:
        """Certificates of the brokers' authority, for SASL_SSL; None: those of the machine."""


class WorkerSettings(ConnectionSettings, Protocol):
    """What a stream worker reads from the service's settings besides."""

    @property
    def instance(self) -> str:
        """Name of this worker among those of its service: a stable name keeps its partitions."""

    @property
    def data_dir(self) -> Path:
        """Existing folder for the worker's own files."""


@dataclass(frozen=True, slots=True)
class Connection:
    """Plain settings, for tests and tools."""

    bootstrap_servers: str
    sasl_username: str | None = None
    sasl_password_file: Path | None = None
    _: KW_ONLY
    security_protocol: str = "SASL_PLAINTEXT"
    ca_file: Path | None = None
    instance: str = "1"
    data_dir: Path = Path()


def credentials(settings: ConnectionSettings) -> tuple[str, str] | None:
    """SCRAM user and password, None where the broker asks for none."""
    if settings.sasl_username is None or settings.sasl_password_file is None:
        return None
    return settings.sasl_username, settings.sasl_password_file.read_text(encoding="utf-8").strip()


def tls_context(settings: ConnectionSettings) -> ssl.SSLContext | None:
    """What checks the brokers' certificates and names; None for a channel without TLS."""
    if settings.security_protocol != TLS:
        return None
    return ssl.create_default_context(cafile=None if settings.ca_file is None else str(settings.ca_file))


def aiokafka_login(settings: ConnectionSettings) -> dict[str, Any]:
    """Keyword arguments that log an aiokafka client in."""
    login = credentials(settings)
    if login is None:
        return {}
    return {
        "security_protocol": settings.security_protocol,
        "ssl_context": tls_context(settings),
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": login[0],
        "sasl_plain_password": login[1],
    }


def librdkafka(settings: ConnectionSettings, client_id: str) -> dict[str, str | int | float | bool]:
    """Configuration that every confluent-kafka client of a service begins with."""
    config: dict[str, str | int | float | bool] = {
        "bootstrap.servers": settings.bootstrap_servers,
        "client.id": client_id,
        "reconnect.backoff.max.ms": 1000,
        "log.connection.close": False,
    }
    login = credentials(settings)
    if login is not None:
        config["security.protocol"] = settings.security_protocol
        if settings.security_protocol == TLS and settings.ca_file is not None:
            config["ssl.ca.location"] = str(settings.ca_file)
        config["sasl.mechanism"] = "SCRAM-SHA-512"
        config["sasl.username"], config["sasl.password"] = login
    return config
