"""Serves the status page of the stack whose connection.json is named by CASEBUS_CONNECTION."""

import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from casebus_producers.config import KafkaLogin, read_connection
from casebus_schemas.catalogue.topology import OPERATOR, SERVICES
from casebus_schemas.connection import Connection
from casebus_schemas.errors import BusError, UsageError

from .cosigning_watch import CosigningWatch
from .sql_positions import sql_positions


def serve() -> None:
    """Blocks until SIGTERM. Raises UsageError without a connection that names a page."""
    import uvicorn

    from casebus_deploy.status_page.page import create_app
    from casebus_deploy.status_page.status import StatusReader
    from casebus_services.web_guard import MOST_CONNECTIONS, listen_at, web_hosts

    connection = read_connection(None)
    if connection is None or connection.web_url is None:
        raise UsageError("no status page to serve", expected="CASEBUS_CONNECTION with a web_url")
    hosts = web_hosts(connection.web_url, os.environ.get("CASEBUS_WEB_HOSTS", ""))
    address = urlsplit(connection.web_url)
    login = KafkaLogin.read(OPERATOR, connection).kafka()
    folder = Path(os.environ["CASEBUS_CONNECTION"]).parent
    watch = CosigningWatch(connection)
    reader = StatusReader(
        folder,
        login,
        SERVICES,
        lambda: _set_aside(connection),
        lambda: sql_positions(connection),
        watch.look,
    )
    uvicorn.run(
        create_app(reader.read, reader.close, hosts),
        host=listen_at(connection.web_url),
        port=address.port or 0,
        log_config=None,
        log_level="warning",
        access_log=False,
        limit_concurrency=MOST_CONNECTIONS,
        server_header=False,
        ws="none",
    )


def _set_aside(connection: Connection) -> list[dict[str, Any]]:
    from casebus_consumers.accounts_reader import set_aside

    try:
        return set_aside(connection.databases.get("accounts"))
    except BusError:  # not there yet, or away: the services themselves show that
        return []
