"""`casebus up`: run the whole bus here."""

import os
import signal
import threading
from pathlib import Path
from typing import Annotated

import typer

from casebus_producers.screen import say, say_json
from casebus_schemas.errors import UsageError

app = typer.Typer()
LOOK_S = 1.0
KEYS_HERE = (
    "试用 TRIAL: 各机关私钥由本机制作保管，其签名对运营方不构成证明 the agencies' private keys are made and "
    "kept here, so their signatures prove nothing against the operator; else: casebus up --no-agencies"
)
"""Said where an operator has keys that are an agency's own."""


@app.command("up")
def up(
    data: Annotated[Path, typer.Option(help="folder of everything it keeps")] = Path("casebus-data"),
    database_url: Annotated[
        str | None, typer.Option(help="PostgreSQL (postgresql+psycopg://…) instead of SQLite files")
    ] = None,
    bootstrap_servers: Annotated[
        str | None,
        typer.Option(
            help="a Kafka of your own; CASEBUS_ADMIN_USERNAME and CASEBUS_ADMIN_PASSWORD_FILE log in"
        ),
    ] = None,
    tls: Annotated[
        bool, typer.Option("--tls", help="every client reaches Kafka by TLS; the folder stays so")
    ] = False,
    nodes: Annotated[
        int | None,
        typer.Option(
            help="nodes of the embedded Kafka: 3, by TLS, so that any one may die; else 1 or as made"
        ),
    ] = None,
    ca_file: Annotated[
        Path | None,
        typer.Option(help="the authority of your own Kafka's certificates (implies --tls)", exists=True),
    ] = None,
    port_base: Annotated[
        int | None,
        typer.Option(
            help="first of 18 ports (three of Kafka, page, registry, three doors, four desks, six for "
            "--nodes 3); else free",
            min=1024,
        ),
    ] = None,
    registry_url: Annotated[
        str | None, typer.Option(help="a Confluent schema registry of your own, which is filled")
    ] = None,
    origin: Annotated[
        str | None,
        typer.Option(
            help="name of the ledger in its checkpoints, as casebus.example/ledger; fixed by the first"
        ),
    ] = None,
    doors: Annotated[bool, typer.Option(help="run the doors of the full agencies here too")] = True,
    desks: Annotated[bool, typer.Option(help="and with the doors their desks for officers")] = True,
    witnesses: Annotated[
        bool,
        typer.Option(help="run all witnesses here; else agencies run theirs and bring the policy"),
    ] = True,
    agencies: Annotated[
        bool,
        typer.Option(
            help="make and keep the agencies' keys here, for trial and demo; else they enrol (casebus enroll)"
        ),
    ] = True,
    simulated_clock: Annotated[bool, typer.Option(help="let `casebus clock set` set the time")] = False,
    workers: Annotated[
        int, typer.Option(help="processes of each service (more than 1: PostgreSQL)", min=1)
    ] = 1,
    metrics: Annotated[
        bool,
        typer.Option(
            "--metrics", help="every service answers Prometheus on this machine (metrics-targets.json)"
        ),
    ] = False,
    prepare: Annotated[
        bool,
        typer.Option(
            "--prepare", help="make topics, logins, keys and connection.json on your own Kafka, and leave"
        ),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="what runs, as JSON")] = False,
) -> None:
    """Run broker, databases, services and status page until Ctrl-C."""
    from casebus_deploy.stack.holidays_folder import FOLDER, HolidaysFolder
    from casebus_deploy.stack.stack import Stack, StackOptions

    if prepare and bootstrap_servers is None:
        raise UsageError("nothing would stay", found="--prepare", expected="--bootstrap-servers with it")
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: stop.set())
    options = StackOptions(
        data=data,
        origin=origin,
        simulated_clock=simulated_clock,
        database_url=database_url,
        bootstrap_servers=bootstrap_servers,
        admin=_admin() if bootstrap_servers else None,
        port_base=port_base,
        registry_url=registry_url,
        doors=doors,
        desks=desks,
        witnesses=witnesses,
        agencies=agencies,
        tls=tls,
        ca_file=None if ca_file is None else ca_file.absolute(),
        nodes=_nodes(nodes, bootstrap_servers),
        workers=workers,
        metrics=metrics,
        services=not prepare,
    )
    with Stack(options, say=lambda line: say(f"  {line}", err=True)) as stack:
        if prepare:
            say(f"{'connection':<12} {stack.connection_file}")
            return
        if as_json:
            rows = [{"name": name, "where": where, "log": log or None} for name, where, log in stack.rows()]
            ended = stack.ended()
            body = {"connection": str(stack.connection_file), "ready": not ended, "runs": rows}
            say_json(body | {"ended": ended})
        else:
            for name, where, log in stack.rows():
                say(f"{name:<12} {where}" + (f"  ({log})" if log else ""))
            say(f"{'connection':<12} {stack.connection_file}")
            if not (ended := stack.ended()):
                say("ready 就绪 (Ctrl-C stops 停止)")
        if stack.agencies:
            say(f"{KEYS_HERE}: {', '.join(stack.agencies)}", err=True)
        for name, why in ended.items():
            say(f"证据有险 EVIDENCE AT RISK: {name} ended and is not started again: {why}", err=True)
        notices = HolidaysFolder.of(stack.data / FOLDER, stack.connection, lambda line: say(line, err=True))
        while not stop.wait(LOOK_S):
            stack.look()
            notices.look()
        say("stopping 正在停止 …", err=True)


def _nodes(asked: int | None, elsewhere: str | None) -> int | None:
    from casebus_deploy.embedded.cluster import NODES

    if asked is None:
        return None
    if asked not in NODES:
        raise UsageError(
            "so many nodes of Kafka are not run here",
            found=f"--nodes {asked}",
            expected=" or ".join(map(str, NODES)),
            remedy="a larger cluster is one of your own: --bootstrap-servers",
        )
    if elsewhere is not None:
        raise UsageError(
            "your own Kafka has its own nodes",
            found=f"--nodes {asked} with --bootstrap-servers",
            expected="one of the two",
        )
    return asked


def _admin() -> tuple[str, Path]:
    name, file = os.environ.get("CASEBUS_ADMIN_USERNAME"), os.environ.get("CASEBUS_ADMIN_PASSWORD_FILE")
    if not name or not file:
        raise UsageError(
            "a cluster of your own needs its administrator",
            expected="CASEBUS_ADMIN_USERNAME and CASEBUS_ADMIN_PASSWORD_FILE",
        )
    return name, Path(file)
