"""What `casebus up` can be told."""

from dataclasses import dataclass, field
from pathlib import Path

from casebus_schemas.catalogue.topology import EMBEDDED_PARTITIONS


@dataclass(frozen=True, slots=True)
class StackOptions:
    """What `casebus up` can be told.

    Without `bootstrap_servers` an embedded broker runs below `data`; with it that cluster is used, whose
    administrator logs in with `admin` (user name, password file). `database_url` puts ledger and accounts
    into a PostgreSQL database instead of SQLite files. Without `registry_url` the schema registry is ours;
    with it that one is filled at the start and named to clients. `origin` names the ledger for outsiders;
    without it the folder keeps the name that it has. Without `witnesses` the agencies run theirs elsewhere,
    and `policy` in the folder is theirs. Without `agencies` none of their keys are made: they enrol, and run
    their doors and witnesses themselves. With `tls` every client reaches Kafka by TLS: the embedded broker
    makes a certificate; of your own cluster `ca_file` names the authority, without it the machine's count.
    With `metrics` every service answers Prometheus on a port of this machine, named in a file of targets.
    Without `services` all is made that they need, and none is started.
    With `nodes` the embedded Kafka is a cluster of so many, by TLS; None: as the folder has it, else one.
    """

    data: Path
    simulated_clock: bool = False
    database_url: str | None = None
    bootstrap_servers: str | None = None
    admin: tuple[str, Path] | None = None
    port_base: int | None = None
    partitions: int = EMBEDDED_PARTITIONS
    workers: int = 1
    page: bool = True
    registry: bool = True
    registry_url: str | None = None
    doors: bool = False
    desks: bool = False
    origin: str | None = None
    witnesses: bool = True
    agencies: bool = True
    tls: bool = False
    ca_file: Path | None = None
    metrics: bool = False
    services: bool = True
    nodes: int | None = None
    service_env: dict[str, str] = field(default_factory=dict)
