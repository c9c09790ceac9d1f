"""One whole bus, with its registry, for programs that know nothing of casebus."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from casebus_deploy.stack.stack import Stack, StackOptions


@pytest.fixture(scope="package")
def bus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Broker, services, registry; each test says its own matters."""
    with Stack(StackOptions(data=tmp_path_factory.mktemp("interop") / "bus", page=False)) as stack:
        yield stack


@pytest.fixture(scope="package")
def connection_file(bus: Stack) -> Path:
    """What the operator hands to a program."""
    return bus.connection_file
