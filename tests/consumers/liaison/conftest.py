"""What the liaison's tests share: a speaker of their own, a connection.json, and the router's pen."""

import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaProducer

from casebus_deploy.embedded.broker import EmbeddedBroker
from casebus_schemas.wire.records import Outgoing
from support.cases.members import write_connection
from support.events.signed_events import Speaker, bus_keys, stored
from support.reconciler.accounts_fixtures import accounts_url, database

__all__ = ["accounts_url", "database"]

Write = Callable[[Outgoing], int]


@pytest.fixture
def speaker() -> Speaker:
    """The regulator with streams of this test's own, so that its events are new on a shared broker."""
    return Speaker("csrc", producer=f"csrc-1.{secrets.randbits(60) + 1}")


@pytest.fixture
def connection(broker: EmbeddedBroker, credentials: Path, tmp_path: Path) -> Path:
    """The connection.json of the broker with keys and folders of this test's own."""
    return write_connection(broker.bootstrap_servers, credentials, tmp_path)


@pytest.fixture
def write(broker: EmbeddedBroker) -> Iterator[Write]:
    """Writes a record as the super user and gives its offset; keys of csrc and the bus are announced."""
    producer: Any = KafkaProducer(**broker.admin_settings())

    def send(record: Outgoing) -> int:
        headers = [(name, value or b"") for name, value in record.headers]
        future = producer.send(
            record.topic, key=record.key, value=record.value, headers=headers, partition=record.partition
        )
        return int(future.get(30).offset)

    for record in [stored(Speaker("csrc", producer="csrc-0.1").announce()), *bus_keys()]:
        send(Outgoing(record.topic, record.partition, record.key, record.value, record.headers))
    yield send
    producer.close()
