"""Serves the schema registry of the stack whose connection.json is named by CASEBUS_CONNECTION."""

import os
from urllib.parse import urlsplit

from casebus_producers.config import read_connection
from casebus_schemas.errors import UsageError


def serve() -> None:
    """Blocks until SIGTERM. Raises UsageError without a connection that names a registry."""
    import uvicorn

    from casebus_schemas.catalogue.catalog import Catalog
    from casebus_services.registry.app import create_app
    from casebus_services.registry.judge import broken
    from casebus_services.web_guard import MOST_CONNECTIONS, listen_at, web_hosts

    connection = read_connection(None)
    if connection is None or connection.registry_url is None:
        raise UsageError("no registry to serve", expected="CASEBUS_CONNECTION with a registry_url")
    hosts = web_hosts(connection.registry_url, os.environ.get("CASEBUS_WEB_HOSTS", ""))
    address = urlsplit(connection.registry_url)
    uvicorn.run(
        create_app(Catalog.load(), broken, hosts),
        host=listen_at(connection.registry_url),
        port=address.port or 0,
        log_config=None,
        log_level="warning",
        access_log=False,
        limit_concurrency=MOST_CONNECTIONS,
        server_header=False,
        ws="none",
    )
