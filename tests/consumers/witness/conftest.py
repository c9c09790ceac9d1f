"""A Kafka of these tests' own: they delete topics of the bus and write them anew."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from casebus_deploy.embedded.broker import EmbeddedBroker
from support.ledger.laid_out import lay_out
from support.scenes.witnessed_bus import WitnessedBus


@pytest.fixture
def bus(tmp_path: Path) -> Iterator[WitnessedBus]:
    """A broker with the bus's topics, an operator who holds its keys, and four witnesses not yet running."""
    folder = tmp_path / "broker"
    broker = EmbeddedBroker(folder)
    try:
        broker.start()
        found = WitnessedBus(broker, lay_out(broker, tmp_path / "credentials"), tmp_path)
        try:
            yield found
        finally:
            found.stop()
    finally:
        broker.stop()
        shutil.rmtree(folder, ignore_errors=True)
