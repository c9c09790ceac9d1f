"""One bus with all its topics for the router's tests; each test looks only at what came after it began."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from casebus_deploy.embedded.broker import EmbeddedBroker
from support.router.router_process import RouterBus


@pytest.fixture(scope="module")
def bus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RouterBus]:
    """A broker of its own, since the bus's topics have fixed names."""
    folder: Path = tmp_path_factory.mktemp("router")
    with EmbeddedBroker(folder / "broker") as broker:
        yield RouterBus(broker, folder)
