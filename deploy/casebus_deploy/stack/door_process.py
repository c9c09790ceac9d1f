"""Runs doors: one for an agency, or all of connection.json; keys, states and addresses stay apart."""

import json
import logging
import os
import signal
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from casebus_consumers.door.clients import Clients
from casebus_consumers.door.door import Door
from casebus_consumers.door.settings import DoorSettings
from casebus_consumers.door.tls import DoorTls
from casebus_producers.config import AgencySettings, read_connection
from casebus_producers.connecting import quiet_kafka
from casebus_producers.faults import PublisherFaults
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.connection import Connection
from casebus_schemas.errors import UsageError

log = logging.getLogger(__name__)

BEAT_S = 1.0
URL_VARIABLE = "CASEBUS_DOOR_URL"
"""Where the door of one agency answers, if connection.json does not say it."""


def serve(agencies: Sequence[str]) -> None:
    """Blocks until SIGTERM. Raises UsageError where no door is named."""
    import uvicorn

    quiet_kafka()
    connection = read_connection(None)
    urls = _urls(agencies, connection)
    catalog, faults = Catalog.load(), PublisherFaults.from_environment(os.environ)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stop.set())
    settings = {agency: AgencySettings.read(agency, connection) for agency in urls}
    doors = {agency: Door(one, catalog, faults=faults) for agency, one in settings.items()}
    servers = [
        uvicorn.Server(
            web_config(
                door,
                Clients(settings[agency].data_dir),
                urls[agency],
                DoorSettings.read(settings[agency].data_dir).tls,
            )
        )
        for agency, door in doors.items()
    ]
    threads = [threading.Thread(target=server.run, daemon=True) for server in servers]
    for door in doors.values():
        door.start()
    for thread in threads:
        thread.start()
    folder = os.environ.get("CASEBUS_DATA_DIR")
    while all(thread.is_alive() for thread in threads):
        if folder is not None:
            _beat(Path(folder), doors)
        if stop.wait(BEAT_S):
            break
    for server in servers:
        server.should_exit = True
    for thread in threads:
        thread.join(BEAT_S)
    for door in doors.values():
        door.stop()
    if not stop.is_set():
        raise UsageError(
            "a door cannot answer at its address",
            found=", ".join(urls.values()),
            expected="free addresses",
            remedy="see the log, end what listens there, or name another one",
        )


def _urls(agencies: Sequence[str], connection: Connection | None) -> Mapping[str, str]:
    known = (
        {}
        if connection is None
        else {name: one.door_url for name, one in connection.principals.items() if one.door_url is not None}
    )
    if given := os.environ.get(URL_VARIABLE):
        if len(agencies) != 1:
            raise UsageError("whose door?", found=f"{URL_VARIABLE}={given}", expected="one --agency")
        return {agencies[0]: given}
    missing = [name for name in agencies if name not in known]
    if missing or not known:
        raise UsageError(
            "where does the door answer?",
            found="no door_url" + (f" of {', '.join(missing)}" if missing else ""),
            expected=f"door_url in connection.json, or --agency and {URL_VARIABLE}",
        )
    return {name: known[name] for name in agencies or known}


def web_config(door: Door, clients: Clients, url: str, tls: DoorTls | None = None) -> "uvicorn.Config":  # type: ignore[name-defined]  # noqa: F821
    import uvicorn

    from casebus_consumers.door.certified import CertifiedProtocol
    from casebus_consumers.door.http import create_app
    from casebus_services.web_guard import MOST_CONNECTIONS, web_hosts

    address = urlsplit(url)
    if (address.scheme == "https") != (tls is not None):
        raise UsageError(
            "the door's address and its certificate do not go together",
            found=f"{url}, {'no certificate' if tls is None else 'a certificate'}",
            expected="https with tls in door.yaml, http without",
        )
    hosts = web_hosts(url, os.environ.get("CASEBUS_WEB_HOSTS", ""))
    return uvicorn.Config(
        create_app(door, clients, hosts=hosts),
        host=address.hostname or "127.0.0.1",
        port=address.port or (80 if tls is None else 443),
        http="auto" if tls is None else CertifiedProtocol,
        ssl_context_factory=None if tls is None else lambda _config, _default: tls.context(),
        log_config=None,
        log_level="warning",
        access_log=False,
        limit_concurrency=MOST_CONNECTIONS,
        server_header=False,
        lifespan="off",
        ws="none",
        timeout_graceful_shutdown=1,
    )


def _beat(folder: Path, doors: Mapping[str, Door]) -> None:
    """The sign of life that doctor and page read, as the services write theirs."""
    state = {
        "at": time.time(),
        "pid": os.getpid(),
        "doors": {agency: {"ails": door.ails()} for agency, door in doors.items()},
    }
    fresh = folder / "heartbeat.new"
    try:
        fresh.write_text(json.dumps(state), encoding="utf-8")
        fresh.replace(folder / "heartbeat.json")
    except OSError as error:
        log.warning("no sign of life can be written: %s", error)
