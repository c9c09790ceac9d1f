"""The commands `casebus topics plan|apply`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from casebus_deploy.stack.cluster_admin import cluster_admin
from casebus_deploy.stack.topics_admin import Change, Wanted, apply, plan
from casebus_producers.config import read_connection
from casebus_producers.screen import say
from casebus_schemas.catalogue.topology import EMBEDDED_PARTITIONS
from casebus_schemas.errors import RetryLater, UsageError

app = typer.Typer(
    help="Topics, access rules and logins as the topology files name them.", no_args_is_help=True
)

Connection = Annotated[
    Path | None,
    typer.Option(
        "--connection",
        "-c",
        envvar="CASEBUS_CONNECTION",
        help="connection.json of the bus: its cluster",
    ),
]
Servers = Annotated[
    str | None,
    typer.Option("--bootstrap-servers", envvar="CASEBUS_BOOTSTRAP_SERVERS", help="host:port[,host:port]"),
]
Username = Annotated[str, typer.Option("--username", help="A super user of the cluster.")]
PasswordFile = Annotated[
    Path | None, typer.Option("--password-file", help="File with that user's password.", exists=True)
]
CaFile = Annotated[
    Path | None, typer.Option("--ca-file", help="Certificate authority; given, TLS is used.", exists=True)
]
Partitions = Annotated[
    int | None,
    typer.Option("--partitions", envvar="CASEBUS_PARTITIONS", min=1, help="N, immutable; else the bus's."),
]
Replication = Annotated[
    int | None,
    typer.Option(
        "--replication",
        min=1,
        help="Replicas of a new topic; never fewer than the others have, else as many.",
    ),
]
Credentials = Annotated[
    Path | None,
    typer.Option("--credentials", help="Folder of password files; without it logins are left alone."),
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]
Prune = Annotated[
    bool, typer.Option("--prune", help="Also remove access rules and logins that no file names.")
]


@app.command("plan")
def plan_command(
    connection: Connection = None,
    bootstrap_servers: Servers = None,
    password_file: PasswordFile = None,
    username: Username = "admin",
    ca_file: CaFile = None,
    partitions: Partitions = None,
    replication: Replication = None,
    credentials: Credentials = None,
    as_json: AsJson = False,
) -> None:
    """Show what differs from the topology files; exit 1 if something does. Changes nothing."""
    many = _partitions(partitions, bootstrap_servers, connection)
    with _admin(bootstrap_servers, username, password_file, ca_file, connection) as admin:
        found = plan(admin, _wanted(admin, many, replication), credentials, keep_users=(username,))
    _show(found.changes(), as_json)
    if not found.settled or found.faulty_acls:
        raise typer.Exit(1)
    if not as_json:
        say("Nothing to do: the cluster is as the files say.")


@app.command("apply")
def apply_command(
    connection: Connection = None,
    bootstrap_servers: Servers = None,
    password_file: PasswordFile = None,
    username: Username = "admin",
    ca_file: CaFile = None,
    partitions: Partitions = None,
    replication: Replication = None,
    credentials: Credentials = None,
    prune: Prune = False,
    as_json: AsJson = False,
) -> None:
    """Make the cluster equal to the topology files. Grows no topic, deletes none."""
    many = _partitions(partitions, bootstrap_servers, connection)
    with _admin(bootstrap_servers, username, password_file, ca_file, connection) as admin:
        done = apply(
            admin,
            _wanted(admin, many, replication),
            credentials,
            prune=prune,
            keep_users=(username,),
        )
    _show(done.changes(), as_json)
    if not as_json:
        say("Done: the cluster is as the files say.")


def _show(changes: Iterator[Change], as_json: bool) -> None:
    for change in changes:
        line = json.dumps(asdict(change), ensure_ascii=False) if as_json else ""
        say(line or f"{change.action:8} {change.subject}: {change.detail}")


def _wanted(admin: Any, partitions: int, replication: int | None) -> Wanted:
    """As the cluster is replicated, or more so if told: no topic is made less safe than the others."""
    found = Wanted.of_cluster(admin, partitions)
    fewer = replication is not None and replication <= found.topics[0].replication
    if replication is None or (fewer and _has_topics(admin, found)):
        return found
    return Wanted.of_bus(partitions, replication)


def _has_topics(admin: Any, wanted: Wanted) -> bool:
    names = {spec.name for spec in wanted.topics}
    return any(entry["name"] in names for entry in admin.describe_topics())


def _partitions(given: int | None, servers: str | None, connection: Path | None) -> int:
    """N: as given, else that of the bus whose cluster is meant."""
    known = read_connection(connection) if servers is None else None
    return given or (EMBEDDED_PARTITIONS if known is None else known.partitions)


@contextmanager
def _admin(
    servers: str | None,
    username: str,
    password_file: Path | None,
    ca_file: Path | None,
    connection: Path | None,
) -> Iterator[Any]:
    """The administrator of the cluster that the options name, else of the bus of connection.json."""
    if servers is None and connection is not None:
        known = read_connection(connection)
        assert known is not None  # a file was named
        with cluster_admin(known, connection, "topics are an administrator's") as admin:
            yield admin
        return
    if servers is None or password_file is None:
        raise UsageError(
            "which cluster, and who administers it?",
            expected="--connection FILE or CASEBUS_CONNECTION, or --bootstrap-servers with --password-file",
        )
    try:
        admin = KafkaAdminClient(
            bootstrap_servers=servers.split(","),
            security_protocol="SASL_SSL" if ca_file else "SASL_PLAINTEXT",
            ssl_cafile=str(ca_file) if ca_file else None,
            sasl_mechanism="SCRAM-SHA-512",
            sasl_plain_username=username,
            sasl_plain_password=password_file.read_text(encoding="utf-8").strip(),
            bootstrap_timeout_ms=10_000,
        )
    except KafkaError as error:
        raise _unavailable(servers, error) from error
    try:
        yield admin
    except KafkaError as error:
        raise _unavailable(servers, error) from error
    finally:
        admin.close()


def _unavailable(servers: str, error: KafkaError) -> RetryLater:
    return RetryLater(
        f"the cluster at {servers} does not do it",
        found=type(error).__name__,
        expected="a cluster that knows this user as a super user",
        remedy="check address, user name, password file and certificate authority",
    )
