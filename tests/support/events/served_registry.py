"""Our registry on a loopback port, in a thread of the test."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from casebus_deploy.embedded.ports import free_ports
from casebus_schemas.catalogue.catalog import Catalog
from casebus_services.registry.app import create_app
from casebus_services.registry.judge import broken


@contextmanager
def serving() -> Iterator[str]:
    """Gives its URL."""
    (port,) = free_ports(1)
    config = uvicorn.Config(create_app(Catalog.load(), broken), port=port, log_level="warning")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 60
    while not server.started:
        assert time.monotonic() < deadline, "the registry does not start"
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()
