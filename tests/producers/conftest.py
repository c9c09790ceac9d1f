"""What the producers' broker tests share: a connection.json, and reading a channel back."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaConsumer, TopicPartition

from casebus_deploy.embedded.broker import EmbeddedBroker
from casebus_schemas.wire.records import Record
from support.cases.members import write_connection


@pytest.fixture
def connection(broker: EmbeddedBroker, credentials: Path, tmp_path: Path) -> Path:
    """The connection.json of the broker with keys and folders of this test's own."""
    return write_connection(broker.bootstrap_servers, credentials, tmp_path)


@pytest.fixture
def mortal_broker(broker: EmbeddedBroker) -> Iterator[EmbeddedBroker]:
    """The broker for a test that stops or kills it; it runs again afterwards, whatever became of the test."""
    yield broker
    broker.start()


@pytest.fixture
def read_back(broker: EmbeddedBroker) -> Iterator[Callable[..., list[Record]]]:
    """Everything that producers whose name begins with a text have in a topic, in order of each partition."""
    consumer: Any = KafkaConsumer(
        **broker.admin_settings(), auto_offset_reset="earliest", enable_auto_commit=False, check_crcs=False
    )

    def read(topic: str, producer: str) -> list[Record]:
        parts = [TopicPartition(topic, number) for number in sorted(consumer.partitions_for_topic(topic))]
        consumer.assign(parts)
        consumer.seek_to_beginning(*parts)
        ends = consumer.end_offsets(parts)
        found: list[Record] = []
        while any(consumer.position(part) < ends[part] for part in parts):
            for batch in consumer.poll(timeout_ms=500).values():
                found.extend(
                    Record(r.topic, r.partition, r.offset, r.timestamp, 1, r.key, r.value, tuple(r.headers))
                    for r in batch
                )
        return sorted(
            (r for r in found if (r.header("casebus-producer") or b"").decode().startswith(producer)),
            key=lambda record: (record.partition, record.offset),
        )

    yield read
    consumer.close()
