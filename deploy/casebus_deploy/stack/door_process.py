"""Runs doors and desks: those of one agency, or all of connection.json, in one process; states stay apart."""

import json
import logging
import os
import signal
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from casebus_consumers.door.clients import Clients
from casebus_consumers.door.door import Door
from casebus_consumers.door.settings import DoorSettings
from casebus_consumers.door.tls import DoorTls
from casebus_producers.config import AgencySettings, read_connection
from casebus_producers.connecting import quiet_kafka
from casebus_producers.faults import PublisherFaults
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.catalogue.topology import OPERATOR
from casebus_schemas.connection import Connection
from casebus_schemas.errors import UsageError
from casebus_services.metrics.named import gauge

if TYPE_CHECKING:
    import uvicorn
    from starlette.types import ASGIApp

    from casebus_consumers.desk.desk import Desk

log = logging.getLogger(__name__)

_WAITING = gauge("casebus_door_outbox_waiting")
_AILS = gauge("casebus_door_ails")

BEAT_S = 1.0
URL_VARIABLE = "CASEBUS_DOOR_URL"
"""Where the door of one agency answers, if connection.json does not say it."""


DESK_URL_VARIABLE = "CASEBUS_DESK_URL"
"""The same of its desk."""


def serve(agencies: Sequence[str]) -> None:
    """Doors, and beside each the desk of its agency where connection.json names one. Blocks until SIGTERM.

    Raises UsageError where no door is named.
    """
    connection = read_connection(None)
    urls = _urls(agencies, connection, "door_url", URL_VARIABLE)
    _serve(
        connection, urls, {name: url for name, url in _known(connection, "desk_url").items() if name in urls}
    )


def serve_desks(agencies: Sequence[str]) -> None:
    """Desks without doors, for agencies with officers and no systems. Blocks until SIGTERM.

    Raises UsageError where no desk is named, or one has no channel that is safe.
    """
    connection = read_connection(None)
    _serve(connection, {}, _urls(agencies, connection, "desk_url", DESK_URL_VARIABLE))


def _serve(connection: Connection | None, door_urls: Mapping[str, str], desk_urls: Mapping[str, str]) -> None:
    import uvicorn

    quiet_kafka()
    catalog, faults = Catalog.load(), PublisherFaults.from_environment(os.environ)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stop.set())
    every = dict.fromkeys((*door_urls, *desk_urls))
    settings = {agency: AgencySettings.read(agency, connection) for agency in every}
    known = _known(connection, "door_url")
    doors = {agency: Door(one, catalog, faults=faults, doors=known) for agency, one in settings.items()}
    simulated = connection is not None and connection.simulated_clock
    servers = [
        uvicorn.Server(_door_config(doors[agency], settings[agency], url))
        for agency, url in door_urls.items()
    ]
    desks = {
        agency: _desk(doors[agency], settings[agency], catalog, url, connection)
        for agency, url in desk_urls.items()
    }
    servers.extend(uvicorn.Server(_desk_config(desks[agency], url)) for agency, url in desk_urls.items())
    for agency, door in doors.items():
        _mails(door, settings[agency], catalog, desks.get(agency), desk_urls.get(agency), simulated, faults)
    threads = [threading.Thread(target=server.run, daemon=True) for server in servers]
    for door in doors.values():
        door.start()
    for thread in threads:
        thread.start()
    folder = os.environ.get("CASEBUS_DATA_DIR")
    while all(thread.is_alive() for thread in threads):
        ails = {agency: door.ails() for agency, door in doors.items()}
        for agency, door in doors.items():
            _WAITING.labels(agency=agency).set(door.outbox.waiting())
            for what in door.threads():
                _AILS.labels(agency=agency, what=what).set(what in ails[agency])
        if folder is not None:
            _beat(Path(folder), ails)
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
            "a door or desk cannot answer at its address",
            found=", ".join((*door_urls.values(), *desk_urls.values())),
            expected="free addresses",
            remedy="see the log, end what listens there, or name another one",
        )


def _known(connection: Connection | None, member: str) -> dict[str, str]:
    every = {} if connection is None else connection.principals
    return {
        name: url
        for name, one in every.items()
        if name != OPERATOR and (url := getattr(one, member)) is not None
    }


def _urls(
    agencies: Sequence[str], connection: Connection | None, member: str, variable: str
) -> Mapping[str, str]:
    known = _known(connection, member)
    if given := os.environ.get(variable):
        if len(agencies) != 1:
            raise UsageError("whose is it?", found=f"{variable}={given}", expected="one --agency")
        return {agencies[0]: given}
    missing = [name for name in agencies if name not in known]
    if missing or not known:
        raise UsageError(
            "where does it answer?",
            found=f"no {member}" + (f" of {', '.join(missing)}" if missing else ""),
            expected=f"{member} in connection.json, or --agency and {variable}",
        )
    return {name: known[name] for name in agencies or known}


