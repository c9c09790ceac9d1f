"""Serves the status page of the stack whose connection.json is named by CASEBUS_CONNECTION."""

import os
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from casebus_producers.config import KafkaLogin, read_connection
from casebus_schemas.catalogue.topology import OPERATOR, SERVICES
from casebus_schemas.connection import Connection
from casebus_schemas.errors import BusError, UsageError

from .cosigning_watch import CosigningWatch
from .sql_positions import sql_positions

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from casebus_deploy.status_page.status import Status

    Served = tuple[ASGIApp, str, int, int]
    """An application, its host and port, and how many connections it may have."""

REFRESH_S = 2.0


def serve() -> None:
    """Blocks until SIGTERM. Raises UsageError without a connection that names a page."""
    from casebus_deploy.status_page.page import create_app
    from casebus_deploy.status_page.status import StatusReader
    from casebus_services.web_guard import MOST_CONNECTIONS, listen_at, web_hosts

    connection = read_connection(None)
    if connection is None or connection.web_url is None:
        raise UsageError("no status page to serve", expected="CASEBUS_CONNECTION with a web_url")
    hosts = web_hosts(connection.web_url, os.environ.get("CASEBUS_WEB_HOSTS", ""))
    address = urlsplit(connection.web_url)
    login = KafkaLogin.read(OPERATOR, connection).kafka()
    file = Path(os.environ["CASEBUS_CONNECTION"])
    watch = CosigningWatch(connection)
    reader = StatusReader(
        file.parent,
        login,
        SERVICES,
        lambda: _set_aside(connection),
        lambda: sql_positions(connection),
        watch.look,
    )
    latest = Latest(reader.read)
    page = create_app(latest.read, reader.close, hosts)
    servers = [(page, listen_at(connection.web_url), address.port or 0, MOST_CONNECTIONS)]
    if (desk := _desk(connection, file, latest)) is not None:
        servers.append(desk)
    _run(servers)


def _desk(connection: Connection, file: Path, latest: "Latest") -> "Served | None":
    """The operator's desk, where connection.json says at which address it answers."""
    url = connection.principal(OPERATOR).desk_url
    if url is None:
        return None
    from casebus_consumers.desk.app import MOST_CONNECTIONS, check_url, create_app
    from casebus_services.web_guard import listen_at, web_hosts

    from .operator_desk import OperatorDesk

    check_url(url)
    hosts = web_hosts(url, os.environ.get("CASEBUS_WEB_HOSTS", ""))
    app = create_app(OperatorDesk(file, connection, latest.read), hosts=hosts)
    address = urlsplit(url)
    # Before https stands whoever ends the channel, on this machine.
    host = listen_at(url, "127.0.0.1" if address.scheme == "https" else None)
    return app, host, address.port or 80, MOST_CONNECTIONS


def _run(servers: Sequence["Served"]) -> None:
    """Answers at all addresses until SIGTERM; the first one has the signals."""
    import uvicorn

    made = [
        uvicorn.Server(
            uvicorn.Config(
                app,
                host=host,
                port=port,
                log_config=None,
                log_level="warning",
                access_log=False,
                limit_concurrency=most,
                server_header=False,
                ws="none",
                timeout_graceful_shutdown=1,
            )
        )
        for app, host, port, most in servers
    ]
    threads = [threading.Thread(target=server.run, daemon=True) for server in made[1:]]
    for thread in threads:
        thread.start()
    made[0].run()
    for server in made[1:]:
        server.should_exit = True
    for thread in threads:
        thread.join(2.0)


class Latest:
    """One reading for all who look: at most one in two seconds, one at a time."""

    def __init__(self, read: Callable[[], "Status"]) -> None:
        self._read = read
        self._lock = threading.Lock()
        self._status: Status | None = None

    def read(self) -> "Status":
        """As it was within the last two seconds. Blocking."""
        with self._lock:
            if self._status is None or time.time() - self._status.at >= REFRESH_S:
                self._status = self._read()
            return self._status


def _set_aside(connection: Connection) -> list[dict[str, Any]]:
    from casebus_consumers.accounts_reader import set_aside

    try:
        return set_aside(connection.databases.get("accounts"))
    except BusError:  # not there yet, or away: the services themselves show that
        return []
