"""How a service reaches Kafka: the settings it needs and their form for librdkafka."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


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
    instance: str = "1"
    data_dir: Path = Path()


def credentials(settings: ConnectionSettings) -> tuple[str, str] | None:
    """SCRAM user and password, None where the broker asks for none."""
    if settings.sasl_username is None or settings.sasl_password_file is None:
        return None
    return settings.sasl_username, settings.sasl_password_file.read_text(encoding="utf-8").strip()


def aiokafka_login(settings: ConnectionSettings) -> dict[str, str]:
    """Keyword arguments that log an aiokafka client in."""
    login = credentials(settings)
    if login is None:
        return {}
    return {
        "security_protocol": "SASL_PLAINTEXT",
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
        config["security.protocol"] = "SASL_PLAINTEXT"
        config["sasl.mechanism"] = "SCRAM-SHA-512"
        config["sasl.username"], config["sasl.password"] = login
    return config