def _door_config(door: Door, settings: AgencySettings, url: str) -> "uvicorn.Config":
    folder = settings.data_dir
    return web_config(door, Clients(folder), url, DoorSettings.read(folder).tls)


def web_config(door: Door, clients: Clients, url: str, tls: DoorTls | None = None) -> "uvicorn.Config":
    """How a door answers at its address. Raises UsageError where address and certificate do not fit."""
    from casebus_consumers.door.http import MOST_STREAMS, create_app

    if (urlsplit(url).scheme == "https") != (tls is not None):
        raise UsageError(
            "the door's address and its certificate do not go together",
            found=f"{url}, {'no certificate' if tls is None else 'a certificate'}",
            expected="https with tls in door.yaml, http without",
        )
    return _config(create_app(door, clients, hosts=_hosts(url)), url, MOST_STREAMS, tls)


def _desk(
    door: Door, settings: AgencySettings, catalog: Catalog, url: str, connection: Connection | None
) -> "Desk":
    from casebus_consumers.desk.app import check_url
    from casebus_consumers.desk.desk import Desk
    from casebus_consumers.desk.evidence import Sources

    check_url(url)
    simulated = connection is not None and connection.simulated_clock
    ledger = Sources.read(connection, os.environ)
    desk = Desk(door, settings, catalog, simulated_clock=simulated, ledger=ledger)
    desk.jobs.resume()
    threading.Thread(target=desk.index.take, name=f"{door.agency}-index", daemon=True).start()
    # Every case is looked at once, so that the first officer of the day does not wait for it.
    threading.Thread(target=desk.glance, name=f"{door.agency}-desk", daemon=True).start()
    return desk


def _desk_config(desk: "Desk", url: str) -> "uvicorn.Config":
    from casebus_consumers.desk.app import MOST_CONNECTIONS, create_app

    return _config(create_app(desk, hosts=_hosts(url)), url, MOST_CONNECTIONS)


def _mails(
    door: Door,
    settings: AgencySettings,
    catalog: Catalog,
    desk: "Desk | None",
    desk_url: str | None,
    simulated_clock: bool,
    faults: PublisherFaults,
) -> None:
    """Mails to the agency's officers, where it has set them up; desk and mails share one look at cases."""
    from casebus_consumers.desk.board import Board
    from casebus_consumers.notifier.opening import put_beside

    cases = Board(door.view, door.store, door.outbox).cases if desk is None else desk.cases
    put_beside(
        door,
        settings,
        catalog,
        cases,
        lambda: door.view.now(simulated=simulated_clock),
        desk_url=desk_url,
        faults=faults,
    )


def _hosts(url: str) -> frozenset[str]:
    from casebus_services.web_guard import web_hosts

    return web_hosts(url, os.environ.get("CASEBUS_WEB_HOSTS", ""))


def _config(app: "ASGIApp", url: str, most: int, tls: DoorTls | None = None) -> "uvicorn.Config":
    import uvicorn

    from casebus_consumers.door.certified import CertifiedProtocol
    from casebus_services.web_guard import listen_at

    address = urlsplit(url)
    # Before https without a certificate of ours stands whoever ends the channel, on this machine.
    beside = "127.0.0.1" if address.scheme == "https" and tls is None else None
    return uvicorn.Config(
        app,
        host=listen_at(url, beside),
        port=address.port or (80 if tls is None else 443),
        http="auto" if tls is None else CertifiedProtocol,
        ssl_context_factory=None if tls is None else lambda _config, _default: tls.context(),
        log_config=None,
        log_level="warning",
        access_log=False,
        limit_concurrency=most,
        server_header=False,
        lifespan="off",
        ws="none",
        timeout_graceful_shutdown=1,
    )


def _beat(folder: Path, ails: Mapping[str, Mapping[str, str]]) -> None:
    """The sign of life that doctor and page read, as the services write theirs."""
    state = {
        "at": time.time(),
        "pid": os.getpid(),
        "doors": {agency: {"ails": problems} for agency, problems in ails.items()},
    }
    fresh = folder / "heartbeat.new"
    try:
        fresh.write_text(json.dumps(state), encoding="utf-8")
        fresh.replace(folder / "heartbeat.json")
    except OSError as error:
        log.warning("no sign of life can be written: %s", error)
