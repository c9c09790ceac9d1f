"""Asks Kafka which offset it holds next, to tell its own holes from lost records."""

from contextlib import closing

from confluent_kafka import Consumer, KafkaException
from confluent_kafka import TopicPartition as KafkaPartition

from casebus_schemas.errors import RetryLater
from casebus_schemas.records import TopicPartition
from casebus_services.streams.connection import ConnectionSettings, librdkafka

_TIMEOUT_S = 15.0


def first_held(settings: ConnectionSettings, partition: TopicPartition, offset: int) -> int | None:
    """The first offset at or after `offset` that Kafka holds, None if `offset` was deleted from its log.

    Reads outside the group. Raises RetryLater if Kafka does not answer within 15 s.
    """
    config = librdkafka(settings, "ledger-holes") | {
        # Never joined: librdkafka only insists on a name.
        "group.id": "ledger",
        "enable.auto.commit": False,
        "auto.offset.reset": "error",
        "isolation.level": "read_uncommitted",
    }
    place = KafkaPartition(partition.topic, partition.partition, offset)
    with closing(Consumer(config)) as consumer:
        try:
            low, high = consumer.get_watermark_offsets(place, timeout=_TIMEOUT_S)
            if not low <= offset < high:
                return None
            consumer.assign([place])
            message = consumer.poll(_TIMEOUT_S)
        except KafkaException as error:
            raise RetryLater("Kafka does not say what it holds", found=str(error)) from error
        if message is None or message.error():
            raise RetryLater(
                "Kafka does not say what it holds",
                found="no record within 15 s" if message is None else str(message.error()),
                expected=f"a record of {partition.topic}/{partition.partition} at or after {offset}",
            )
        held: int | None = message.offset()
        return held
