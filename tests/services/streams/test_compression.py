"""What an agency packs must not stop the services, on a real broker with the topics' own settings."""

import os
from typing import Any

import pytest
from confluent_kafka import KafkaError, Producer
from kafka.admin import NewTopic

from casebus_deploy.embedded.broker import EmbeddedBroker
from casebus_schemas.catalogue.topology import topics
from casebus_schemas.wire.records import Batch
from casebus_services.streams.connection import librdkafka
from casebus_services.streams.side_reader import SideReader
from support.reconciler.row_service import connection

pytestmark = pytest.mark.broker


def produced(broker: EmbeddedBroker, topic: str, codec: str, value: bytes) -> str | None:
    """Produce with this codec; what the broker objects to, if anything."""
    answers: list[str | None] = []
    config: dict[str, Any] = librdkafka(connection(broker), "packing")
    producer = Producer({**config, "compression.type": codec, "message.max.bytes": 100_000_000})

    def on_delivery(error: KafkaError | None, _message: object) -> None:
        answers.append(None if error is None else error.name())

    producer.produce(topic, value, b"key", 0, on_delivery=on_delivery)
    assert producer.flush(30) == 0
    return answers[0]


def test_packed_records_are_read_and_bombs_refused(broker: EmbeddedBroker, broker_admin: Any) -> None:
    """Records packed with any codec are delivered; one that unpacks to 50 MB is refused by the broker."""
    spec = next(spec for spec in topics(4) if spec.name == "csrc.clue")
    topic = f"packed-{os.getpid()}"
    broker_admin.create_topics([NewTopic(topic, 1, 1, topic_configs=dict(spec.config))])
    codecs = ("none", "gzip", "snappy", "lz4", "zstd")
    assert [produced(broker, topic, codec, codec.encode() * 1000) for codec in codecs] == [None] * 5
    assert produced(broker, topic, "zstd", b"\0" * 50_000_000) == "MSG_SIZE_TOO_LARGE"
    batches: list[Batch] = []
    reader = SideReader(connection(broker), "packed", [topic], batches.append)
    reader.start()
    reader.stop()
    values = [record.value for batch in batches for record in batch.records]
    assert values == [codec.encode() * 1000 for codec in codecs]
