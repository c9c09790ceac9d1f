"""Settings of the services, read once from `CASEBUS_*` variables."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from casebus_schemas.errors import UsageError


class ServiceSettings(BaseSettings):
    """What a service needs to know about its surroundings. All paths are absolute."""

    model_config = SettingsConfigDict(env_prefix="CASEBUS_", frozen=True, extra="ignore")

    bootstrap_servers: str = Field(description="Kafka's addresses, host:port, comma separated")
    sasl_username: str = Field(description="the service's own principal")
    sasl_password_file: Path = Field(description="file with its password, mode 0600")
    security_protocol: Literal["SASL_PLAINTEXT", "SASL_SSL"] = Field(
        default="SASL_PLAINTEXT", description="SASL_SSL where Kafka's listener has TLS"
    )
    ca_file: Path | None = Field(
        default=None, description="certificates of the brokers' authority, else the machine's"
    )
    partitions: int = Field(default=4, ge=1, description="partitions of every channel (N)")
    instance: str = Field(default="1", pattern=r"^[a-z0-9][a-z0-9-]{0,40}$", description="this worker")
    data_dir: Path = Field(description="folder for what this worker may keep between starts")
    signing_key_file: Path | None = Field(default=None, description="the bus's signing key")
    ledger_url: str | None = Field(default=None, description="SQLAlchemy URL of the ledger database")
    ledger_origin: str = Field(
        default="casebus.internal/ledger", description="name of the ledger for outsiders"
    )
    log_key_file: Path | None = Field(default=None, description="the ledger's own key (64 hex digits, 0600)")
    policy_file: Path | None = Field(
        default=None, description="tlog-policy file that names the witnesses' keys"
    )
    seal_interval_s: float = Field(
        default=1.0, gt=0, description="seconds between two epochs of a growing ledger"
    )
    seal_entries: int = Field(default=5000, ge=1, description="entries after which an epoch is sealed sooner")
    seal_idle_s: float = Field(
        default=3600.0, ge=1, description="seconds after which an epoch is sealed though nothing came"
    )
    accounts_url: str | None = Field(default=None, description="SQLAlchemy URL of the accounts database")
    chain_budget_s: float = Field(
        default=10.0, gt=0, description="seconds of processor time a chain may take beyond 20 ms an event"
    )
    transaction_budget_s: float = Field(
        default=2.0, gt=0, description="seconds of processor time after which a transaction is committed"
    )
    simulated_clock: bool = Field(default=False, description="let bus.command set the clock")

    @classmethod
    def from_environment(cls) -> Self:
        """The settings in the `CASEBUS_*` variables. Raises UsageError naming those missing or wrong."""
        try:
            return cls()  # type: ignore[call-arg]  # pydantic-settings takes them from the environment
        except ValidationError as error:
            wrong = [
                f"CASEBUS_{'_'.join(map(str, part['loc'])).upper()}: {part['msg']}" for part in error.errors()
            ]
            raise UsageError(
                "settings of the service", found="; ".join(wrong), expected="all of them"
            ) from error
