"""How programs of ours get into an embedded Kafka: its addresses, its super user, its authority."""

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

from .broker_properties import ADMIN
from .certificates import AUTHORITY


class KafkaAccess(ABC):
    """Addresses and credentials of one embedded Kafka, of one node or several."""

    _shared: Path
    """The folder of what all nodes have in common: passwords and certificates."""
    _tls: bool

    @property
    @abstractmethod
    def bootstrap_servers(self) -> str:
        """`host:port` of the clients' listener (SCRAM-SHA-512) of each node, with commas."""

    @property
    @abstractmethod
    def log_dir(self) -> Path:
        """`kafka.log`, `denials.log` (a line for each refused access), `kafka.out` of the first node."""

    @property
    def security_protocol(self) -> str:
        """SASL_SSL with TLS, else SASL_PLAINTEXT."""
        return "SASL_SSL" if self._tls else "SASL_PLAINTEXT"

    @property
    def ca_file(self) -> Path | None:
        """The authority of its certificate, written by the first start; None without TLS."""
        return self._tls_folder / AUTHORITY if self._tls else None

    @property
    def admin_username(self) -> str:
        """The super user of the client listener."""
        return ADMIN

    @property
    def admin_password_file(self) -> Path:
        """The file (0600) with the super user's password; written by the first start."""
        return self._shared / "admin.password"

    @property
    def admin_password(self) -> str:
        """The super user's password."""
        return self.admin_password_file.read_text(encoding="ascii")

    def client_settings(self, username: str, password: str) -> dict[str, Any]:
        """Keyword arguments that let kafka-python's clients in under this name."""
        return {
            "bootstrap_servers": self.bootstrap_servers,
            "security_protocol": self.security_protocol,
            "ssl_cafile": None if self.ca_file is None else str(self.ca_file),
            "sasl_mechanism": "SCRAM-SHA-512",
            "sasl_plain_username": username,
            "sasl_plain_password": password,
        }

    def admin_settings(self) -> dict[str, Any]:
        """Keyword arguments that let kafka-python's clients in as the super user."""
        return self.client_settings(self.admin_username, self.admin_password)

    @property
    def _tls_folder(self) -> Path:
        return self._shared / "tls"
